"""Whether a box, such as that which a tracker is started with, can be of its picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import images
from pipeline.boxes import clip
from pipeline.errors import DataError
from trainer.sequences.rows import Boxes, valid

_FAR_LARGER, _LARGER = 2.0, 1.1
"""Sides of a box, in sides of the picture, from which on it is refused, and told."""
_VISIBLE = 0.5
"""Share of a box that must lie in the picture so that nothing is said."""


def can_be_of(boxes: Boxes, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which of some boxes (n, 4) are valid, finite, partly within a picture of (width, height), and not far larger."""
    fit = np.isfinite(boxes).all(axis=1) & valid(boxes)
    seen = clip(np.where(fit[:, None], boxes, 0.0), *size)
    return np.asarray(fit & (seen[:, 2:] > 0).all(axis=1) & (boxes[:, 2:] <= _FAR_LARGER * np.array(size)).all(axis=1))


def check_start(box: NDArray[np.float64], picture: Path, row: str) -> str | None:
    """Compare a box with the size of its picture; a picture that cannot be read is told of when it is tracked.

    Args:
        box: x, y, w, h in pixels, w and h above 0.
        picture: file of the frame.
        row: where the box stands, for the message.

    Returns:
        What is doubtful about it; None where nothing is.

    Raises:
        DataError: the box is not finite, outside of the picture, or far larger.
    """
    try:
        width, height = images.picture_size(images.read_bytes(picture), str(picture))
    except DataError:
        return None
    told = f"{row}: the box {','.join(f'{side:g}' for side in box)}"
    size = f"its picture of {width}x{height} ({picture.name})"
    if not np.isfinite(box).all():
        raise DataError(f"{told} is not finite: correct it to x,y,w,h in pixels of {picture.name}")
    inside = clip(box, width, height)
    larger = float((box[2:] / (width, height)).max())
    if not (inside[2:] > 0).all():
        raise DataError(f"{told} is outside of {size}: correct it to x,y,w,h in pixels of that picture")
    if larger > _FAR_LARGER:
        raise DataError(f"{told} is far larger than {size}: correct it to x,y,w,h in pixels of that picture")
    if larger > _LARGER or inside[2] * inside[3] < _VISIBLE * box[2] * box[3]:
        return f"{told} reaches far beyond {size}: is it x,y,w,h in pixels of that picture?"
    if box[2:].min() < 1:
        return f"{told} is less than a pixel of {size}: is it x,y,w,h in pixels of that picture?"
    return None
