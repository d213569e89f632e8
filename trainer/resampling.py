"""Bootstrap over sequences: how far a mean, or a difference of two, is to be believed.

Sequences are drawn with replacement, the same ones for all that is compared (Efron and Tibshirani, An Introduction to
the Bootstrap, 1993, ch. 13: percentile interval). Frames and windows of one sequence are no independent samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
CONFIDENCE = 0.95
FEWEST = 10
"""Sequences below which resampling cannot tell luck from gain: of four, three lucky ones put it above zero."""


def resampled_means(scores: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Means over the drawn sequences, of scores (k, n) of n sequences: (k, RESAMPLES), each column one draw for all k.

    Args:
        scores: finite.
        seed: of the draws.
    """
    count = scores.shape[1]
    return np.asarray(scores @ drawn(count, seed).T / count)


def drawn(count: int, seed: int) -> NDArray[np.float64]:
    """How often each of ``count`` is drawn, with replacement, in each resample: (RESAMPLES, count)."""
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    return draws.astype(np.float64)


def bounds(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lower and upper bound (2, ...) of the two-sided interval in resampled means (..., RESAMPLES)."""
    return np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=-1)


def rounded(value: float) -> float:
    """Without the last bits: what is equal differs by exactly 0, and an interval that ends there holds it."""
    return round(float(value), 12) + 0.0
