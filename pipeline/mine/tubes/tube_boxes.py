"""The boxes of all tubes of a run by pair, as they are handed to whoever makes the shards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import Boxes
from pipeline.mine.methods import Method, PairView, Proposed
from pipeline.mine.proposals import GivenBoxes, Proposal
from pipeline.mine.settings import MineSettings
from pipeline.mine.tubes.tube import Tube


@dataclass(frozen=True, eq=False)
class TubeBoxes:
    """All boxes, by rising number of the pair and then of the tube.

    Attributes:
        pair: (m,) number of the pair in the run.
        box: (m, 4) x, y, w, h in RGB pixels.
        score: (m,).
        category: (m,) the tube's class.
        track: (m,) the tube's number in its sequence.
    """

    pair: NDArray[np.int64]
    box: Boxes
    score: NDArray[np.float64]
    category: NDArray[np.int64]
    track: NDArray[np.int64]

    def of(self, part: slice, ids: Sequence[str]) -> dict[str, list[Proposal]]:
        """The boxes of the pairs from ``part.start`` on, which are called ``ids``."""
        first, end = np.searchsorted(self.pair, [part.start, part.start + len(ids)])
        found: dict[str, list[Proposal]] = {}
        for row in range(first, end):
            name = ids[int(self.pair[row]) - part.start]
            box, score = self.box[row], float(self.score[row])
            found.setdefault(name, []).append(Proposal(box, score, int(self.category[row]), int(self.track[row])))
        return found


def tube_boxes(sequences: Sequence[tuple[list[Tube], Mapping[int, int]]]) -> TubeBoxes:
    """Put the tubes of all sequences into one table; a tube's number is its place in its sequence.

    Args:
        sequences: tubes of each, and position -> number of the pair.
    """
    columns: list[tuple[NDArray[Any], ...]] = [
        (
            np.array([pairs[position] for position in tube.frames.tolist()], np.int64),
            tube.boxes,
            tube.scores,
            np.full(len(tube), tube.category, np.int64),
            np.full(len(tube), number, np.int64),
        )
        for tubes, pairs in sequences
        for number, tube in enumerate(tubes)
    ]
    if not columns:
        none = np.zeros(0, np.int64)
        return TubeBoxes(none, np.zeros((0, 4)), np.zeros(0), none, none)
    pair, box, score, category, track = (np.concatenate(column) for column in zip(*columns))
    order = np.lexsort((track, pair))
    return TubeBoxes(pair[order], box[order], score[order], category[order], track[order])


class FromTubes(Method):
    """Boxes that were followed before the shards are made."""

    def __init__(self, settings: MineSettings, told: GivenBoxes, detector: str) -> None:
        self.settings, self.options = settings, self.Options()
        self.told, self.detector = told, detector
        self.weights_sha256, self.class_names = told.weights_sha256, told.class_names

    def propose(self, pairs: Sequence[PairView]) -> Iterator[Proposed]:
        """The boxes that tubes have in each pair of a batch."""
        for pair in pairs:
            own = self.told.proposals.get(pair.pair_id, [])
            yield Proposed(own, [] if own else [("no_tube", "no tube goes through it")])
