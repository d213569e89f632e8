"""The first box, kept: what a benchmark gives to whoever does not look."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from pipeline.images import Rgb
from trainer.trackers.engine import Follower, Outcome
from trainer.trackers.geometry import first_box


class StartBox(Follower):
    """Says the first box of every frame; the score, of what is not looked at, is NaN."""

    def start(self, image: Rgb, box: ArrayLike) -> None:
        """Take the first box x, y, w, h.

        Raises:
            ValueError: it is not finite or has no area.
        """
        self._box = np.array(first_box(box))

    def update(self, image: Rgb) -> Outcome:
        """The first box, whatever the frame shows."""
        return Outcome(self._box.copy(), math.nan, "normal")
