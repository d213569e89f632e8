"""Windows as pictures: what a branch sees, boxes on it, and a map of cells glowing where they lie."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pipeline.pages import html
from trainer.recipes.geometry import TrackerSpec

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]
HEAT = (255, 90, 0)
WIDTH = 240


def picture_of(window: Tensor) -> Image:
    """A window (3, S, S) as a picture (S, S, 3)."""
    return np.ascontiguousarray(window.permute(1, 2, 0).numpy())


def boxed(picture: Image, boxes: Iterable[Iterable[float | Tensor]], colour: Colour) -> Image:
    """A copy of a window with boxes x, y, w, h in its pixels."""
    drawn = picture.copy()
    for box in boxes:
        x, y, w, h = (round(float(value) * 16) for value in box)
        # Edges to pixel centres; four binary digits of sub-pixel position.
        cv2.rectangle(drawn, (x - 8, y - 8), (x + w - 8, y + h - 8), colour, 2, cv2.LINE_AA, 4)
    return drawn


def heated(picture: Image, cells: NDArray[np.floating], spec: TrackerSpec) -> Image:
    """The window, dark, with cells (h, w) of 0 to 1 glowing where they lie."""
    first, stride = spec.grid
    to_cell = np.array([[1 / stride, 0, -first / stride], [0, 1 / stride, -first / stride]], dtype=np.float64)
    size = picture.shape[1::-1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    glow = cv2.warpAffine(np.asarray(cells, np.float32), to_cell, size, flags=flags)[..., None]
    return np.asarray(np.clip(picture * 0.5 * (1 - glow) + np.array(HEAT) * glow, 0, 255), np.uint8)


def small(picture: Image) -> str:
    """A window as the data URI of a small picture."""
    return html.picture_uri(np.asarray(cv2.resize(picture, (WIDTH, WIDTH), interpolation=cv2.INTER_AREA), np.uint8))
