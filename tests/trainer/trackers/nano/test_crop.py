"""Squares of frames, inside and outside of them, and the planes that the network is shown."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.trackers.nano.crop import blob, crop
from trainer.trackers.nano.rules import Square

PICTURE = np.arange(8 * 10 * 3, dtype=np.uint8).reshape(8, 10, 3)


def never(image: object) -> tuple[float, ...]:
    raise AssertionError("nothing lies outside")


def test_a_square_inside_is_cut_as_it_is() -> None:
    np.testing.assert_array_equal(crop(PICTURE, Square(2, 1, 4), 4, never), PICTURE[1:5, 2:6])


@pytest.mark.parametrize("square", [Square(-2, -1, 6), Square(6, 5, 6), Square(-3, 3, 20)])
def test_what_lies_outside_is_filled(square: Square) -> None:
    found = crop(PICTURE, square, square.side, lambda image: (1, 2, 3))
    for row in range(square.side):
        for column in range(square.side):
            y, x = square.top + row, square.left + column
            wanted = PICTURE[y, x] if 0 <= y < 8 and 0 <= x < 10 else (1, 2, 3)
            np.testing.assert_array_equal(found[row, column], wanted)


def test_a_mean_with_a_fraction_is_rounded() -> None:
    found = crop(PICTURE, Square(-1, 0, 4), 4, lambda image: (1.5, 2.5, 2.6, 0))
    np.testing.assert_array_equal(found[0, 0], (2, 2, 3))


def test_a_square_is_resized_between_pixel_centres() -> None:
    ramp = np.repeat(np.arange(0, 160, 20, dtype=np.uint8)[None, :, None], 8, axis=0).repeat(3, axis=2)
    np.testing.assert_array_equal(crop(ramp, Square(0, 0, 8), 4, never)[0, :, 0], (10, 50, 90, 130))


def test_planes_are_in_the_order_that_is_asked_for() -> None:
    for blue_first, order in ((False, (0, 1, 2)), (True, (2, 1, 0))):
        planes = blob(PICTURE[:8, :8], blue_first)
        assert planes.dtype == np.float32
        np.testing.assert_array_equal(planes[0], PICTURE[:8, :8, list(order)].transpose(2, 0, 1))
