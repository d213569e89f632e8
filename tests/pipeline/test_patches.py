"""Cutting a box out at sub-pixel precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.patches import cut

from ..conftest import draw_pair

X, Y = np.meshgrid(np.arange(240.0), np.arange(200.0))
"""Pixel-centre coordinates of a 240 x 200 picture."""


@given(st.integers(0, 60), st.integers(0, 28))
def test_a_box_of_the_patch_s_size_on_the_pixel_grid_is_copied(x: int, y: int) -> None:
    rgb, tir = draw_pair(1)
    assert np.array_equal(cut(rgb, (x, y, 100, 100), 100), rgb[y : y + 100, x : x + 100])
    assert np.array_equal(cut(tir, (x, y, 100, 100), 100), tir[y : y + 100, x : x + 100])


@given(st.floats(5, 70), st.floats(5, 70), st.floats(3, 150), st.floats(3, 110), st.sampled_from([20, 64, 100]))
def test_a_linear_ramp_is_sampled_where_the_box_lies(x: float, y: float, w: float, h: float, side: int) -> None:
    """Cell (i, j) of the patch is the part of the box from j/side to (j+1)/side of its width, likewise down."""
    middle = (np.arange(side) + 0.5) / side
    # A pixel's value is the coordinate of its centre, half a pixel inside its edge; rounding is all that may differ.
    across = np.broadcast_to(x + w * middle - 0.5, (side, side))
    down = np.broadcast_to((y + h * middle - 0.5)[:, None], (side, side))
    for image, expected in ((X, across), (Y, down)):
        patch = cut(image.astype(np.uint8), (x, y, w, h), side)
        assert np.abs(patch - expected).max() <= (0.55 if max(w, h) <= side else 1.05)


def test_there_is_no_shift_of_a_fraction_of_a_pixel() -> None:
    """On average over a ramp up and one down, so that rounding cancels and a shift of a tenth of a pixel would show."""
    for x, w in ((20.0, 100.0), (20.25, 33.0), (11.4, 197.3), (7.3, 61.7)):
        expected = x + w * (np.arange(100) + 0.5) / 100 - 0.5
        up, down = (cut(ramp.astype(np.uint8), (x, 30, w, 50), 100).astype(float) for ramp in (X, 255 - X))
        shift = ((up - expected).mean() - (down - 255 + expected).mean()) / 2
        assert abs(shift) < 0.03, (x, w)


def test_a_large_box_is_averaged_and_does_not_alias() -> None:
    stripes = np.where(X % 2 == 0, 0, 200).astype(np.uint8)
    patch = cut(stripes, (0, 0, 240, 200), 40)
    assert patch.min() >= 80
    assert patch.max() <= 120


def test_outside_the_picture_the_border_is_repeated() -> None:
    image = np.zeros((20, 20), np.uint8)
    image[:, 0] = 77
    assert (cut(image, (-30, 5, 20, 10), 10) == 77).all()


@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 3)])
def test_shape_and_type(shape: tuple[int, ...]) -> None:
    patch = cut(np.zeros(shape, np.uint8), (1.5, 2.5, 7.25, 3.5), 16)
    assert patch.shape == (16, 16, *shape[2:])
    assert patch.dtype == np.uint8
