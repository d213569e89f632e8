"""NanoTrack's windows: where a target lies in them, at which scale, and what is beyond the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.views.point_windows import point_window, template_side
from trainer.recipes.point_geometry import NANOTRACK_V2

BOX = np.array([60.0, 40.0, 30.0, 30.0])


def test_a_square_target_fills_half_of_a_template_s_side_and_lies_in_the_middle() -> None:
    """sqrt((w + (w+h)/2) (h + (w+h)/2)) is twice the side of a square box, and 127 pixels of the template."""
    assert template_side(BOX[2:], 0.5) == 60
    for branch, size in enumerate((127, 255)):
        window = point_window(NANOTRACK_V2, branch, BOX, np.random.default_rng(0), jittered=False)
        seen = window.to_window(BOX)
        np.testing.assert_allclose(seen, [size / 2 - 31.75, size / 2 - 31.75, 63.5, 63.5])
        assert window.coarseness == pytest.approx(60 / 127)


def test_a_window_shows_the_pixels_that_its_box_says() -> None:
    """A target of 2 x 2 bright pixels, seen 30 times as large: the bright part of the window is its box."""
    picture = np.zeros((100, 120), np.uint8)
    picture[41:43, 50:52] = 200
    box = np.array([50.0, 41.0, 2.0, 2.0])
    rng = np.random.default_rng(3)
    for branch in (0, 1):
        window = point_window(NANOTRACK_V2, branch, box, rng, jittered=True)
        bright = window.cut(picture) > 100
        x, y = np.flatnonzero(bright.any(axis=0)), np.flatnonzero(bright.any(axis=1))
        left, top, width, height = window.to_window(box)
        found = [x[0], y[0], x[-1] + 1 - x[0], y[-1] + 1 - y[0]]
        np.testing.assert_allclose(found, [left, top, width, height], atol=1.5)


@given(st.integers(0, 2**32 - 1), st.integers(0, 1))
def test_jitter_stays_within_its_bounds(seed: int, branch: int) -> None:
    window = point_window(NANOTRACK_V2, branch, BOX, np.random.default_rng(seed), jittered=True)
    scale = 60 / 127
    stretch = window.step / scale - 1
    shift = (window.first + window.step * (window.size - 1) / 2 - (BOX[:2] + 14.5)) / scale
    assert (np.abs(stretch) <= NANOTRACK_V2.stretch[branch] + 1e-9).all()
    assert (np.abs(shift) <= NANOTRACK_V2.shift[branch] + 1e-9).all()


def test_jitter_is_uniform_and_each_side_has_its_own() -> None:
    rng = np.random.default_rng(1)
    windows = [point_window(NANOTRACK_V2, 1, BOX, rng, jittered=True) for _ in range(4000)]
    stretch = np.array([window.step for window in windows]) / (60 / 127) - 1
    assert np.abs(stretch).max() > 0.179
    np.testing.assert_allclose(stretch.std(0), 0.18 / 3**0.5, rtol=0.05)
    assert abs(np.corrcoef(stretch.T)[0, 1]) < 0.05


def test_beyond_the_picture_is_its_mean_and_nothing_masked() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:20] = (200, 100, 50)
    window = point_window(NANOTRACK_V2, 1, np.array([0.0, 0.0, 10.0, 10.0]), np.random.default_rng(0), jittered=False)
    seen = window.cut(picture)
    assert seen[0, 0].tolist() == [100, 50, 25]
    mask = window.cut_mask(np.full((40, 40), 255, np.uint8))
    assert (mask[0, 0], mask[140, 140]) == (0, 255)
    assert window.cut(np.full((40, 40), 90, np.uint8))[0, 0] == 90


def test_without_jitter_the_random_numbers_after_it_are_the_same() -> None:
    states = []
    for jittered in (False, True):
        rng = np.random.default_rng(5)
        point_window(replace(NANOTRACK_V2), 1, BOX, rng, jittered)
        states.append(rng.random())
    assert states[0] == states[1]
