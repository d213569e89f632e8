"""Matrices as every stage reads them: TIR pixel -> RGB pixel, pixel centres, applied right to left."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline import boxes, images
from pipeline.pairing.registration.evidence import apply

Array = NDArray[np.float64]
SIZE = (160, 128)
CORNERS = np.array([[0, 0], [159, 0], [159, 127], [0, 127]], np.float32)

moves = st.lists(st.floats(-12, 12), min_size=8, max_size=8)
matrices = moves.map(lambda m: quad(np.reshape(m, (4, 2))))
points = st.tuples(st.floats(40, 120), st.floats(40, 90)).map(lambda p: np.array([p]))


def quad(shift: Array) -> Array:
    """The matrix that moves the corner pixels by (4, 2)."""
    return np.asarray(cv2.getPerspectiveTransform(CORNERS, (CORNERS + shift).astype(np.float32)), np.float64)


@given(matrices, matrices, points)
def test_a_product_applies_its_right_factor_first(first: Array, second: Array, at: Array) -> None:
    assert np.allclose(apply(second @ first, at), apply(second, apply(first, at)), atol=1e-8)


@given(matrices, points)
def test_the_inverse_goes_from_rgb_back_to_tir(matrix: Array, at: Array) -> None:
    assert np.allclose(apply(np.linalg.inv(matrix).astype(np.float64), apply(matrix, at)), at, atol=1e-8)


@settings(max_examples=30)
@given(matrices, points)
def test_a_spot_of_the_thermal_picture_lands_where_the_matrix_says(matrix: Array, at: Array) -> None:
    columns, rows = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    distance = (columns - at[0, 0]) ** 2 + (rows - at[0, 1]) ** 2
    tir = np.asarray(250 * np.exp(-distance / (2 * 2.5**2)), np.uint8)
    warped = np.maximum(images.warp_to_rgb(tir, matrix, SIZE).astype(float) - 10, 0)
    found = np.array([(warped * columns).sum(), (warped * rows).sum()]) / warped.sum()
    assert np.hypot(*(found - apply(matrix, at)[0])) < 0.25


@given(matrices)
def test_the_footprint_is_the_outline_of_the_thermal_picture_in_pixel_edges(matrix: Array) -> None:
    outline = np.array([[-0.5, -0.5], [159.5, -0.5], [159.5, 127.5], [-0.5, 127.5]])
    assert np.allclose(boxes.footprint(matrix, *SIZE), apply(matrix, outline) + 0.5, atol=1e-6)
