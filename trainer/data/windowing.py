"""How the windows of a base tracker are cut, and what is to be learnt of them: one class for each kind of tracker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

import numpy as np

from trainer.data.targets import targets_of
from trainer.data.views.search_windows import Box, jitter, search_window
from trainer.data.views.window import Window
from trainer.recipes.geometry import SearchSpec, TrackerSpec

S = TypeVar("S", bound=TrackerSpec)


class Windowing(ABC, Generic[S]):
    """Windows of one base tracker.

    Args:
        spec: its geometry, with the targets that a run asks for.
    """

    def __init__(self, spec: S) -> None:
        self.spec = spec

    @abstractmethod
    def window(
        self, branch: int, box: Box, picture: tuple[int, int], rng: np.random.Generator, jittered: bool
    ) -> Window:
        """The window around a box (4,) in a picture of (width, height).

        Args:
            branch: 0 reference, 1 test.
            box: (4,) x, y, w, h in pixels of the picture.
            picture: its width and height.
            rng: of the jitter.
            jittered: whether there is any.
        """

    @abstractmethod
    def targets(self, box: Box, rng: np.random.Generator, foreign: bool) -> dict[str, Any]:
        """What is to be learnt of a test window.

        Args:
            box: (4,) of the target in it.
            rng: of what of it is drawn.
            foreign: whether the reference window shows another target.
        """

    def told(self, boxes: Iterable[Box]) -> dict[str, float]:
        """What of a run's targets is not as they would usually be: what it is -> share of the test windows.

        Args:
            boxes: (4,) each, of the targets in some test windows; found only as far as somebody asks for them.
        """
        return {}


class SearchWindowing(Windowing[SearchSpec]):
    """DiMP's and ATOM's: windows of both branches alike, and proposals."""

    def window(
        self, branch: int, box: Box, picture: tuple[int, int], rng: np.random.Generator, jittered: bool
    ) -> Window:
        """See :meth:`Windowing.window`."""
        spec = self.spec
        scale = (spec.centre_jitter[branch], spec.scale_jitter[branch]) if jittered else (0.0, 0.0)
        return search_window(jitter(box, *scale, rng), picture, spec)

    def targets(self, box: Box, rng: np.random.Generator, foreign: bool) -> dict[str, Any]:
        """See :func:`~trainer.data.targets.targets_of`; no reference window is of another target."""
        return targets_of(box, self.spec, rng)


def windowing_of(spec: TrackerSpec) -> Windowing[Any]:
    """How windows of a geometry are cut."""
    made: Windowing[Any] = spec.family.part("windowing")(spec)
    return made
