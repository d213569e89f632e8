"""Time skew as the timestamps tell it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.pairing.registration.quality import Verdict
from pipeline.records import PairFiles

TOLERANCE = 0.05
"""Seconds between the two pictures of a pair that are always too many: a walker moves by 10 pixels at 10 m."""
_ROUNDING = 0.001


def tolerance(pairs: Sequence[PairFiles]) -> float:
    """Seconds of skew that the pairs of one sequence are allowed: half their frame interval, at most 0.05.

    Args:
        pairs: in frame order; their timestamps, where there are at least two, give the interval.
    """
    times = [pair.timestamp for pair in pairs if pair.timestamp is not None]
    gaps = np.abs(np.diff(times))
    gaps = gaps[gaps > 0]
    return min(TOLERANCE, float(np.median(gaps)) / 2 + _ROUNDING) if len(gaps) else TOLERANCE


def skewed(pair: PairFiles, allowed: float) -> Verdict | None:
    """The reason to reject a pair whose two pictures were taken too far apart; None where nothing is known."""
    if pair.skew is None or abs(pair.skew) <= allowed:
        return None
    late = "after" if pair.skew > 0 else "before"
    detail = f"thermal picture was taken {abs(pair.skew):.3f} s {late} the visible one, tolerance {allowed:.3f} s"
    return Verdict(0.0, (), "temporal_mismatch", detail)
