"""Two pictures of one pair side by side, so that their targets touch (``mix: spatial``; section 4.2 of the paper)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Box = NDArray[np.float64]


def join(left: Picture, right: Picture, box: Box) -> tuple[Picture, Box]:
    """Everything of ``left`` up to the box's right edge, then everything of ``right`` from the box's left edge on.

    Args:
        left: (H, W, ...) picture.
        right: the same shape.
        box: (4,) x, y, w, h of the target in both, in pixels; edges are rounded where the pictures are cut.

    Returns:
        The joined picture (H, W + about w, ...), and the box of the joined target in it, about 2w x h.
    """
    first, last = seam(box, left.shape[1])
    return np.concatenate([left[:, :last], right[:, first:]], axis=1), joined_box(box, last - first)


def seam(box: Box, width: int) -> tuple[int, int]:
    """Where two pictures of ``width`` pixels are cut: the right one's first column, and the left one's last, plus one.

    A joined picture is ``last - first`` columns wider than each of them.
    """
    # The first pixel whose centre lies at an edge or beyond it: Python's rounding of halves to even would leave, at
    # some edges and not at others, a pixel of background between the two targets.
    first = int(np.clip(math.ceil(box[0] - 0.5), 0, width - 1))
    return first, int(np.clip(math.ceil(box[0] + box[2] - 0.5), first + 1, width))


def joined_box(box: Box, wider: int) -> Box:
    """A box (4,) that holds the target, from its left edge on the left to its right edge on the right of the seam."""
    return np.array([box[0], box[1], wider + box[2], box[3]])


def flip(picture: Picture) -> Picture:
    """A picture (H, W, ...) seen in a mirror."""
    return np.ascontiguousarray(picture[:, ::-1])


def flip_box(box: Box, width: int) -> Box:
    """A box (4,) of a picture ``width`` pixels wide, in its mirror image; edges map to edges."""
    return np.array([width - box[0] - box[2], *box[1:]])
