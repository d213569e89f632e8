"""Correlation surfaces that are brought to pixels half as large."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pairing.registration.blocks import TAPS, Surfaces, doubled

place = st.floats(-2, 2)


@given(place, place)
def test_a_smooth_surface_is_doubled_as_if_it_had_been_sampled_twice_as_often(x: float, y: float) -> None:
    def hill(reach: int, step: float) -> np.ndarray:
        axis = np.arange(-reach, reach + 1) * step
        return np.exp(-((axis - x) ** 2 + (axis[:, None] - y) ** 2) / (2 * 1.2**2)).astype(np.float32)

    coarse = Surfaces(np.array([[3.5, 7.5]]), hill(4 + TAPS, 1)[None], np.ones(1))
    fine = doubled(coarse)
    assert fine.reach == 8
    assert np.allclose(fine.values[0], hill(8, 0.5), atol=0.03)
    assert np.allclose(fine.values[0, ::2, ::2], hill(4, 1), atol=1e-6)
    assert np.allclose(fine.centres, [[7.5, 15.5]])
