"""NanoTrack's rules as its authors' code has them (HonglinChu/SiamTrackers, NanoTrack V2, nano_tracker.py)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb
from trainer.net.nano.grid import SEARCH_SIZE, TEMPLATE_SIZE
from trainer.trackers.nano.rules import Array, Fill, Rules, Square, State, hull, template_scale


class PyTorchRules(Rules):
    """The numbers are those of configv2.yaml."""

    number = np.float64
    blue_first = True
    origin = 0.0
    program = "torch"
    penalty_k, window_influence, lr = 0.150, 0.490, 0.385

    def start(self, box: Sequence[float]) -> State:
        """See :meth:`Rules.start`; boxes come out half a pixel off: :meth:`box` takes w/2, this (w - 1)/2."""
        x, y, w, h = box
        return State(np.array([x + (w - 1) / 2, y + (h - 1) / 2]), np.array([w, h], float))

    def template_square(self, state: State) -> Square:
        """See :meth:`Rules.template_square`."""
        return _square(state.centre, self.window_side(state.size, state.size.sum()))

    def search_square(self, state: State) -> tuple[Square, Any]:
        """See :meth:`Rules.search_square`."""
        side = self.window_side(state.size, state.size.sum())
        return _square(state.centre, side * (SEARCH_SIZE / TEMPLATE_SIZE)), template_scale(side)

    def fill(self, first: Rgb) -> Fill:
        """The first frame's mean, cut to whole numbers, to the end of the sequence."""
        mean = np.floor(first.mean(axis=(0, 1))).tolist()
        return lambda _: mean

    def cosine_window(self, cells: int) -> Array:
        """See :meth:`Rules.cosine_window`: zero at the rim."""
        return np.outer(np.hanning(cells), np.hanning(cells))

    def reference_hull(self, state: State, scale: Any) -> Any:
        """The hull of the target's size."""
        return hull(*(state.size * scale))

    def score(self, probability: Any, total: Any) -> float:
        """The probability."""
        return float(probability)

    def box(self, state: State) -> NDArray[np.float64]:
        """See :meth:`Rules.box`."""
        return np.concatenate([state.centre - state.size / 2, state.size])


def _square(centre: Array, side: Any) -> Square:
    pixels = max(round(float(side)), 1)
    left, top = (math.floor(float(at) - (pixels + 1) / 2 + 0.5) for at in centre)
    return Square(left, top, pixels)
