"""Windows of a siamese tracker: an affine map of the picture, moved and stretched at random, and not kept inside it.

The geometry is that of NanoTrack's training: a template shows a target's surroundings at a scale that its box decides,
the search window twice as far at the same scale. Pixels are counted from centre to centre, as its authors do; boxes are
told by their edges, half a pixel before that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.data.views.search_windows import Box
from trainer.recipes.point_geometry import PointSpec


@dataclass(frozen=True)
class StretchedWindow:
    """A rectangle of a picture, seen at ``size`` x ``size`` pixels.

    Attributes:
        first: (2,) x, y in the picture of the centre of the window's first pixel.
        step: (2,) pixels of the picture from one pixel of the window to the next, across and down.
        size: pixels a side.
    """

    first: Box
    step: Box
    size: int

    @property
    def coarseness(self) -> float:
        """Pixels of the picture that a pixel of the window is wide and high, at least."""
        return float(self.step.min())

    def to_window(self, box: Box) -> Box:
        """A box x, y, w, h of the picture in pixels of the window."""
        corner = (box[:2] - 0.5 - self.first) / self.step + 0.5
        return np.concatenate([corner, box[2:] / self.step])

    def cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What it shows of an (H, W, 3) or (H, W) picture: beyond that the picture's mean, as in tracking."""
        return self._warped(image, tuple(float(int(mean)) for mean in cv2.mean(image)))

    def cut_mask(self, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What it shows of a mask (H, W): beyond the picture both modalities have their mean, and nothing is masked."""
        return self._warped(mask, (0.0,))

    def _warped(self, image: NDArray[np.uint8], fill: tuple[float, ...]) -> NDArray[np.uint8]:
        matrix = np.array([[self.step[0], 0, self.first[0]], [0, self.step[1], self.first[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        shape = (self.size, self.size)
        return np.asarray(cv2.warpAffine(image, matrix, shape, flags=flags, borderValue=fill), np.uint8)


def template_side(size: Box, context: float) -> float:
    """Side of the square of the picture that a template of a target of some (w, h) shows, in pixels of the picture.

    Both sides grow by a share (``context``) of their sum; the square has the area of that.
    """
    return math.sqrt((size + context * size.sum()).prod())


def point_window(spec: PointSpec, branch: int, box: Box, rng: np.random.Generator, jittered: bool) -> StretchedWindow:
    """The window around a box of a picture.

    Args:
        spec: the geometry.
        branch: 0 template, 1 search window.
        box: (4,) x, y, w, h in pixels of the picture.
        rng: of the jitter.
        jittered: False centres the window on the box, at the scale of the box.
    """
    size = spec.size if branch else spec.template
    # Drawn in any case, so that jitter changes nothing else.
    stretch, shift = rng.uniform(-1, 1, 2) * spec.stretch[branch], rng.uniform(-1, 1, 2) * spec.shift[branch]
    if not jittered:
        stretch, shift = np.zeros(2), np.zeros(2)
    scale = template_side(box[2:], spec.context) / spec.template
    step = scale * (1 + stretch)
    middle = box[:2] + box[2:] / 2 - 0.5 + scale * shift
    return StretchedWindow(middle - step * (size - 1) / 2, step, size)
