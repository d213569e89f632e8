"""Skew by timestamps: how much is allowed, and what is rejected."""

from __future__ import annotations

import pytest

from pipeline.pairing.registration import clock
from pipeline.records import PairFiles


def at(timestamp: float | None, skew: float | None = None) -> PairFiles:
    return PairFiles(
        pair_id="s/f", sequence="s", frame="f", camera="s", rgb="a.jpg", tir="b.jpg", timestamp=timestamp, skew=skew
    )


@pytest.mark.parametrize(
    ("times", "allowed"),
    [([0, 1 / 30, 2 / 30], 1 / 60 + 0.001), ([0.0, 2.0, 4.0], 0.05), ([None, None], 0.05), ([3.0, 3.0], 0.05)],
)
def test_half_a_frame_interval_is_allowed_but_never_more_than_50_ms(times: list[float | None], allowed: float) -> None:
    assert clock.tolerance([at(time) for time in times]) == pytest.approx(allowed)


def test_a_pair_taken_too_far_apart_is_rejected_saying_by_how_much() -> None:
    late, early = clock.skewed(at(0.0, 0.04), 0.02), clock.skewed(at(0.0, -0.04), 0.02)
    assert late is not None
    assert late.reason == "temporal_mismatch"
    assert "0.040 s after the visible one, tolerance 0.020 s" in late.detail
    assert early is not None
    assert "before" in early.detail
    assert clock.skewed(at(0.0, -0.02), 0.02) is None
    assert clock.skewed(at(0.0), 0.02) is None
