"""Which two instants of a target a test of two frames may show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REACH = 30
"""Frames between the reference and the test instant at most; one at least."""


def within_reach(clock: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every instant that has a later one within reach, (s, 3): it, and the first and the end of those, as places.

    Args:
        clock: (m,) when each instant is, in frames, rising.
    """
    at = np.arange(len(clock))
    first, end = np.searchsorted(clock, clock + 1), np.searchsorted(clock, clock + REACH + 1)
    return np.stack([at, first, end], axis=1)[end > first]
