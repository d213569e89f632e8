"""Means over sequences, intervals, and what is compared in pairs."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.measure.summary import START, STUDENT, by_sequence, figures
from trainer.resampling import FEWEST


def test_windows_are_averaged_within_their_sequence_first() -> None:
    assert by_sequence(np.array([1.0, 2.0, 3.0, 10.0]), np.array([4, 4, 4, 1])) == [10.0, 2.0]


def test_from_ten_sequences_on_there_is_an_interval_and_differences_are_paired() -> None:
    rng = np.random.default_rng(0)
    hard = rng.random(40)
    scores = {
        "the middle": {"TIR alone": {"hit": [0.5] * 40}},
        START: {"TIR alone": {"hit": list(hard)}},
        STUDENT: {"TIR alone": {"hit": list(hard + 0.05 + rng.normal(0, 0.01, 40)), "iou_error": [0.1] * 40}},
    }
    told = figures(scores, 0)["TIR alone"]
    student, gain = told["hit"][STUDENT], told["hit"][f"{STUDENT} - {START}"]
    assert student["low"] < student["value"] < student["high"]
    assert student["high"] - student["low"] == pytest.approx(2 * 1.96 * hard.std() / 40**0.5, rel=0.15)
    assert 0.04 < gain["low"] < gain["value"] < gain["high"] < 0.06
    assert set(told["hit"]) == {STUDENT, START, "the middle", f"{STUDENT} - {START}", f"{STUDENT} - the middle"}
    assert told["iou_error"] == {STUDENT: {"value": 0.1, "low": 0.1, "high": 0.1}}
    assert figures(scores, 0) == figures(scores, 0)


@pytest.mark.parametrize("sequences", [1, FEWEST - 1, FEWEST])
def test_of_fewer_sequences_no_interval_is_told(sequences: int) -> None:
    scores = {STUDENT: {"TIR alone": {"hit": list(np.arange(sequences) / sequences)}}}
    told = figures(scores, 0)["TIR alone"]["hit"][STUDENT]
    assert (told["low"] is None, told["high"] is None) == (sequences < FEWEST,) * 2
