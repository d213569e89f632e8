"""Runs of frames that want another matrix than their camera's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pairing.registration import drift


def test_a_knock_is_found_from_its_first_frame_on() -> None:
    drifts = [0.5] * 20 + [8.0] * 20
    found = drift.moved(drifts)
    assert found is not None
    assert np.flatnonzero(found).tolist() == list(range(20, 40))


@given(st.permutations([9.0] * 4 + [1.0] * 5))
def test_single_frames_say_nothing_of_the_camera(drifts: list[float]) -> None:
    found = drift.moved(drifts)
    assert found is not None
    assert not found.any()


def test_frames_without_a_drift_are_passed_over_and_few_frames_say_nothing() -> None:
    found = drift.moved([None, *[9.0] * 9, None])
    assert found is not None
    assert found.tolist() == [False, *[True] * 9, False]
    assert drift.moved([9.0] * 8 + [None] * 20) is None


def test_a_drift_counts_beyond_the_error_of_the_fit_only() -> None:
    assert drift.significant({"drift": 7.0, "spread": 3.0}) == 7.0
    assert drift.significant({"drift": 7.0, "spread": 4.0}) == 0.0
    assert drift.significant({"ncc": 0.5}) is None
