"""Pictures for people: how well two modalities lie on one another, and what a patch holds."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.images import Rgb, Tir

GREEN, ORANGE = (80, 230, 120), (255, 150, 30)


def fit_width(image: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Scale a picture down to at most ``width`` pixels across."""
    height, across = image.shape[:2]
    if across <= width:
        return image
    size = (width, max(1, round(height * width / across)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def thermal(tir: Tir) -> Rgb:
    """A thermal picture in the inferno palette, stretched between its 1st and 99th percentile for the eye."""
    low, high = np.percentile(tir, (1, 99))
    stretched = np.asarray(np.clip((tir.astype(np.float32) - low) * (255 / max(high - low, 1)), 0, 255), np.uint8)
    coloured = cv2.applyColorMap(stretched, cv2.COLORMAP_INFERNO)
    return np.asarray(cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB), np.uint8)


def checkerboard(rgb: Rgb, tir: Tir, cells: int = 8) -> Rgb:
    """RGB and TIR of one frame in turn, square by square: edges must run on across the seams."""
    height, width = tir.shape
    side = max(1, width // cells)
    rows, columns = np.arange(height) // side, np.arange(width) // side
    odd = (rows[:, None] + columns[None, :]) % 2 == 1
    return np.asarray(np.where(odd[..., None], thermal(tir), rgb), np.uint8)


def edges(rgb: Rgb, tir: Tir) -> Rgb:
    """Edges of the visible picture in cyan and of the thermal one in orange, white where they meet, on dark."""
    visible, heat = _edge_strength(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)), _edge_strength(tir)
    canvas = np.stack([heat, 0.55 * heat + 0.75 * visible, visible], axis=-1)
    return np.asarray(np.clip(canvas * 255, 0, 255), np.uint8)


def _edge_strength(gray: NDArray[np.generic]) -> NDArray[np.float32]:
    smooth = cv2.GaussianBlur(np.asarray(gray, np.float32), (0, 0), 1.4)
    magnitude = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    return np.asarray(np.clip(magnitude / max(float(np.percentile(magnitude, 97)), 1e-3), 0, 1), np.float32)


def at_corners(image: Rgb, quad: ArrayLike, side: int) -> Rgb:
    """What lies at the four corners of a quadrangle in a picture, where a matrix errs most, as two by two squares.

    Args:
        image: (H, W, 3).
        quad: (4, 2) pixel edges, from the top left clockwise; a corner beyond the picture counts as the nearest in it.
        side: of a square, pixels; half of the picture at most.

    Returns:
        (2 s + 2, 2 s + 2, 3) with a white cross between the squares of side s.
    """
    size = np.array([image.shape[1], image.shape[0]])
    side = int(min(side, *(size // 2)))
    canvas = np.full((2 * side + 2, 2 * side + 2, 3), 255, np.uint8)
    inward = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    starts = np.round(np.asarray(quad) - inward * side)
    for (left, top), (right, below) in zip(np.clip(starts, 0, size - side).astype(int), inward * (side + 2)):
        canvas[below : below + side, right : right + side] = image[top : top + side, left : left + side]
    return canvas


def outline(image: Rgb, polygon: ArrayLike, colour: tuple[int, int, int] = GREEN, *, edged: bool = False) -> Rgb:
    """A copy of a picture with a closed polygon (n, 2), pixel-edge coordinates, drawn on it.

    An ``edged`` line is thick and has black on both sides, so that it is seen on everything, in grey too.
    """
    canvas = image.copy()
    points = np.round((np.asarray(polygon, np.float64) - 0.5) * 16).astype(np.int32).reshape(-1, 1, 2)
    thickness = max(1, round(image.shape[1] / 320)) + 2 * edged
    if edged:
        cv2.polylines(canvas, [points], True, (0, 0, 0), thickness + 4, cv2.LINE_AA, 4)
    cv2.polylines(canvas, [points], True, colour, thickness, cv2.LINE_AA, 4)
    return canvas


def arrows(image: Rgb, centres: ArrayLike, vectors: ArrayLike, weights: ArrayLike, magnify: float = 8.0) -> Rgb:
    """A darkened copy of a picture with a field of arrows on it.

    Args:
        image: (H, W, 3).
        centres: (n, 2) where the arrows start, pixel centres.
        vectors: (n, 2) pixels.
        weights: (n,) 0 to 1; the less, the fainter, and below 0.2 nothing is drawn.
        magnify: times that the arrows are drawn longer than the vectors are.
    """
    canvas = (image * 0.45).astype(np.uint8)
    thickness = max(1, round(image.shape[1] / 213))
    for centre, vector, weight in zip(np.asarray(centres), np.asarray(vectors), np.asarray(weights)):
        if weight < 0.2:
            continue
        start, end = (tuple(np.round(at * 16).astype(int).tolist()) for at in (centre, centre + magnify * vector))
        colour = tuple(round(v * float(weight)) for v in ORANGE)
        cv2.circle(canvas, start, 16 * 2 * thickness, colour, -1, cv2.LINE_AA, 4)
        cv2.line(canvas, start, end, colour, thickness, cv2.LINE_AA, 4)
    return canvas


def label_map(label: ArrayLike, side: int) -> Rgb:
    """A Gaussian label over its search window, cell by cell, in a palette that rises in grey as well.

    Args:
        label: (F, F), score cell k at k/(F-1) of the window, 0 to 1.
        side: of the drawn window, pixels.

    Returns:
        (side, side, 3).
    """
    values = np.asarray(label, np.float32)
    cells = np.round((np.arange(side) + 0.5) / side * (len(values) - 1)).astype(int)
    shown = np.asarray(np.clip(values[np.ix_(cells, cells)] * 255, 0, 255), np.uint8)
    return np.asarray(cv2.cvtColor(cv2.applyColorMap(shown, cv2.COLORMAP_CIVIDIS), cv2.COLOR_BGR2RGB), np.uint8)
