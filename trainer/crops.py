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

from pipeline.boxes import iou
from trainer.recipes.base_trackers import TrackerSpec

Box = NDArray[np.float64]
MAX_SHRINK = 1.5
SIGMAS = (0.01, 0.05, 0.1, 0.2, 0.3)
MIN_IOU = 0.1
MIXTURE = (0.05, 0.5)


@dataclass(frozen=True)
class Window:
    """A square of ``side`` picture pixels with its top-left corner at (x, y), seen at ``size`` x ``size`` pixels."""

    x: int
    y: int
    side: int
    size: int

    def to_window(self, box: Box) -> Box:
        """A box x, y, w, h of the picture in pixels of the window."""
        scale = self.size / self.side
        return np.array([(box[0] - self.x) * scale, (box[1] - self.y) * scale, box[2] * scale, box[3] * scale])


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


def search_window(box: Box, picture: tuple[int, int], spec: TrackerSpec) -> Window:
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


def perturbed_boxes(box: Box, count: int, rng: np.random.Generator) -> tuple[Box, NDArray[np.float64]]:
    """Proposals for IoU regression: (count, 4) boxes around ``box``, each with IoU above 0.1, and those IoUs (count,).

    Each draws one of the sigmas, moves and resizes by that share of the geometric mean side, is rounded to integers,
    and is drawn again with a tenth less spread until it overlaps enough.
    """
    spread = rng.choice(SIGMAS, count) * math.sqrt(box[2] * box[3])
    base = np.concatenate([box[:2] + box[2:] / 2, box[2:]])
    out, overlap = np.tile(box, (count, 1)), np.zeros(count)
    todo = np.arange(count)
    for _ in range(100):
        cxcywh = base + spread[todo, None] * rng.standard_normal((len(todo), 4))
        size = _positive(cxcywh[:, 2:], box[2:], rng)
        rounded = np.rint(np.concatenate([cxcywh[:, :2] - size / 2, size], axis=1))
        rounded[:, 2:] = _positive(rounded[:, 2:], box[2:], rng)
        out[todo], overlap[todo] = rounded, iou(rounded, box)
        spread[todo] *= 0.9
        todo = todo[overlap[todo] <= MIN_IOU]
        if not len(todo):
            break
    return out, overlap


def _positive(size: Box, target: Box, rng: np.random.Generator) -> Box:
    """Replace sides of at most a pixel by 0.15 to 0.5 of the target's."""
    return np.where(size <= 1, target * rng.uniform(0.15, 0.5, size.shape), size)


def mixture_boxes(box: Box, count: int, rng: np.random.Generator) -> Box:
    """Proposals for density regression (SuperDiMP), (count, 4), drawn from a Gaussian mixture around ``box``."""
    sigma = np.array(MIXTURE)[rng.integers(0, len(MIXTURE), count)]
    offset = sigma[:, None] * rng.standard_normal((count, 4))
    size = box[2:] * np.exp(offset[:, 2:])
    centre = box[:2] + box[2:] / 2 + offset[:, :2] * box[2:]
    return np.concatenate([centre - size / 2, size], axis=1)


def mixture_densities(boxes: Box, box: Box) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Densities (n,) of proposals (n, 4): under the mixture they come from, and under its narrow part, the truth's.

    Both are in the coordinates (cx/w, cy/h, log w, log h), w and h of ``box``.
    """
    centre = (boxes[:, :2] + boxes[:, 2:] / 2 - box[:2] - box[2:] / 2) / box[2:]
    offset = np.concatenate([centre, np.log(boxes[:, 2:] / box[2:])], axis=1)
    return np.mean([_normal(offset, sigma) for sigma in MIXTURE], axis=0), _normal(offset, MIXTURE[0])


def _normal(offset: Box, sigma: float) -> NDArray[np.float64]:
    """Density of four independent normal coordinates (n, 4) with one standard deviation."""
    return np.asarray(np.exp(-0.5 * (offset / sigma) ** 2).prod(axis=1) / (math.sqrt(2 * math.pi) * sigma) ** 4)
