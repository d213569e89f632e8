"""Intervals over clips and seeds: what they hold, and how often they claim what is not there."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.study.judge import Arm, Scores, contrast
from trainer.study.judge.contrasts import share, slope
from trainer.study.judge.crossed import crossed, resampled

from .planted import planted

LOG = logging.getLogger(__name__)
A1, D3 = Arm("a1"), Arm("d3")


def false_gains(deviation: float, tables: int = 200) -> tuple[float, float]:
    """Of tables of an equal student with three seeds, the share above 0: by the interval, by percentiles alone."""
    above = []
    for seed in range(tables):
        found = contrast(planted({"d3": 0.0}, seed, seed_deviation=deviation), D3, A1)
        assert found is not None and found.low is not None and found.percentiles is not None
        above.append((found.low > 0, found.percentiles[0] > 0))
    wide, plain = np.mean(above, axis=0)
    return float(wide), float(plain)


@pytest.mark.parametrize("deviation", [0.0, 1.0, 2.0])
def test_of_200_tables_of_an_equal_student_at_most_one_in_20_is_above_zero(deviation: float) -> None:
    wide, plain = false_gains(deviation)
    LOG.info("seed deviation %g of the error: %.1f %% above 0, percentiles %.1f %%", deviation, 100 * wide, 100 * plain)
    assert wide <= 0.05
    assert wide <= plain


def test_the_interval_holds_what_was_planted_in_most_tables() -> None:
    held = []
    for seed in range(200):
        found = contrast(planted({"d3": 0.03}, seed, seed_deviation=2.0), D3, A1)
        assert found is not None and found.low is not None and found.high is not None
        held.append(found.low <= 0.03 <= found.high)
    LOG.info("held in %.1f %% of tables", 100 * np.mean(held))
    assert np.mean(held) >= 0.92


def test_the_same_clips_and_seeds_are_drawn_for_both() -> None:
    """What is hard for both cancels: a constant gain has no doubt, whatever sequences and seeds do."""
    rng = np.random.default_rng(0)
    base = {k: rng.uniform(0, 1, 30) + 0.2 * k for k in range(3)}
    scores = Scores(
        tuple(map(str, range(30))), np.arange(30), {D3: {k: v + 0.02 for k, v in base.items()}, Arm("b3"): base}
    )
    found = contrast(scores, D3, Arm("b3"))
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.02, 0.02, 0.02))


def test_seeds_widen_the_interval_and_one_seed_has_that_of_clips_alone() -> None:
    widths = []
    for deviation in (0.0, 4.0):
        found = contrast(planted({"d3": 0.0}, 1, seed_deviation=deviation), D3, A1)
        assert found is not None and found.low is not None and found.high is not None
        widths.append(found.high - found.low)
    assert widths[1] > 2 * widths[0]
    one = contrast(planted({"d3": 0.0}, 1, seeds=1, seed_deviation=4.0), D3, A1)
    assert one is not None and one.seeds == 1 and one.low is not None and one.high is not None
    assert one.high - one.low < 1.3 * widths[0]


def test_clips_are_drawn_and_not_their_sequences() -> None:
    rng = np.random.default_rng(0)
    of_clips = np.repeat(rng.normal(0, 1, 10), 20)[:, None]
    whole = crossed(of_clips, np.repeat(np.arange(10), 20))
    apart = crossed(of_clips, np.arange(200))
    assert whole.low is not None and whole.high is not None and apart.low is not None and apart.high is not None
    assert whole.high - whole.low > 3 * (apart.high - apart.low)


def test_every_sequence_weighs_the_same_whatever_its_clip_holds() -> None:
    values = np.array([[0.0], [0.0], [0.0], [1.0]])
    assert crossed(values, np.array([0, 0, 0, 1])).value == 0.25
    means = np.unique(np.round(resampled(values, np.array([0, 0, 0, 1])), 9))
    assert means.tolist() == [0, 0.25, 1]


def test_one_clip_has_no_interval() -> None:
    found = crossed(np.array([[0.1, 0.2], [0.3, 0.2]]), np.zeros(2, int))
    assert (found.value, found.low, found.high) == (0.2, None, None)


def test_models_are_compared_on_the_seeds_and_sequences_that_both_have() -> None:
    scores = planted({"d3": 0.05, "shuffled": 0.0}, 0)
    cut = dict(scores.values)
    cut[Arm("d3", "shuffled")] = {0: scores.values[Arm("d3", "shuffled")][0].copy()}
    cut[Arm("d3", "shuffled")][0][:10] = np.nan
    found = contrast(Scores(scores.sequences, scores.clips, cut), D3, Arm("d3", "shuffled"))
    assert found is not None
    assert (found.seeds, found.sequences) == (1, 90)
    assert contrast(scores, D3, Arm("d3", "gray")) is None


@settings(max_examples=20, deadline=None)
@given(shape=st.tuples(st.integers(2, 12), st.integers(1, 4)), seed=st.integers(0, 99), shift=st.floats(-1, 1))
def test_an_interval_holds_its_value_and_moves_with_it(shape: tuple[int, int], seed: int, shift: float) -> None:
    values = np.random.default_rng(seed).normal(0, 0.1, shape)
    found, moved = (crossed(table, np.arange(shape[0])) for table in (values, values + shift))
    assert found.low is not None and found.high is not None and moved.low is not None and moved.high is not None
    assert found.low <= found.value <= found.high
    assert (moved.low, moved.high) == pytest.approx((found.low + shift, found.high + shift), abs=1e-9)
    turned = crossed(-values, np.arange(shape[0]))
    assert turned.percentiles is not None and found.percentiles is not None
    assert turned.percentiles == pytest.approx((-found.percentiles[1], -found.percentiles[0]), abs=1e-9)


def test_the_share_of_the_headroom_is_what_was_planted() -> None:
    scores = planted({"d3": 0.05, "oracle": 0.2}, 0)
    found = share(scores, D3, A1, Arm("d3", "oracle"))
    assert found is not None and found["low"] is not None and found["high"] is not None
    assert found["low"] < 0.25 < found["high"]
    assert found["value"] == pytest.approx(0.25, abs=0.04)
    assert share(planted({"d3": 0.05, "oracle": -0.2}, 0), D3, A1, Arm("d3", "oracle")) is None
    unsure = share(planted({"d3": 0.05, "oracle": 0.004}, 1), D3, A1, Arm("d3", "oracle"))
    assert unsure is None or unsure["low"] is None


def test_the_slope_is_what_was_planted() -> None:
    base = np.random.default_rng(0).uniform(0, 1, 20)
    at = {Arm("bc"): 0.0} | {Arm("bc", f"misalign-{shift}"): float(shift) for shift in (5, 10, 20)}
    values = {model: dict.fromkeys(range(3), base - 0.004 * shift) for model, shift in at.items()}
    found = slope(Scores(tuple(map(str, range(20))), np.arange(20), values), at, "slope")
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((-0.004, -0.004, -0.004))
