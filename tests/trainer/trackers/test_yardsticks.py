"""The trackers that learn nothing: where they say the target is, and when they know that they do not know."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.images import Rgb
from trainer.trackers.engine import Follower, Outcome
from trainer.trackers.yardsticks import StartBox, Template

LOOK = np.random.default_rng(3).integers(60, 250, (8, 8)).astype(np.uint8)
"""A target of 8 x 8 pixels: the search window has 40, 16 beside it on every side."""
BOX = (50.0, 40.0, 8.0, 8.0)


def frame(*places: tuple[int, int], look: NDArray[np.uint8] = LOOK) -> Rgb:
    """A plain frame of 120 x 100 with the target's left upper corner at each of some x, y."""
    grey = np.full((100, 120), 40, np.uint8)
    for x, y in places:
        inside = look[max(-y, 0) : 100 - y, max(-x, 0) : 120 - x]
        grey[max(y, 0) : y + len(look), max(x, 0) : x + look.shape[1]] = inside
    return np.repeat(grey[..., None], 3, axis=2)


def started(box: tuple[float, ...] = BOX, image: Rgb | None = None) -> Template:
    template = Template()
    template.start(frame((50, 40)) if image is None else image, box)
    return template


def stays(outcome: Outcome, box: tuple[float, ...] = BOX) -> bool:
    return outcome.flag == "not_found" and outcome.box.tolist() == list(box)


def test_the_start_box_is_kept_whatever_is_shown() -> None:
    kept = StartBox()
    kept.start(frame((50, 40)), BOX)
    for image in (frame((53, 40)), frame()):
        box, score, flag = kept.update(image)
        assert box.tolist() == list(BOX)
        assert math.isnan(score)
        assert flag == "normal"
        box += 1


def test_the_template_is_followed_by_whole_pixels_and_keeps_size_and_fraction() -> None:
    template = started((50.3, 39.8, 8.4, 7.6))
    for x, y in ((53, 41), (69, 25), (85, 9)):
        box, score, flag = template.update(frame((x, y)))
        np.testing.assert_allclose(box, (x + 0.3, y - 0.2, 8.4, 7.6))
        assert score == pytest.approx(1, abs=1e-4)
        assert flag == "normal"


def test_the_window_ends_sixteen_pixels_from_the_target() -> None:
    assert started().update(frame((66, 24))).box.tolist() == [66, 24, 8, 8]
    outcome = started().update(frame((75, 40)))
    assert stays(outcome)
    part = started().update(frame((68, 40)))
    assert part.score < 0.9, "two columns of it are out of the window"


def test_the_first_look_is_never_replaced() -> None:
    template = started()
    other = np.clip(LOOK.astype(int) + np.random.default_rng(4).integers(-60, 60, LOOK.shape), 0, 255).astype(np.uint8)
    for x in range(50, 56):
        assert template.update(frame((x, 40), look=other)).box[0] == x
    both = frame((56, 40), look=other)
    both[52:60, 60:68] = LOOK[..., None]
    assert template.update(both).box.tolist() == [60, 52, 8, 8]


def test_of_places_that_answer_alike_the_nearest_is_taken() -> None:
    assert started().update(frame((38, 40), (56, 40))).box.tolist() == [56, 40, 8, 8]
    assert started().update(frame((44, 30), (50, 52))).box.tolist() == [44, 30, 8, 8]
    template = started()
    template.update(frame((62, 40)))
    assert template.update(frame((53, 40), (68, 40))).box.tolist() == [68, 40, 8, 8], "the last place counts"


def test_nothing_to_see_leaves_the_box_where_it_was() -> None:
    template = started()
    assert template.update(frame((52, 41))).flag == "normal"
    assert stays(template.update(frame()), (52, 41, 8, 8))
    assert template.update(frame((60, 41))).box.tolist() == [60, 41, 8, 8]


def test_the_least_bad_answer_is_none() -> None:
    """Of the two places in a picture of 9 columns the second one is less unlike the template, a ramp."""
    ramp, against = np.arange(8) * 20, [140, 120, 100, 80, 60, 40, 20, 0, 90]
    first, second = (np.tile(np.array(row, np.uint8), (8, 1)) for row in ([*ramp, 0], against))
    template = started((0, 0, 8, 8), np.repeat(first[..., None], 3, axis=2))
    outcome = template.update(np.repeat(second[..., None], 3, axis=2))
    assert -0.9 < outcome.score < -0.1
    assert stays(outcome, (0, 0, 8, 8))


def test_a_template_without_structure_stays() -> None:
    flat = started((10, 10, 8, 8))
    assert stays(flat.update(frame((50, 40))), (10, 10, 8, 8))
    assert stays(flat.update(frame((12, 12))), (10, 10, 8, 8))


def test_noise_in_a_flat_window_is_no_answer() -> None:
    """OpenCV divides by what rounding leaves of the variance of bright, even patches unless it takes care."""
    for level in (1, 40, 255):
        template = started()
        assert stays(template.update(np.full((100, 120, 3), level, np.uint8)))


@pytest.mark.parametrize(("corner", "step"), [((-3, 40), (5, -4)), ((115, 95), (-5, -4))])
def test_a_box_that_reaches_beyond_the_picture_is_followed_by_what_is_inside(
    corner: tuple[int, int], step: tuple[int, int]
) -> None:
    (x, y), (right, down) = corner, step
    template = started((x, y, 8, 8), frame((x, y)))
    assert template.update(frame((x + right, y + down))).box.tolist() == [x + right, y + down, 8, 8]


def test_a_long_target_is_sought_across_where_the_window_is_no_longer_than_it() -> None:
    look = np.random.default_rng(5).integers(60, 250, (2, 64)).astype(np.uint8)
    template = started((20, 40, 64, 2), frame((20, 40), look=look))
    assert template.update(frame((20, 55), look=look)).box.tolist() == [20, 55, 64, 2]


@pytest.mark.parametrize("follower", [StartBox(), Template()])
def test_a_box_without_area_is_refused(follower: Follower) -> None:
    with pytest.raises(ValueError, match="first box has size"):
        follower.start(frame(), (10, 10, 0, 8))


def test_a_box_outside_of_its_frame_is_refused() -> None:
    with pytest.raises(ValueError, match=r"first box 120,10,8,8 is outside of its frame of \(120, 100\)"):
        started((120, 10, 8, 8))
