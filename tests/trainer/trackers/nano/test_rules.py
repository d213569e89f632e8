"""Both sets of rules as functions of small numbers, reckoned by hand from the two sources."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from trainer.trackers.nano.opencv_rules import OpenCvRules
from trainer.trackers.nano.pytorch_rules import PyTorchRules
from trainer.trackers.nano.rules import Answer, Bounds, Rules, Square, State, hull
from trainer.trackers.parameters.nano import NanoParams

PYTORCH, OPENCV = PyTorchRules(NanoParams()), OpenCvRules(NanoParams())


def step(rules: Rules, where: State, scale: float, seen: Answer) -> tuple[State, float]:
    """In frames of 640 x 512, where no box has less than 10 pixels a side."""
    room = Bounds(np.array([640, 512], rules.number), np.array([10, 10], rules.number))
    return rules.step(where, rules.number(scale), seen, room)


def state(rules: Rules, centre: ArrayLike, size: ArrayLike) -> State:
    return State(np.array(centre, rules.number), np.array(size, rules.number))


def answer(row: int, column: int, distances: ArrayLike, certain: float = 20.0) -> Answer:
    """The target is in one cell alone, with these distances; all other cells have a square of 64 pixels."""
    logits, boxes = np.zeros((2, 16, 16), np.float32), np.full((4, 16, 16), 32, np.float32)
    logits[1] = -certain
    logits[1, row, column] = certain
    boxes[:, row, column] = distances
    return Answer(logits, boxes)


def test_the_hull_is_the_side_of_a_square() -> None:
    assert hull(10, 10) == 20
    assert hull(30.0, 20.0) == pytest.approx(math.sqrt(55 * 45))


def test_a_first_box_begins_half_a_pixel_apart_from_where_boxes_are_given() -> None:
    first = PYTORCH.start((10, 20, 5.5, 4))
    np.testing.assert_array_equal(np.concatenate(first), [12.25, 21.5, 5.5, 4])
    np.testing.assert_array_equal(PYTORCH.box(first), [9.5, 19.5, 5.5, 4])


def test_opencv_starts_with_whole_numbers_and_gives_whole_numbers() -> None:
    first = OPENCV.start((10.4, 19.6, 5.6, 0.3))
    np.testing.assert_array_equal(np.concatenate(first), [13, 20.5, 6, 1])
    box = OPENCV.box(state(OPENCV, (2, 1.2), (6.9, 3.2)))
    np.testing.assert_array_equal(box, [-1, 0, 6, 3])
    assert not np.signbit(box[1])  # written into a file, a cut -0.4 would be -0


@pytest.mark.parametrize(
    ("rules", "template", "search"),
    [(PYTORCH, Square(75, 55, 50), Square(50, 30, 100)), (OPENCV, Square(75, 55, 49), Square(50, 30, 99))],
)
def test_windows_about_a_target(rules: Rules, template: Square, search: Square) -> None:
    """The square has a side of sqrt(55 * 45) = 49.75 pixels, and 255/127 of it are 99.89, but twice it 99.50."""
    where = state(rules, (100.6, 80.4), (30, 20))
    assert rules.template_square(where) == template
    found, scale = rules.search_square(where)
    assert found == search
    assert scale == pytest.approx(127 / math.sqrt(55 * 45))


def test_opencv_cuts_width_plus_height_in_later_frames_alone() -> None:
    """A side of 19 is sqrt(19 * 19) = 9.5 + 0.5 * 19; with 9.5 + 0.5 * 18.99 cut to 18 it is 18.5."""
    where = state(OPENCV, (100, 100), (9.5, 9.49))
    assert OPENCV.template_square(where).side == int(math.sqrt(18.995 * 18.985))
    assert OPENCV.search_square(where)[1] == pytest.approx(127 / math.sqrt(18.5 * 18.49))
    assert PYTORCH.search_square(where)[1] == pytest.approx(127 / math.sqrt(18.995 * 18.985))


def test_whose_mean_fills_what_lies_outside() -> None:
    dark, bright = (np.full((4, 4, 3), (level, 7, 9), np.uint8) for level in (10, 40))
    dark[0, :, 0] = 13
    assert PYTORCH.fill(dark)(bright) == [10, 7, 9]
    assert OPENCV.fill(dark)(dark)[:3] == (10.75, 7, 9)
    assert OPENCV.fill(dark)(bright)[:3] == (40, 7, 9)


def test_the_windows_are_a_hanning_window_and_its_root() -> None:
    first, root = PYTORCH.cosine_window(16), OPENCV.cosine_window(16)
    assert first[0].max() == root[:, 15].max() == 0
    middle = 0.5 - 0.5 * math.cos(2 * math.pi * 7 / 15)
    assert first[7, 8] == pytest.approx(middle**2)
    assert root[7, 8] == pytest.approx(middle)


def test_a_prediction_of_the_same_size_and_aspect_is_taken_at_the_full_rate() -> None:
    """Half a crop pixel a frame pixel; cell (9, 8) is 16 crop pixels below the centre."""
    scale = 0.5
    where = state(PYTORCH, (100, 80), (40, 20))
    moved, score = step(PYTORCH, where, scale, answer(9, 8, (8, 5, 12, 5)))
    np.testing.assert_allclose(moved.centre, (100 + 2 / scale, 80 + 16 / scale))
    np.testing.assert_allclose(moved.size, (40, 20))
    assert score == pytest.approx(1)


def test_change_of_size_and_aspect_slows_the_size() -> None:
    """Twice as wide and as high: s_c = 2; the aspect is the same: penalty exp(-0.15), rate 0.385 of it."""
    where = state(PYTORCH, (100, 80), (40, 20))
    moved, score = step(PYTORCH, where, 0.5, answer(8, 8, (20, 10, 20, 10)))
    rate = 0.385 * math.exp(-0.15)
    np.testing.assert_allclose(moved.size, (80 * rate + 40 * (1 - rate), 40 * rate + 20 * (1 - rate)), rtol=1e-6)
    np.testing.assert_allclose(moved.centre, (100, 80))
    assert score == pytest.approx(1)
    turned, _ = step(PYTORCH, where, 0.5, answer(8, 8, (5, 10, 5, 10)))
    rate = 0.385 * math.exp(-0.15 * 3)
    np.testing.assert_allclose(turned.size, (20 * rate + 40 * (1 - rate), 40 * rate + 20 * (1 - rate)), rtol=1e-6)


def test_opencv_compares_a_boxes_side_with_the_position() -> None:
    """With the target at (20, 10) a box of 20 x 10 crop pixels is unchanged, and anywhere else it is not."""
    seen = answer(8, 8, (10, 5, 10, 5))
    same, _ = step(OPENCV, state(OPENCV, (20, 10), (40, 20)), 0.5, seen)
    np.testing.assert_allclose(same.size, (40, 20), rtol=1e-6)
    for centre, growth in (((40, 20), 2), ((10, 5), 2), ((200, 100), 10)):
        penalty = math.exp(-(growth - 1) * 0.055)
        wide = answer(8, 8, (10, 5, 10, 5))
        where = state(OPENCV, centre, (40, 20))
        _, total = step(OPENCV, where, 0.5, wide)
        middle = 0.5 - 0.5 * math.cos(2 * math.pi * 8 / 15)
        assert total == pytest.approx(penalty * (1 - 0.455) + 0.455 * middle, rel=1e-5)


def test_opencv_reckons_in_float32() -> None:
    moved, _ = step(OPENCV, state(OPENCV, (20, 10), (40, 20)), 0.5, answer(8, 8, (10, 5, 10, 7)))
    assert moved.centre.dtype == moved.size.dtype == np.float32


@pytest.mark.parametrize("kind", [PyTorchRules, OpenCvRules])
def test_boxes_stay_in_the_frame_and_above_ten_pixels(kind: type[Rules]) -> None:
    rules = kind(NanoParams(window_influence=0))
    far, _ = step(rules, state(rules, (630, 505), (40, 40)), 0.5, answer(15, 15, (4, 4, 4, 4)))
    np.testing.assert_array_equal(far.centre, (640, 512))
    small = state(rules, (100, 100), (10, 10))
    for _ in range(50):
        small, _ = step(rules, small, rules.search_square(small)[1], answer(8, 8, (9, 9, 9, 9)))
    np.testing.assert_array_equal(small.size, (10, 10))
    for _ in range(50):
        small, _ = step(rules, small, rules.search_square(small)[1], answer(8, 8, (90, 90, 90, 90)))
    np.testing.assert_array_equal(small.size, (640, 512))


@pytest.mark.parametrize(
    ("params", "first", "least"),
    [
        ({}, (100, 6), (10, 10)),
        ({"min_side": 4}, (100, 6), (4, 4)),
        ({"min_side_of_box": 0.5}, (100, 6), (10, 3)),
        ({"min_side_of_box": 0.5, "min_side": 2}, (100, 6), (2, 2)),
        ({"min_side_of_box": 0.1}, (4, 6), (1, 1)),
    ],
)
def test_the_smallest_side_may_follow_the_first_box(
    params: dict[str, Any], first: tuple[int, int], least: tuple[int, int]
) -> None:
    rules = PyTorchRules(NanoParams(**params))
    bounds = rules.bounds(rules.start((5, 5, *first)), (512, 640))
    np.testing.assert_allclose(bounds.least, least)
    np.testing.assert_array_equal(bounds.frame, (640, 512))


def test_numbers_that_are_given_replace_the_rules_own() -> None:
    params = NanoParams(penalty_k=0, window_influence=0, lr=1, context_amount=0)
    for rules in (PyTorchRules(params), OpenCvRules(params)):
        where = state(rules, (100, 100), (40, 30))
        square, scale = rules.search_square(where)
        assert square.side in (round(math.sqrt(1200) * 255 / 127), int(math.sqrt(1200) * 2))
        moved, score = step(rules, where, scale, answer(0, 0, (64, 40, 64, 40)))
        np.testing.assert_allclose(moved.size, (128 / scale, 80 / scale), rtol=1e-6)
        assert score == pytest.approx(1)


def test_a_far_peak_loses_to_the_window() -> None:
    """A rival in the corner, where the window is 0, is worth 0.51 of its probability; the middle has 0.49 at once."""
    logits, boxes = np.zeros((2, 16, 16), np.float32), np.full((4, 16, 16), 32, np.float32)
    logits[1] = -20
    logits[1, 0, 0], logits[1, 7, 7] = 20, -2
    where = state(PYTORCH, (100, 80), (64, 64))
    near, _ = step(PYTORCH, where, 1.0, Answer(logits, boxes))
    np.testing.assert_allclose(near.centre, (84, 64))
    logits[1, 7, 7] = -20
    boxes[:, 7, 7] = 1
    far, _ = step(PYTORCH, where, 1.0, Answer(logits, boxes))
    np.testing.assert_allclose(far.centre, (0, 0))
