"""Cut a box out of a picture at sub-pixel precision."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.boxes import as_boxes

MAX_STEP = 4 / 3


def cut(image: NDArray[np.uint8], box: ArrayLike, side: int) -> NDArray[np.uint8]:
    """The content of a box, resized to ``side`` x ``side``; the aspect is not preserved.

    A box larger than the patch is sampled at a step of at most :data:`MAX_STEP` pixels and averaged, so that nothing
    aliases.

    Args:
        image: (H, W) or (H, W, 3) uint8.
        box: (4,) x, y, w, h, pixel edges; outside the picture the border is replicated.
        side: of the patch, pixels.

    Returns:
        (side, side) or (side, side, 3) uint8.
    """
    x, y, w, h = as_boxes(box).tolist()
    across, down = (side * math.ceil(length / (MAX_STEP * side)) for length in (w, h))
    step_x, step_y = w / across, h / down
    # Pixel centres are at integers here: the first sample sits half a step inside the box's left edge.
    to_image = np.array([[step_x, 0, x + (step_x - 1) / 2], [0, step_y, y + (step_y - 1) / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(image, to_image, (across, down), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if (across, down) != (side, side):
        patch = cv2.resize(patch, (side, side), interpolation=cv2.INTER_AREA)
    return patch.astype(np.uint8, copy=False)
