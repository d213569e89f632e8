"""The choice of a rate: which of those tried had the deciding figure highest, on scenes that are for nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean


def best_rate(found: Mapping[float, Iterable[float]]) -> float:
    """The rate with the highest mean; of equal ones the lowest.

    Args:
        found: rate -> the deciding figure on each sequence, of the same sequences.

    Raises:
        ValueError: nothing was tried.
    """
    means = {rate: round(fmean(values), 6) for rate, values in found.items()}
    if not means:
        raise ValueError("no rate was tried")
    return min(means, key=lambda rate: (-means[rate], rate))
