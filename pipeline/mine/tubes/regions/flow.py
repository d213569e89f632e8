"""Points followed from picture to picture by OpenCV's pyramidal Lucas-Kanade flow, and boxes carried by them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Box = NDArray[np.float64]
"""(4,) x, y, w, h in pixels, pixel edges."""
Grey = NDArray[np.uint8]
"""(h, w)."""
Points = NDArray[np.float32]
"""(n, 2) x, y in pixels, pixel centres, as OpenCV takes them."""

CORNERS = 48
"""At most so many points are followed in a box."""
APART = 1 / 12
"""Shortest distance of two of them, as a share of the box's side."""
QUALITY = 0.02
"""Weakest corner taken, as a share of the strongest one's smaller eigenvalue."""
RING = 8
"""Points on each side of the grid that a ring is cut from."""
_WINDOW, _LEVELS = (15, 15), 4
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.03)
_FLAT = 1e-3
"""Smaller eigenvalue of a window's structure tensor, as OpenCV scales it, under which a point is not followed."""
_SPREAD = 0.02
"""How far a point may be from where a similarity puts it, as a share of the box's side."""


def side_of(box: Box) -> float:
    """sqrt(w h) of a box, pixels."""
    return float(np.sqrt(box[2] * box[3]))


def part_of(grey: Grey, box: Box) -> tuple[Grey, tuple[int, int]]:
    """The whole pixels of a box in a picture, and the x, y of the first."""
    left, top = (int(v) for v in np.maximum(np.round(box[:2]), 0))
    right, bottom = (int(v) for v in np.maximum(np.round(box[:2] + box[2:]), 0))
    return grey[top:bottom, left:right], (left, top)


def corners_in(grey: Grey, box: Box) -> Points:
    """The corners in a box, where the flow is defined: Shi and Tomasi, "Good Features to Track" (CVPR 1994)."""
    part, corner = part_of(grey, box)
    if min(part.shape) < 3:
        return np.zeros((0, 2), np.float32)
    found = cv2.goodFeaturesToTrack(part, CORNERS, QUALITY, max(1.0, APART * side_of(box)))
    places = np.zeros((0, 2)) if found is None else found.reshape(-1, 2) + corner
    return places.astype(np.float32)


def ring_around(box: Box, size: tuple[int, int]) -> Points:
    """A grid over twice a box's width and height, without what is in the box or outside a picture (width, height)."""
    steps = (np.arange(RING) + 0.5) / RING * 2 - 0.5
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    points = box[:2] + grid * box[2:]
    outside = (np.abs(grid - 0.5) > 0.5).any(axis=1)
    seen = ((points >= 0) & (points < size)).all(axis=1)
    return (points[outside & seen] - 0.5).astype(np.float32)


def chain(greys: Sequence[Grey], points: Points) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Follow points from picture to picture.

    Args:
        greys: k pictures.
        points: n in the first.

    Returns:
        (k, n, 2) where they are in each; (k, n) whether they were found in each and in all before it.
    """
    way, found = [points], [np.ones(len(points), np.bool_)]
    for here, there in itertools.pairwise(greys):
        if not len(points):
            way, found = way + way[:1], found + found[:1]
            continue
        start, end = way[-1], np.zeros_like(way[-1])
        moved, status, _ = cv2.calcOpticalFlowPyrLK(
            here, there, start, end, winSize=_WINDOW, maxLevel=_LEVELS, criteria=_STOP, minEigThreshold=_FLAT
        )
        way.append(np.asarray(moved, np.float32))
        found.append(found[-1] & (status.reshape(-1) == 1))
    return np.stack(way), np.stack(found)


def carried(box: Box, way: NDArray[np.float32]) -> list[Box]:
    """A box carried by what most of its points do: a similarity each, of those that agree at the end.

    Args:
        box: in the first picture.
        way: (k, n, 2) points in it, and where they are in all k pictures.

    Returns:
        The box in each picture, upright and of the same aspect; fewer where no similarity fits.
    """
    _, agree = _similarity(way[0], way[-1], cv2.RANSAC, _SPREAD * side_of(box))
    middle, size = box[:2] + box[2:] / 2 - 0.5, box[2:]  # points count pixel centres, boxes pixel edges
    boxes = [box]
    for points in way[1:]:
        matrix, _ = _similarity(way[0][agree], points[agree], cv2.LMEDS, 0)
        if matrix is None:
            break
        sides = float(np.hypot(matrix[0, 0], matrix[1, 0])) * size
        boxes.append(np.concatenate([matrix[:, :2] @ middle + matrix[:, 2] + 0.5 - sides / 2, sides]))
    return boxes


def _similarity(
    start: NDArray[np.float32], end: NDArray[np.float32], method: int, spread: float
) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_]]:
    """The (2, 3) matrix of a similarity, None where none fits, and (n,) which points it fits."""
    nothing = np.zeros(len(start), np.bool_)
    if len(start) < 3:
        return None, nothing
    start, end = np.ascontiguousarray(start), np.ascontiguousarray(end)
    matrix, inliers = cv2.estimateAffinePartial2D(start, end, method=method, ransacReprojThreshold=max(spread, 1e-3))
    return (None, nothing) if matrix is None else (np.asarray(matrix, np.float64), inliers.reshape(-1) == 1)
