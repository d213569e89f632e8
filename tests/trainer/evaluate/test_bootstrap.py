"""The paired bootstrap: coverage of known truths, pairing, and what it must refuse to say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.evaluate.bootstrap import differences


def test_equal_trackers_differ_by_exactly_0_and_nothing_is_decided() -> None:
    scores = np.random.default_rng(0).random(37)
    (found,) = differences("success", {"a": scores, "b": scores.copy()}, seed=0)
    assert (found.value, found.low, found.high, found.decided) == (0, 0, 0, False)


def test_what_is_hard_for_both_cancels_because_sequences_are_paired() -> None:
    rng = np.random.default_rng(1)
    hard = rng.random(40)
    (found,) = differences("success", {"a": hard + 0.02, "b": hard + rng.normal(0, 0.01, 40)}, seed=0)
    assert found.low is not None
    assert found.high is not None
    assert 0.01 < found.low < found.value < found.high < 0.03
    assert found.decided


def test_the_interval_is_that_of_the_normal_distribution_for_many_sequences() -> None:
    gain = np.random.default_rng(2).normal(0.01, 0.1, 400)
    (found,) = differences("success", {"a": gain, "b": np.zeros(400)}, seed=3)
    half = 1.96 * gain.std() / 20
    assert found.low == pytest.approx(gain.mean() - half, abs=0.0006)
    assert found.high == pytest.approx(gain.mean() + half, abs=0.0006)


def test_every_pair_once_seeded_and_flipped() -> None:
    rng = np.random.default_rng(4)
    scores = {name: rng.random(12) for name in "abcd"}
    found = differences("precision", scores, seed=5)
    assert [(pair.first, pair.second) for pair in found] == [
        (a, b) for i, a in enumerate("abcd") for b in "abcd"[i + 1 :]
    ]
    assert found == differences("precision", scores, seed=5)
    assert found != differences("precision", scores, seed=6)
    other = found[0].flipped()
    assert (other.first, other.second, other.value) == ("b", "a", -found[0].value)
    assert other.low == -(found[0].high or 0)
    assert other.flipped() == found[0]


def test_one_sequence_has_no_interval_and_none_no_difference() -> None:
    (found,) = differences("success", {"a": np.array([0.9]), "b": np.array([0.1])}, seed=0)
    assert (found.value, found.low, found.high, found.decided) == (0.8, None, None, False)
    assert found.flipped().low is None
    assert differences("success", {"a": np.array([np.nan]), "b": np.array([0.1])}, seed=0) == []


def test_a_sequence_without_a_score_is_left_out_for_all() -> None:
    scores = {"a": np.array([0.5, 0.7, np.nan]), "b": np.array([0.4, 0.4, 0.9])}
    (found,) = differences("success", scores, seed=0)
    assert found.sequences == 2
    assert found.value == pytest.approx(0.2)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=30))
def test_the_interval_lies_within_the_differences_of_single_sequences(pairs: list[tuple[float, float]]) -> None:
    a, b = np.array(pairs).T
    (found,) = differences("success", {"a": a, "b": b}, seed=0)
    assert found.low is not None
    assert found.high is not None
    assert (a - b).min() - 1e-9 <= found.low <= found.high <= (a - b).max() + 1e-9
