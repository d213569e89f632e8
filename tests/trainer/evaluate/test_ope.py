"""Errors and curves of one sequence: answers that can be worked out by hand, and what holds for any boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trainer.evaluate.ope import THRESHOLDS, curves, from_first_valid, measure, mend, read_out
from trainer.sequences.rows import Boxes

TRUTH = np.tile([10.0, 20.0, 40.0, 30.0], (10, 1))
coordinates = st.one_of(st.floats(-1e4, 1e4), st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1e300, -1e300]))
any_boxes = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, (n, 4), elements=coordinates), arrays(np.float64, (n, 4), elements=st.floats(1, 500))
    )
)


def scores(boxes: Boxes, truth: Boxes) -> dict[str, float]:
    found = curves(measure(mend(boxes, truth)[0], truth))
    return {metric: float(read_out(metric, curve)) for metric, curve in found.items()}


def test_truth_against_itself_scores_20_of_21_because_overlap_1_is_not_above_1() -> None:
    found = scores(TRUTH, TRUTH)
    assert found == {"success": pytest.approx(20 / 21, abs=1e-12), "precision": 1, "normalized_precision": 1}


def test_a_frame_of_invalid_truth_passes_every_error_and_no_overlap() -> None:
    truth = TRUTH.copy()
    truth[4, 0] = 0
    found = scores(truth, truth)
    assert found["success"] == pytest.approx(0.9 * 20 / 21)
    assert found["precision"] == found["normalized_precision"] == 1


@pytest.mark.parametrize(("shift", "share"), [(19.999, 1.0), (20.0, 1.0), (20.001, 0.1)])
def test_precision_counts_an_error_of_exactly_20_pixels(shift: float, share: float) -> None:
    assert scores(TRUTH + np.array([shift, 0, 0, 0]), TRUTH)["precision"] == pytest.approx(share)


def test_success_counts_only_what_is_above_the_threshold() -> None:
    half = curves(measure(mend(TRUTH * [1, 1, 0.5, 1], TRUTH)[0], TRUTH))["success"]
    assert half[9] == 1
    assert half[10] == pytest.approx(0.1), "an overlap of exactly .5 is not above .5; frame 1 is the truth"
    apart = curves(measure(mend(TRUTH + np.array([500, 0, 0, 0]), TRUTH)[0], TRUTH))["success"]
    assert apart[0] == pytest.approx(0.1), "no overlap is not above 0"


def test_normalized_error_is_in_widths_across_and_heights_down() -> None:
    wide = measure(TRUTH + np.array([4, 0, 0, 0]), TRUTH).normalized
    tall = measure(TRUTH + np.array([0, 3, 0, 0]), TRUTH).normalized
    assert wide == pytest.approx(0.1)
    assert tall == pytest.approx(0.1)


def test_careless_rows_repeat_the_last_good_one_and_row_1_is_the_truth() -> None:
    boxes = TRUTH + np.arange(10)[:, None]
    boxes[2] = np.nan
    boxes[3, 2] = 0
    boxes[4, 3] = -5
    boxes[6, 0] = np.nan
    boxes[0] = 1
    mended, bad = mend(boxes, TRUTH)
    assert list(np.flatnonzero(bad)) == [2, 3, 4]
    for row in (2, 3, 4):
        assert np.array_equal(mended[row], boxes[1])
    assert np.isnan(mended[6, 0]), "a row with some NaN is kept"
    assert np.array_equal(mended[0], TRUTH[0])
    unknown = TRUTH.copy()
    unknown[2] = np.nan
    assert not mend(boxes, unknown)[1][2], "nothing is mended where the truth is unknown"


def test_a_careless_row_2_repeats_the_tracker_s_own_row_1() -> None:
    boxes = TRUTH.copy()
    boxes[0] = [1, 2, 3, 4]
    boxes[1] = 0
    assert np.array_equal(mend(boxes, TRUTH)[0][1], [1, 2, 3, 4])


def test_evaluation_starts_at_the_first_valid_frame() -> None:
    truth = TRUTH.copy()
    truth[:3, 0] = 0
    for boxes in (TRUTH, TRUTH[3:]):
        cut, rest = from_first_valid(boxes, truth)
        assert cut.shape == rest.shape == (7, 4)
    with pytest.raises(ValueError, match="no frame"):
        from_first_valid(TRUTH, np.zeros((5, 4)))


@settings(max_examples=60, deadline=None)
@given(any_boxes)
def test_any_boxes_give_curves_within_0_and_1_that_run_one_way(pair: tuple[Boxes, Boxes]) -> None:
    boxes, truth = pair
    found = curves(measure(mend(boxes, truth)[0], truth))
    for metric, curve in found.items():
        assert curve.shape == THRESHOLDS[metric].shape
        assert curve.min() >= 0
        assert curve.max() <= 1
        steps = np.diff(curve)
        assert (steps <= 0).all() if metric == "success" else (steps >= 0).all()
    assert found["success"][0] >= 1 / len(truth), "frame 1 is the truth"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-50, 50), st.integers(1, 4))
def test_scores_do_not_depend_on_where_the_scene_lies(seed: int, shift: float, scale: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.uniform(60, 90, (8, 4))
    boxes = truth + rng.normal(0, 8, (8, 4))
    here = measure(boxes, truth)
    there = measure(boxes * scale + [shift, shift, 0, 0], truth * scale + [shift, shift, 0, 0])
    assert there.overlap == pytest.approx(here.overlap, abs=1e-9)
    assert there.centre == pytest.approx(here.centre * scale, abs=1e-9)
