"""A camera that was knocked: runs of frames that all want another matrix than the one their camera has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LIMIT = 5.0
"""Corner displacement in RGB pixels by which a free fit may differ from a matrix before that is a doubt."""
WINDOW = 9
"""Frames whose median decides; one pair's free fit is too noisy to."""
SURE = 2.0
"""Standard errors that a drift must exceed to count."""


def significant(scores: dict[str, float]) -> float | None:
    """A pair's drift in RGB pixels, 0 where it lies within the error of the fit, None where nothing was fitted."""
    drift = scores.get("drift")
    if drift is None:
        return None
    return drift if drift > SURE * scores.get("spread", 0.0) else 0.0


def moved(drifts: Sequence[float | None]) -> NDArray[np.bool_] | None:
    """Which of n frames, in order, lie in a run whose median drift exceeds :data:`LIMIT`.

    Returns:
        (n,) bool; None where there are fewer than :data:`WINDOW` frames with a drift, which say nothing about a run.
    """
    known = np.array([drift is not None for drift in drifts], dtype=bool)
    values = np.array([drift for drift in drifts if drift is not None])
    if len(values) < WINDOW:
        return None
    medians = np.median(np.lib.stride_tricks.sliding_window_view(values, WINDOW), axis=1)
    middle = np.clip(np.arange(len(values)) - WINDOW // 2, 0, len(medians) - 1)
    found = np.zeros(len(drifts), dtype=bool)
    found[known] = medians[middle] > LIMIT
    return found
