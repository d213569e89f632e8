"""Paired bootstrap over sequences: how far a difference between two trackers is to be believed.

The same sequences are drawn for both trackers, so that what is hard for both cancels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.resampling import FEWEST, bounds, resampled_means, rounded

MIN_SEQUENCES = 2
"""From one sequence nothing can be said of another."""


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
    resampled = resampled_means(table, seed)
    values = table.mean(axis=1)
    compared = []
    for i, first in enumerate(names[:-1]):
        ends = bounds(resampled[i] - resampled[i + 1 :])
        for j, second in enumerate(names[i + 1 :]):
            value, low, high = map(rounded, (values[i] - values[i + 1 + j], *ends[:, j]))
            if count < MIN_SEQUENCES:
                compared.append(Difference(first, second, metric, value, None, None, count))
            else:
                compared.append(Difference(first, second, metric, value, low, high, count))
    return compared
