"""Which two frames of a sequence a window shows: by the seed, the sequence's name and the window's number alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.measure.instants import stream
from trainer.sequences import Clip
from trainer.sequences.reach import within_reach
from trainer.sequences.start_box import can_be_of


@dataclass(frozen=True, eq=False)
class Instants:
    """The instants of a sequence at which its target is known.

    Attributes:
        clip: the sequence.
        frames: (m,) those of its frames, rising.
        starts: (s, 3): a reference that has a later instant within reach, and the first and the end of those, all
            places in ``frames``.
    """

    clip: Clip
    frames: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, clip: Clip, size: tuple[int, int]) -> Instants:
        """Those of a sequence whose pictures have a size (width, height).

        A frame without valid truth is none, nor is one whose box lies outside of the picture or is far larger.
        """
        frames = np.flatnonzero(can_be_of(clip.truth, size))
        return cls(clip, frames, within_reach(frames))

    def draw(self, number: int, seed: int) -> tuple[int, int]:
        """The frame of the reference window and that of the test window, 1 to 30 later."""
        rng = stream(seed, f"{self.clip.name}|instants", number)
        reference, first, end = self.starts[rng.integers(len(self.starts))]
        return int(self.frames[reference]), int(self.frames[rng.integers(first, end)])
