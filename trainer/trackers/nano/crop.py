"""Squares of a frame as the network is shown them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb
from trainer.trackers.nano.rules import Fill, Square

Blob = NDArray[np.float32]
"""(1, 3, n, n), 0 to 255."""


def crop(image: Rgb, square: Square, size: int, fill: Fill) -> Rgb:
    """A square of a frame, resized by bilinear interpolation.

    Args:
        image: (H, W, 3).
        square: of which some lies inside of the frame.
        size: of the crop, pixels.
        fill: asked for the colour of what lies outside, where anything does.

    Returns:
        (size, size, 3) uint8.
    """
    height, width = image.shape[:2]
    left, top, right, bottom = square.left, square.top, square.left + square.side, square.top + square.side
    cut: NDArray[Any] = image[max(top, 0) : bottom, max(left, 0) : right]
    missing = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    if any(missing):
        cut = cv2.copyMakeBorder(cut, *missing, cv2.BORDER_CONSTANT, value=fill(image))
    return np.asarray(cv2.resize(cut, (size, size)), np.uint8)


def blob(picture: Rgb, blue_first: bool) -> Blob:
    """Planes R, G, B or B, G, R of a picture (n, n, 3) in R, G, B order."""
    return np.asarray(cv2.dnn.blobFromImage(picture, swapRB=blue_first), np.float32)
