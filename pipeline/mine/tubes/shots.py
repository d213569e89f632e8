"""Shots: runs of frames that one camera took without a break. No tube goes from one into the next."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from operator import itemgetter

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb
from pipeline.mine.tubes.tube import Frame

WIDTH = 64
"""Pixels across of the small picture by which two frames are compared."""
SMOOTH = 4.0
"""Deviation in its pixels of what is taken off it: sky above road is in every street scene, whichever it is."""
BLOCKS = 4
"""Blocks across and down that are looked for in the other frame one by one, since what moves covers some of them."""
REACH = 6
"""How far away a block is looked for, pixels of the small picture: cameras turn."""
SAME = 0.55
"""Correlation above which half of the blocks are, where two frames are of one shot.

The lowest from frame to frame was 0.86 in synthetic clips and 0.95 in filmed ones, from one to the twentieth after it
0.61 and 0.69; the highest of frames of different scenes was 0.45.
"""
BLANK = 1.0
"""Deviation in grey levels below which a block shows nothing but the noise of a dark picture."""
Look = NDArray[np.float32]


def shots(frames: Iterator[Frame], max_gap: int, told: dict[str, list[int]]) -> Iterator[Iterator[Frame]]:
    """Split frames where another shot begins, or where more than ``max_gap`` steps are missing.

    A frame whose picture is the one before once more is no instant of its own, and is left out.

    Args:
        frames: in the order of time.
        max_gap: steps.
        told: what was met -> at which positions, ``"cuts"`` and ``"duplicates"``, is put in here.
    """
    for _, members in itertools.groupby(_numbered(frames, max_gap, told), key=itemgetter(0)):
        yield (frame for _, frame in members)


def _numbered(frames: Iterator[Frame], max_gap: int, told: dict[str, list[int]]) -> Iterator[tuple[int, Frame]]:
    """Each frame with the number of its shot."""
    shot = 0
    last: tuple[int, Rgb, Look] | None = None
    for frame in frames:
        position, picture = frame.position, frame.view.rgb
        if picture is None:
            raise ValueError(f"frame {position} has no picture")
        if last and np.array_equal(last[1], picture):
            told.setdefault("duplicates", []).append(position)
            continue
        look = look_of(picture)
        if last:
            cut = last[1].shape != picture.shape or is_cut(last[2], look)
            if cut:
                told.setdefault("cuts", []).append(position)
            shot += cut or position - last[0] > max_gap
        last = position, picture, look
        yield shot, frame


def look_of(rgb: Rgb) -> Look:
    """A small grey picture without its broad light and shade: what is left is told apart from scene to scene."""
    height, width = rgb.shape[:2]
    size = (WIDTH, max(8, round(WIDTH * height / width)))
    small = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small - cv2.GaussianBlur(small, (0, 0), SMOOTH), np.float32)


def is_cut(before: Look, after: Look) -> bool:
    """Whether two frames are of different shots: most blocks of one are found nowhere near their place in the other.

    They are looked for by normalised correlation. A frame that shows nothing, as in the dark, is of the shot of another
    one that shows nothing.
    """
    if before.shape != after.shape:
        return True
    around = cv2.copyMakeBorder(before, REACH, REACH, REACH, REACH, cv2.BORDER_REFLECT)
    found = []
    for (top, bottom), (left, right) in itertools.product(*(_edges(length) for length in after.shape)):
        block = after[top:bottom, left:right]
        if block.std() > BLANK:
            near = around[top : bottom + 2 * REACH, left : right + 2 * REACH]
            found.append(cv2.matchTemplate(near, block, cv2.TM_CCOEFF_NORMED).max())
    return bool(np.median(found) < SAME) if found else bool(before.std() > 2 * BLANK)


def _edges(length: int) -> Iterator[tuple[int, int]]:
    return itertools.pairwise(np.linspace(0, length, BLOCKS + 1).round().astype(int).tolist())
