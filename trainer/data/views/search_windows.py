"""Search windows: jitter a box, cut the window around it, and express boxes in it.

The geometry is that of the base trackers' training (DiMP, ATOM): labels, states and proposals are computed for the very
window that a branch sees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.recipes.geometry import SearchSpec

Box = NDArray[np.float64]
MAX_SHRINK = 1.5


@dataclass(frozen=True)
class Window:
    """A square of ``side`` picture pixels with its top-left corner at (x, y), seen at ``size`` x ``size`` pixels."""

    x: int
    y: int
    side: int
    size: int

    @property
    def coarseness(self) -> float:
        """Pixels of the picture that a pixel of the window is wide and high."""
        return self.side / self.size

    def cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What it shows of an (H, W, 3) or (H, W) picture."""
        return extract(image, self)

    cut_mask = cut

    def to_window(self, box: Box) -> Box:
        """A box x, y, w, h of the picture in pixels of the window."""
        scale = self.size / self.side
        return np.array([(box[0] - self.x) * scale, (box[1] - self.y) * scale, box[2] * scale, box[3] * scale])


@dataclass(frozen=True)
class Framed:
    """What a window shows, in its own pixels; both boxes may stick out of it.

    Attributes:
        box: (4,) x, y, w, h of the target.
        area: (4,) what both cameras see of the picture: the window shows its edges where they lie inside.
    """

    box: Box
    area: Box


def mirrored_in_window(box: Box, size: int) -> Box:
    """A box (4,) of a window of ``size`` pixels in its mirror image, as the base trackers do.

    Pixel x becomes (W-1) - x, for both corners of the box.
    """
    return np.array([(size - 1) - (box[0] + box[2]), *box[1:]])


def jitter(box: Box, centre: float, scale: float, rng: np.random.Generator) -> Box:
    """Move and resize a box at random.

    Args:
        box: (4,) x, y, w, h.
        centre: largest offset, twice over, in units of the new box's geometric mean side.
        scale: standard deviation of the log of each side.
        rng: source of randomness.
    """
    size = box[2:] * np.exp(scale * rng.standard_normal(2))
    middle = box[:2] + box[2:] / 2 + math.sqrt(size.prod()) * centre * (rng.random(2) - 0.5)
    return np.concatenate([middle - size / 2, size])


def search_window(box: Box, picture: tuple[int, int], spec: SearchSpec) -> Window:
    """The window around a (jittered) box in a picture of (width, height) pixels."""
    side = max(1, math.ceil(math.sqrt(box[2] * box[3]) * spec.factor))
    if spec.crop == "inside_major":
        side = math.floor(side / min(max(min(side / picture[0], side / picture[1]), 1.0), MAX_SHRINK))
    x, y = (round(float(c) - side / 2) for c in box[:2] + box[2:] / 2)
    if spec.crop == "centred":
        return Window(x, y, side, spec.size)
    return Window(_shift(x, side, picture[0]), _shift(y, side, picture[1]), side, spec.size)


def _shift(start: int, side: int, length: int) -> int:
    """Move a window inside as far as it fits; one longer than the picture sticks out evenly on both ends."""
    if side > length:
        return -((side - length) // 2)
    return min(max(start, 0), length - side)


def extract(image: NDArray[np.uint8], window: Window) -> NDArray[np.uint8]:
    """Cut a window out of an (H, W, 3) or (H, W) picture and resize it; what the picture lacks is replicated border.

    A window that ends exactly at the right or bottom border loses its last pixel to a copy of the one before, as in the
    reference implementation, whose checkpoints were trained so.
    """
    height, width = image.shape[:2]
    left, top = max(0, -window.x), max(0, -window.y)
    right = max(0, window.x + window.side - width + 1)
    bottom = max(0, window.y + window.side - height + 1)
    x1, y1 = window.x + window.side - right, window.y + window.side - bottom
    cut: cv2.typing.MatLike = image[
        max(0, window.y) : max(y1, max(0, window.y) + 1), max(0, window.x) : max(x1, max(0, window.x) + 1)
    ]
    if left or top or right or bottom:
        cut = cv2.copyMakeBorder(cut, top, bottom, left, right, cv2.BORDER_REPLICATE)
    resized = cv2.resize(cut, (window.size, window.size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)
