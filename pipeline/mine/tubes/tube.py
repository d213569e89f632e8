"""What a tube is, and the frames it is made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import Boxes
from pipeline.mine.methods import PairView
from pipeline.mine.proposals import NO_CLASS


@dataclass(frozen=True)
class Frame:
    """One instant of a sequence.

    Attributes:
        position: steps from the first frame of the sequence (:mod:`pipeline.mine.pairs.instants`).
        view: its pair, with the visible picture.
    """

    position: int
    view: PairView


@dataclass(frozen=True, eq=False)
class Tube:
    """One object or region in the frames of a sequence. It is valid in TIR too, which is stored in the RGB frame.

    Attributes:
        frames: (n,) int64 positions in the sequence, rising; what is missing between two is a gap.
        boxes: (n, 4) x, y, w, h in RGB pixels.
        scores: (n,) of the detector, 1 where there was none.
        category: its class, -1 where there is none.
    """

    frames: NDArray[np.int64]
    boxes: Boxes
    scores: NDArray[np.float64]
    category: int = NO_CLASS

    def __len__(self) -> int:
        return len(self.frames)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Tube:
        """The tube in some of its frames, given by index or by mask."""
        return Tube(self.frames[rows], self.boxes[rows], self.scores[rows], self.category)


@dataclass
class Followed:
    """What came of some frames.

    Attributes:
        tubes: the tubes.
        dropped: why tubes were dropped -> how many.
    """

    tubes: list[Tube] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


def heaviest(weights: Mapping[int, float]) -> int:
    """The class of the highest weight; of equal ones the lowest."""
    return min(weights, key=lambda category: (-weights[category], category))
