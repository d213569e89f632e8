"""The box convention: overlap, clipping, coverage against a raster count, the half pixel from edge to centre."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import boxes

side = st.floats(0.5, 60)
place = st.floats(-40, 100)
box = st.tuples(place, place, side, side)


@given(box, box)
def test_iou_is_symmetric_within_0_and_1_and_1_only_for_the_same_box(
    a: tuple[float, ...], b: tuple[float, ...]
) -> None:
    value = float(boxes.iou(a, b))
    assert 0 <= value <= 1 + 1e-9
    assert value == pytest.approx(float(boxes.iou(b, a)))
    assert float(boxes.iou(a, a)) == pytest.approx(1)
    if value > 1 - 1e-9:
        assert np.allclose(a, b)


@given(box, box)
def test_iou_is_the_clipped_area_over_the_union(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    moved = np.array(a) - (b[0], b[1], 0, 0)
    inter = np.prod(boxes.clip(moved, b[2], b[3])[2:])
    assert float(boxes.iou(a, b)) == pytest.approx(inter / (a[2] * a[3] + b[2] * b[3] - inter), abs=1e-9)


def test_iou_of_known_boxes_broadcasts_and_is_0_for_empty_ones() -> None:
    assert boxes.iou([0, 0, 10, 10], [[5, 0, 10, 10], [10, 0, 5, 5], [0, 0, 0, 0]]).tolist() == [1 / 3, 0, 0]
    assert boxes.iou([0, 0, 0, 0], [0, 0, 0, 0]) == 0


@given(box, st.floats(1, 80), st.floats(1, 80))
def test_clip_stays_inside_is_idempotent_and_keeps_what_was_inside(
    b: tuple[float, ...], width: float, height: float
) -> None:
    x, y, w, h = clipped = boxes.clip(b, width, height)
    assert min(x, y, w, h) >= 0
    assert x + w <= width + 1e-9
    assert y + h <= height + 1e-9
    assert np.allclose(boxes.clip(clipped, width, height), clipped)
    if b[0] >= 0 and b[1] >= 0 and b[0] + b[2] <= width and b[1] + b[3] <= height:
        assert np.allclose(clipped, b)


def test_boxes_that_are_none_are_refused() -> None:
    assert boxes.as_boxes([]).shape == (0, 4)
    with pytest.raises(ValueError, match=r"shape \(\.\.\., 4\)"):
        boxes.as_boxes([1, 2, 3])
    with pytest.raises(ValueError, match="finite"):
        boxes.as_boxes([1, 2, 3, np.nan])


@given(
    st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(8, 40), st.integers(8, 40)),
    st.lists(st.tuples(st.floats(-6, 6), st.floats(-6, 6)), min_size=4, max_size=4),
    st.booleans(),
)
def test_coverage_agrees_with_a_raster_count(
    b: tuple[int, ...], shifts: list[tuple[float, float]], reverse: bool
) -> None:
    quad = np.array([[8, 8], [60, 6], [58, 62], [6, 56]]) + np.array(shifts)
    fine = 8
    x, y, w, h = b
    sub = (np.arange(fine) + 0.5) / fine
    px, py = (np.add.outer(np.arange(start, start + n), sub).ravel() for start, n in ((x, w), (y, h)))
    grid = np.stack(np.meshgrid(px, py), axis=-1)
    inside = np.ones(grid.shape[:2], bool)
    for start, end in zip(quad, np.roll(quad, -1, axis=0)):
        edge = end - start
        inside &= edge[0] * (grid[..., 1] - start[1]) - edge[1] * (grid[..., 0] - start[0]) >= 0
    assert boxes.coverage(b, quad[::-1] if reverse else quad) == pytest.approx(inside.mean(), abs=0.02)


def test_coverage_of_nothing_and_by_nothing_is_0() -> None:
    quad = boxes.corners((0, 0, 10, 10))
    assert boxes.coverage((2, 2, 0, 5), quad) == 0
    assert boxes.coverage((2, 2, 5, 5), np.full((4, 2), 3.0)) == 0
    assert boxes.coverage((2, 2, 5, 5), quad) == 1
    assert boxes.coverage((5, 0, 10, 10), quad) == pytest.approx(0.5)
    assert boxes.coverage((20, 20, 5, 5), quad) == 0


def test_a_matrix_acts_on_pixel_centres_and_a_box_on_pixel_edges() -> None:
    """Doubling a picture, as cv2.resize does it, takes pixel centre c to 2c + 0.5: edges go to exactly twice."""
    double = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1.0]])
    assert boxes.footprint(double, 80, 64).tolist() == [[0, 0], [160, 0], [160, 128], [0, 128]]
    assert boxes.footprint(np.eye(3), 7, 5).tolist() == [[0, 0], [7, 0], [7, 5], [0, 5]]


@given(st.lists(st.floats(-0.05, 0.05), min_size=4, max_size=4), st.floats(-20, 20), st.floats(-20, 20))
def test_project_is_opencv_s_perspective_with_the_half_pixel_shifted(turn: list[float], dx: float, dy: float) -> None:
    matrix = np.array([[1 + turn[0], turn[1], dx], [turn[2], 1 + turn[3], dy], [turn[0] / 999, turn[1] / 999, 1]])
    points = np.array([[0.5, 0.5], [160, 0], [33.25, 91.5]])
    expected = cv2.perspectiveTransform((points - 0.5)[:, None], matrix)[:, 0] + 0.5
    assert np.allclose(boxes.project(matrix, points), expected)
    assert np.allclose(boxes.project(np.linalg.inv(matrix), expected), points)
