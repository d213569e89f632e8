"""The patch sampler, without reference material."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.trackers.patch import location, sample_patch

RAMP = np.dstack(np.meshgrid(np.arange(60.0), np.arange(40.0))).astype(np.float32)
"""(40, 60, 2): every pixel tells its column and row."""


def test_an_odd_window_of_its_own_size_is_a_slice() -> None:
    patch, coord = sample_patch(RAMP, (20, 30), (11, 11), (11, 11))
    np.testing.assert_array_equal(patch, RAMP[15:26, 25:36])
    np.testing.assert_array_equal(coord, [15, 25, 26.5, 36.5])


def test_the_switch_gives_whole_coordinates_and_no_extra_pixel() -> None:
    image = np.random.default_rng(0).random((40, 60, 3)).astype(np.float32)
    new, old = (sample_patch(image, (20, 30), (10, 10), (10, 10), integer_rounding=switch) for switch in (False, True))
    np.testing.assert_array_equal(new.coord, [15.5, 25.5, 26, 36])
    np.testing.assert_array_equal(old.coord, [16, 26, 26, 36])
    np.testing.assert_array_equal(old.image, image[16:26, 26:36])
    assert np.abs(new.image - old.image).max() > 0.1


def test_the_border_is_repeated_outside() -> None:
    patch = sample_patch(RAMP, (0, 0), (21, 21), (21, 21)).image
    assert (patch[:10, :, 1] == 0).all()
    assert (patch[:, :10, 0] == 0).all()
    np.testing.assert_array_equal(patch[10:, 10:], RAMP[:11, :11])


@pytest.mark.parametrize("place", [(-50, -50), (100, 100), (-50, 200)])
def test_a_window_beyond_the_image_is_its_border(place: tuple[int, int]) -> None:
    patch = sample_patch(RAMP, place, (9, 9), (9, 9)).image
    row, column = np.clip(place, 0, (39, 59))
    np.testing.assert_array_equal(patch, np.broadcast_to([column, row], (9, 9, 2)))


def test_inside_keeps_the_window_in_the_image() -> None:
    coord = sample_patch(RAMP, (2, 3), (21, 21), (21, 21), "inside").coord
    assert coord[0] >= 0
    assert coord[1] >= 0
    size = sample_patch(RAMP, (20, 30), (80, 80), (40, 40), "inside").coord
    assert size[2] - size[0] <= 41


def test_inside_major_shrinks_no_more_than_its_bound() -> None:
    free, bound = (sample_patch(RAMP, (20, 30), (120, 120), (40, 40), "inside_major", limit) for limit in (None, 1.5))
    assert free.coord[3] - free.coord[1] == 60.5
    assert bound.coord[3] - bound.coord[1] == 80.5


@given(
    row=st.floats(-20, 60),
    column=st.floats(-20, 80),
    side=st.floats(3, 200),
    mode=st.sampled_from(["replicate", "inside"]),
)
def test_a_patch_shows_what_its_coordinates_say(row: float, column: float, side: float, mode: str) -> None:
    out = np.full(2, 16, np.float32)
    patch, coord = sample_patch(RAMP, (row, column), (side, side), (16, 16), mode)
    centre, scale = location(coord, out)
    assert patch.shape == (16, 16, 2)
    assert np.isfinite(patch).all()
    inside = (coord[:2] > 1).all() and coord[2] < 39 and coord[3] < 59
    if inside:
        shown = patch.mean(axis=(0, 1))[::-1]
        assert np.abs(shown - centre).max() <= 1 + scale
