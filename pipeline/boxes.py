"""The one box convention: x, y, w, h in pixels, float, top-left origin, pixel edges.

The box of a whole W x H image is (0, 0, W, H). Points inside OpenCV matrices use pixel *centres* instead (the first
pixel is at 0, its left edge at -0.5); :func:`project` and :func:`footprint` do that half-pixel shift and
nothing else should.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Boxes = NDArray[np.float64]


def as_boxes(boxes: ArrayLike) -> Boxes:
    """Return boxes as a float64 array of shape (..., 4).

    Raises:
        ValueError: the last axis is not 4 long, or a value is not finite.
    """
    array = np.asarray(boxes, dtype=np.float64)
    if array.size == 0:
        array = array.reshape(0, 4)
    if array.shape[-1] != 4:
        raise ValueError(f"boxes must have shape (..., 4) as x, y, w, h, but got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("boxes must be finite, but got NaN or infinity")
    return array


def clip(boxes: ArrayLike, width: float, height: float) -> Boxes:
    """Cut boxes (..., 4) at the edges of a width x height image; what lies outside gets size 0."""
    box = as_boxes(boxes)
    low = np.clip(box[..., :2], 0, (width, height))
    high = np.clip(box[..., :2] + box[..., 2:], 0, (width, height))
    return np.concatenate([low, np.maximum(high - low, 0)], axis=-1)


def iou(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Intersection over union of two broadcastable sets of boxes (..., 4), 0 where both are empty."""
    first, second = as_boxes(a), as_boxes(b)
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:])
    inter = np.prod(np.maximum(high - low, 0), axis=-1)
    union = np.prod(first[..., 2:], axis=-1) + np.prod(second[..., 2:], axis=-1) - inter
    return np.asarray(np.divide(inter, union, out=np.zeros_like(inter), where=union > 0), dtype=np.float64)


def corners(box: ArrayLike) -> NDArray[np.float64]:
    """The four corners (4, 2) of one box, clockwise from the top left, in pixel-edge coordinates."""
    x, y, w, h = as_boxes(box)
    return np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])


def project(matrix: ArrayLike, points: ArrayLike) -> NDArray[np.float64]:
    """Map pixel-edge points (n, 2) by a 3x3 matrix that acts on pixel-centre coordinates."""
    acting = np.asarray(matrix, dtype=np.float64)
    mapped = (np.asarray(points, dtype=np.float64) - 0.5) @ acting[:, :2].T + acting[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:] + 0.5, dtype=np.float64)


def footprint(matrix: ArrayLike, width: float, height: float) -> NDArray[np.float64]:
    """Corners (4, 2), in RGB pixels, of a width x height TIR picture under its TIR -> RGB matrix."""
    return project(matrix, corners((0, 0, width, height)))


def _cut(polygon: NDArray[np.float64], start: NDArray[np.float64], edge: NDArray[np.float64]) -> NDArray[np.float64]:
    """One Sutherland-Hodgman step: the part of a convex polygon on the inner side of a directed edge."""
    if not len(polygon):
        return polygon
    side = edge[0] * (polygon[:, 1] - start[1]) - edge[1] * (polygon[:, 0] - start[0])
    kept: list[NDArray[np.float64]] = []
    for i in range(len(polygon)):
        j = (i + 1) % len(polygon)
        if side[i] >= 0:
            kept.append(polygon[i])
        if (side[i] >= 0) != (side[j] >= 0):
            kept.append(polygon[i] + (polygon[j] - polygon[i]) * side[i] / (side[i] - side[j]))
    return np.array(kept).reshape(-1, 2)


def area(polygon: NDArray[np.float64]) -> float:
    """Signed area of a polygon (n, 2); positive when clockwise on screen (y points down)."""
    if len(polygon) < 3:
        return 0.0
    x, y = (polygon - polygon[0]).T
    return float(0.5 * (x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def common_area(size: tuple[int, int], *quads: NDArray[np.float64]) -> NDArray[np.float64]:
    """The axis-aligned box x, y, w, h inside both the picture of ``size`` (width, height) and every TIR footprint.

    Args:
        size: of the visible picture, pixels.
        quads: (4, 2) corners of each footprint, clockwise from the top left; for the mild warps of a camera rig the
            inner rectangle between its corners is all but the largest one.

    Returns:
        (4,); width and height are 0 where they do not overlap.
    """
    # Plain numbers: of one quad, which is asked for with every pair, they take a tenth of the time.
    left, top, right, bottom = 0.0, 0.0, float(size[0]), float(size[1])
    for quad in quads:
        top_left, top_right, bottom_right, bottom_left = np.asarray(quad, np.float64).tolist()
        left, right = max(left, top_left[0], bottom_left[0]), min(right, top_right[0], bottom_right[0])
        top, bottom = max(top, top_left[1], top_right[1]), min(bottom, bottom_left[1], bottom_right[1])
    return np.array([left, top, max(0.0, right - left), max(0.0, bottom - top)])


def coverage(box: ArrayLike, quad: ArrayLike) -> float:
    """Share of a box's area (0 to 1) that lies inside a convex quadrilateral (4, 2); 0 for an empty box."""
    polygon = corners(box)
    whole = area(polygon)
    hull = np.asarray(quad, dtype=np.float64)
    if whole <= 0 or area(hull) == 0:
        return 0.0
    if area(hull) < 0:
        hull = hull[::-1]
    for start, end in zip(hull, np.roll(hull, -1, axis=0)):
        polygon = _cut(polygon, start, end - start)
    return min(1.0, area(polygon) / whole)
