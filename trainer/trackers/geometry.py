"""The target's state in the frame, and boxes in the pixels of a search window (pytracking's tracker.dimp).

Positions are (row, column) of pixel centres, sizes (rows, columns), all float32. A box that begins at edge x and is w
wide has its centre pixel at x + (w - 1)/2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.boxes import as_boxes
from trainer.trackers.patch import Vector

ONE = np.float32(1)


@dataclass(frozen=True)
class Window:
    """A search window.

    Attributes:
        pos: (2,) its centre in the frame.
        scale: frame pixels a window pixel.
        size: (2,) rows and columns in window pixels.
    """

    pos: Vector
    scale: np.float32
    size: Vector

    def box(self, pos: Vector, size: Vector) -> Vector:
        """The box (4,) x, y, w, h, in window pixels, of a target in the frame."""
        centre = (pos - self.pos) / self.scale + (self.size - ONE) / 2
        extent = size / self.scale
        return np.concatenate([(centre - (extent - ONE) / 2)[::-1], extent[::-1]])

    def target(self, box: Vector) -> tuple[Vector, Vector]:
        """Position and size in the frame of a box whose middle, x + w/2, is taken for its centre pixel.

        Unlike in :meth:`box`; the half pixel between them is the reference's.
        """
        centre = (box[:2] + box[2:] / 2)[::-1]
        pos = (centre - (self.size - ONE) / 2) * self.scale + self.pos
        return np.asarray(pos, np.float32), np.asarray(box[2:][::-1] * self.scale, np.float32)


def first_box(box: ArrayLike) -> tuple[float, float, float, float]:
    """The x, y, w, h of a box that a tracker can start with.

    Raises:
        ValueError: the box is not finite or has no area.
    """
    x, y, w, h = as_boxes(box).reshape(4).tolist()
    if not (w > 0 and h > 0):
        raise ValueError(f"first box has size {w} x {h}: give x, y, w, h with positive w and h")
    return x, y, w, h


class Target:
    """Where the target is.

    Args:
        box: x, y, w, h in the frame.
        image: rows and columns of the frame.

    Raises:
        ValueError: the box is not finite or has no area.
    """

    def __init__(self, box: ArrayLike, image: tuple[int, int]) -> None:
        x, y, w, h = first_box(box)
        self.pos = np.array([y + (h - 1) / 2, x + (w - 1) / 2], np.float32)
        self.size = np.array([h, w], np.float32)
        self.image = np.array(image, np.float32)
        self.scale = ONE
        self.base = self.size

    def set_scale(self, scale: float) -> None:
        """Say how many frame pixels a window pixel is now; sizes at other scales are relative to it."""
        self.scale = np.float32(scale)
        self.base = self.size / self.scale

    def move(self, pos: Vector, inside: float) -> None:
        """Move to a position, but keep a share of the target inside the image."""
        offset = np.float32(inside - 0.5) * self.size
        self.pos = np.maximum(np.minimum(pos, self.image - offset), offset)

    def rescale(self, scale: np.float32) -> None:
        """Take the size that the target had at first, at another scale, between 10 pixels and the image."""
        self.scale = np.clip(scale, (10 / self.base).max(), (self.image / self.base).min())
        self.size = self.base * self.scale

    def resize(self, size: Vector, rescale: bool) -> None:
        """Take a size, and the scale at which it has the area it had at first."""
        self.size = size
        if rescale:
            self.scale = np.sqrt(size.prod() / self.base.prod())

    @property
    def box(self) -> NDArray[np.float64]:
        """(4,) x, y, w, h in the frame."""
        corner = self.pos - (self.size - ONE) / 2
        return np.concatenate([corner[::-1], self.size[::-1]]).astype(np.float64)


def search_side(size: Vector, factor: float) -> float:
    """Side of the square that has ``factor``^2 times the area of a target of ``size``, in frame pixels."""
    return math.sqrt(float((size * np.float32(factor)).prod()))
