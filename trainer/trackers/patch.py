"""The patch sampler: a window of a frame, at network resolution (pytracking's features.preprocessing).

Positions are (row, column) of pixel centres. All geometry is float32, operation by operation as in the reference:
truncations of its results decide about whole pixels.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float32]
"""(2,) rows, columns."""
Image = NDArray[Any]
"""(H, W, C) or (H, W), uint8 or float32."""


class Patch(NamedTuple):
    """A window and where it lies."""

    image: NDArray[np.float32]
    """(h, w, C) or (h, w)."""
    coord: Vector
    """(4,) top, left, bottom, right in frame pixels, bottom and right exclusive; with halves (see the switch)."""


def sample_patch(
    image: Image,
    pos: ArrayLike,
    sample_sz: ArrayLike,
    output_sz: ArrayLike,
    mode: str = "replicate",
    max_scale_change: float | None = None,
    integer_rounding: bool = False,
) -> Patch:
    """Cut a window around a position and resize it.

    Args:
        image: the frame.
        pos: (2,) centre, truncated to whole pixels.
        sample_sz: (2,) rows and columns of the window in frame pixels.
        output_sz: (2,) rows and columns of the patch.
        mode: what happens at the image's border. ``replicate`` repeats it; ``inside`` shrinks the window until it fits
            and shifts it inside; ``inside_major`` shrinks until it fits one way, and splits what is over the other way.
        max_scale_change: bound on that shrinking.
        integer_rounding: divide as torch before 1.5 did, which gives extents without halves and windows that are not a
            pixel too large for even sizes. Published results probably come from there.
    """
    centre = np.trunc(np.asarray(pos, np.float32))
    size, out = np.asarray(sample_sz, np.float32), np.asarray(output_sz, np.float32)
    if mode != "replicate":
        size = _shrunk(size, np.array(image.shape[:2], np.float32), mode, max_scale_change)
    step = max(int(float((size / out).min()) - 0.1), 1)
    offset = np.mod(centre, step).astype(int)
    view = image[offset[0] :: step, offset[1] :: step]
    low, high = _extent((centre - offset) / step, np.maximum(np.rint(size / np.float32(step)), 2), integer_rounding)
    if mode != "replicate":
        shift = _inward(low, high, np.array(view.shape[:2], np.float32))
        low, high = low + shift, high + shift
    cut = _cut(view, np.trunc(low).astype(int), np.trunc(high).astype(int))
    return Patch(_resized(cut, (int(out[0]), int(out[1]))), (step * np.concatenate([low, high])).astype(np.float32))


def location(coord: Vector, output_sz: Vector) -> tuple[Vector, np.float32]:
    """Centre (2,) of a patch in the frame, and frame pixels a patch pixel, from its ``coord``."""
    low, high = coord[:2], coord[2:]
    half = np.float32(0.5)
    return half * (low + high - np.float32(1)), np.sqrt(((high - low) / output_sz).prod())


def _shrunk(size: Vector, image: Vector, mode: str, bound: float | None) -> Vector:
    ratio = size / image
    factor = ratio.max() if mode == "inside" else ratio.min()
    factor = np.clip(factor, np.float32(1), np.float32(np.inf if bound is None else bound))
    return np.asarray(np.trunc(size / factor), np.float32)


def _extent(centre: Vector, size: Vector, integer_rounding: bool) -> tuple[Vector, Vector]:
    """First and last (exclusive) coordinate of ``size`` pixels around a pixel."""
    before, after = (size - 1) / 2, size / 2
    if integer_rounding:
        before, after = np.floor(before), np.floor(after)
    return np.asarray(centre - before, np.float32), np.asarray(centre + after + 1, np.float32)


def _inward(low: Vector, high: Vector, image: Vector) -> Vector:
    """How far to move a window so that it lies inside the image, or sticks out evenly on both ends."""
    shift = np.maximum(-low, 0) - np.maximum(high - image, 0)
    low, high = low + shift, high + shift
    over = np.floor((np.maximum(-low, 0) + np.maximum(high - image, 0)) / 2)
    return np.asarray(shift + (-low - over) * (over > 0), np.float32)


def _cut(image: Image, low: NDArray[np.int_], high: NDArray[np.int_]) -> Image:
    """Rows and columns from ``low`` to ``high`` (exclusive); what the image lacks repeats its border."""
    first, last = np.clip(low, 0, np.array(image.shape[:2]) - 1), np.clip(high, 1, image.shape[:2])
    inside = image[first[0] : last[0], first[1] : last[1]]
    missing = (high - low) - (last - first)
    before = np.clip(-low, 0, missing)
    if not missing.any():
        return inside
    (top, left), (bottom, right) = before.tolist(), (missing - before).tolist()
    return cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_REPLICATE)


def _resized(image: Image, size: tuple[int, int]) -> NDArray[np.float32]:
    """Bilinear interpolation between pixel centres."""
    pixels = np.ascontiguousarray(image, np.float32)
    if pixels.shape[:2] == size:
        return pixels
    planes = torch.from_numpy(pixels).view(1, *pixels.shape[:2], -1).permute(0, 3, 1, 2)
    resized = F.interpolate(planes, size, mode="bilinear", align_corners=False)
    return np.ascontiguousarray(resized[0].permute(1, 2, 0).numpy()).reshape(*size, *image.shape[2:])
