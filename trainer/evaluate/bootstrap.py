"""Paired bootstrap over sequences: how far a difference between two trackers is to be believed.

Sequences are drawn with replacement, the same for both trackers, so that what is hard for both cancels (Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13: percentile interval).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
CONFIDENCE = 0.95
MIN_SEQUENCES = 2
"""From one sequence nothing can be said of another."""


FEWEST = 10
"""Sequences below which resampling cannot tell luck from gain: of four, three lucky ones put it above zero."""


@dataclass(frozen=True)
class Difference:
    """Score of ``first`` minus score of ``second``, 0 to 1.

    ``low`` and ``high`` bound the 95 % interval; None where one sequence alone was measured. ``sequences`` is how many
    both have a score on.
    """

    first: str
    second: str
    metric: str
    value: float
    low: float | None
    high: float | None
    sequences: int

    @property
    def decided(self) -> bool:
        """True when the interval leaves out zero, and rests on enough sequences to mean something."""
        return (
            self.sequences >= FEWEST
            and self.low is not None
            and self.high is not None
            and (self.low > 0 or self.high < 0)
        )

    def flipped(self) -> Difference:
        """The same with the trackers the other way round."""
        low, high = (None if bound is None else -bound for bound in (self.high, self.low))
        return Difference(self.second, self.first, self.metric, -self.value, low, high, self.sequences)


def differences(metric: str, scores: Mapping[str, NDArray[np.float64]], seed: int) -> list[Difference]:
    """Every pair of trackers, in the order given.

    Args:
        metric: what the scores are.
        scores: for each tracker its N scores; sequences on which one of them has NaN are left out for all.
        seed: of the resampling.
    """
    names = list(scores)
    table = np.stack([scores[name] for name in names])
    table = table[:, ~np.isnan(table).any(axis=0)]
    count = table.shape[1]
    if not count:
        return []
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    resampled = table @ draws.T.astype(float) / count
    values = table.mean(axis=1)
    tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    compared = []
    for i, first in enumerate(names[:-1]):
        bounds = np.quantile(resampled[i] - resampled[i + 1 :], tails, axis=1)
        for j, second in enumerate(names[i + 1 :]):
            value, low, high = map(_rounded, (values[i] - values[i + 1 + j], *bounds[:, j]))
            if count < MIN_SEQUENCES:
                compared.append(Difference(first, second, metric, value, None, None, count))
            else:
                compared.append(Difference(first, second, metric, value, low, high, count))
    return compared


def _rounded(value: float) -> float:
    """Without the last bits: equal trackers differ by exactly 0, and an interval that ends there holds it."""
    return round(float(value), 12) + 0.0
