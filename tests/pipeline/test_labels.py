"""The Gaussian label and the box state, against their formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import labels

place = st.floats(-50, 600)
side = st.floats(1, 300)


@given(place, place, side, side)
def test_box_state_is_eq_3_and_can_be_turned_back(x: float, y: float, w: float, h: float) -> None:
    state = labels.box_state([x, y, w, h])
    assert state.dtype == np.float32
    assert state.tolist() == pytest.approx([(x + w / 2) / w, (y + h / 2) / h, np.log(w), np.log(h)], rel=1e-5, abs=1e-5)
    back = np.exp(state[2:])
    assert back.tolist() == pytest.approx([w, h], rel=1e-4)


def test_box_state_of_many_boxes_and_of_impossible_ones() -> None:
    assert labels.box_state(np.ones((2, 3, 4))).shape == (2, 3, 4)
    assert labels.box_state([]).shape == (0, 4)
    with pytest.raises(ValueError, match="positive"):
        labels.box_state([[0, 0, 5, 5], [0, 0, 0, 5]])


@given(st.integers(4, 24), st.integers(1, 5), st.floats(60, 400), st.floats(0.2, 0.8), st.floats(0.2, 0.8))
def test_the_label_is_a_gaussian_about_the_box_centre(
    cells: int, kernel: int, window: float, fx: float, fy: float
) -> None:
    sigma = 0.08
    box = (fx * window - 5, fy * window - 3, 10, 6)
    got = labels.gaussian_label(box, feature_size=cells, kernel_size=kernel, image_size=window, sigma_factor=sigma)
    even = kernel % 2 == 0
    count = cells + even
    assert got.shape == (count, count)
    assert got.dtype == np.float32
    # Score cell k sits at window pixel k * stride for an even kernel, at the middle of feature cell k for an odd one.
    at = (np.arange(count) + (0 if even else 0.5)) * window / cells
    spread = sigma * window
    expected = np.exp(-((at[None, :] - fx * window) ** 2 + (at[:, None] - fy * window) ** 2) / (2 * spread**2))
    assert np.allclose(got, expected, atol=1e-4)


def test_the_stored_label_is_19_cells_of_sigma_0_9_with_its_peak_in_the_middle() -> None:
    stored = labels.centred_label(3)
    assert stored.shape == (3, 19, 19)
    assert stored.dtype == np.float32
    far = np.arange(19) - 9.0
    expected = np.exp(-(far[:, None] ** 2 + far[None, :] ** 2) / (2 * 0.9**2))
    assert np.allclose(stored, expected, atol=1e-6)
    assert stored[2, 9, 9] == 1
    assert labels.centred_label(0).shape == (0, 19, 19)
