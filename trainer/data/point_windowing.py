"""How NanoTrack's windows are cut, and what is to be learnt of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from trainer.data.point_targets import is_thin, point_targets
from trainer.data.views.point_windows import StretchedWindow, point_window
from trainer.data.views.search_windows import Box
from trainer.data.windowing import Windowing
from trainer.recipes.point_geometry import PointSpec


class PointWindowing(Windowing[PointSpec]):
    """A template and a search window around one target, and points that find it."""

    def window(
        self, branch: int, box: Box, picture: tuple[int, int], rng: np.random.Generator, jittered: bool
    ) -> StretchedWindow:
        """See :func:`~trainer.data.views.point_windows.point_window`: the picture's size has no say."""
        return point_window(self.spec, branch, box, rng, jittered)

    def targets(self, box: Box, rng: np.random.Generator, foreign: bool) -> dict[str, Any]:
        """See :func:`~trainer.data.point_targets.point_targets`."""
        return point_targets(box, self.spec, rng, foreign)

    def told(self, boxes: Iterable[Box]) -> dict[str, float]:
        """The share of targets that are too thin for a point."""
        return {"thin": float(np.mean([is_thin(box, self.spec) for box in boxes]))}
