"""Synthetic RGB-TIR pairs with a known matrix, drawn by the tests themselves."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SIZE = (480, 384)


def scene(seed: int, size: tuple[int, int] = SIZE) -> NDArray[np.float32]:
    """A plane (h, w) in 0..1 with boxes, discs and lines of many sizes."""
    rng = np.random.default_rng(seed)
    width, height = size
    plane = cv2.resize(rng.random((6, 8)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    for _ in range(60):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        w, h = (int(v) for v in rng.integers(12, 90, 2))
        value = float(rng.random())
        if rng.random() < 0.6:
            cv2.rectangle(plane, (x, y), (x + w, y + h), value, -1)
        else:
            cv2.circle(plane, (x, y), w // 2, value, -1)
    return np.clip(plane, 0, 1)


def modalities(plane: NDArray[np.float32], seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The same plane as a coloured visible picture and as a thermal one: folded polarity, low contrast, blur, noise."""
    rng = np.random.default_rng(seed + 1000)
    tint = np.array([1.0, 0.8, 0.6]) + rng.normal(0, 0.02, 3)
    rgb = plane[..., None] * tint * 200 + 20 + rng.normal(0, 3, (*plane.shape, 3))
    heat = np.abs(plane - 0.45) * 90 + 40
    tir = cv2.GaussianBlur(heat.astype(np.float32), (0, 0), 1.0) + rng.normal(0, 1.5, plane.shape)
    return np.clip(rgb, 0, 255).astype(np.uint8), np.clip(tir, 0, 255).astype(np.uint8)


def pair(seed: int, rgb_to_tir: Array, size: tuple[int, int] = SIZE) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A pair (rgb, tir) whose true TIR -> RGB matrix is the inverse of ``rgb_to_tir`` (pixel centres)."""
    margin = 60
    wide = scene(seed, (size[0] + 2 * margin, size[1] + 2 * margin))
    shift = np.array([[1, 0, margin], [0, 1, margin], [0, 0, 1.0]])
    rgb, tir = modalities(wide, seed)
    moved = cv2.warpPerspective(tir, rgb_to_tir @ np.linalg.inv(shift), size, borderMode=cv2.BORDER_REPLICATE)
    return rgb[margin : margin + size[1], margin : margin + size[0]].copy(), moved.astype(np.uint8)


def similarity(turn: float, scale: float, dx: float, dy: float, size: tuple[int, int] = SIZE) -> Array:
    """Rotation (degrees) and scale about the middle of a picture, then a shift."""
    cx, cy = (size[0] - 1) / 2, (size[1] - 1) / 2
    c, s = scale * np.cos(np.radians(turn)), scale * np.sin(np.radians(turn))
    return np.array([[c, -s, cx - c * cx + s * cy + dx], [s, c, cy - s * cx - c * cy + dy], [0, 0, 1.0]])


def corner_error(found: Array, truth: Array, size: tuple[int, int] = SIZE) -> float:
    """Mean distance of the four corner pixels under two matrices."""
    right, bottom = size[0] - 1.0, size[1] - 1.0
    corners = np.array([[[0, 0]], [[right, 0]], [[right, bottom]], [[0, bottom]]])
    a, b = (cv2.perspectiveTransform(corners, matrix) for matrix in (found, truth))
    return float(np.linalg.norm(a - b, axis=2).mean())
