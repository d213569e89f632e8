"""What is drawn into both pictures: frames, bars, clocks, cross-hairs, logos. They fit at the identity in any scene.

A drawing has the same value in both pictures, to a few grey values, and ends in the same pixel of both. Edges of the
scene, seen by two kinds of camera, do so only by chance: then values that are nearly equal are no more frequent than
values a little further apart. So pixels count as drawn where the nearly equal ones outnumber the others locally.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb, Tir
from pipeline.pairing.registration.features import luminance

Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Index = NDArray[np.int64]

LONG_SIDE = 640
"""Larger thermal pictures are looked at in this size."""
_STEP, _FLAT = 12, 4
"""Grey values: of an edge in both pictures, and within which its bright or dark end is flat."""
_EQUAL, _SHARE = 4, 16
"""Grey values within which two are equal; at edges of more than their product, a share of the edge, as JPEG has it."""
_LOSSY = 12
"""The same once it is known that something is drawn, to tell how far it reaches."""
_WINDOW, _LEAST, _PURITY = 25, 20, 3.0
"""Pixels: neighbourhood, how many equal ends of edges must lie in it, and how often the nearly equal they must be."""
_ENOUGH = 0.1
"""Such ends in a whole picture that make a drawing, as a share of its width and height: in real pairs .09 at most."""
_MARGIN = 10
"""Pixels around a drawing that its edges, and the ringing of JPEG there, reach."""


def drawn(frames: Iterable[tuple[Rgb, Tir]]) -> Mask | None:
    """What is drawn into both pictures of any of the pairs, which are of one size.

    Returns:
        (h, w) True on drawings and around them, in TIR pixels; None where there are none.
    """
    found: Mask | None = None
    for rgb, tir in frames:
        one = _drawn(rgb, tir)
        if one is not None:
            found = one if found is None else found | one
    return found


def _drawn(rgb: Rgb, tir: Tir) -> Mask | None:
    scale = min(1.0, LONG_SIDE / max(tir.shape))
    size = (max(1, round(tir.shape[1] * scale)), max(1, round(tir.shape[0] * scale)))
    grey, heat = (_resized(plane, size) for plane in (luminance(rgb), tir))
    difference = cv2.absdiff(grey, heat).astype(np.uint8, copy=False)
    ends, step = _ends(grey, heat)
    rows, columns = np.divmod(np.flatnonzero(ends), size[0])
    apart, equal = difference[rows, columns], np.maximum(step[rows, columns] // _SHARE, _EQUAL)
    chosen = _outnumbering(grey.shape, rows, columns, apart, equal)
    if np.count_nonzero(chosen) < _ENOUGH * sum(size):
        return None
    chosen |= _outnumbering(grey.shape, rows, columns, apart, np.full_like(equal, _LOSSY))
    seeds = np.zeros_like(ends)
    seeds[rows[chosen], columns[chosen]] = True
    whole = (_areas(difference, seeds) | seeds).astype(np.uint8)
    whole = cv2.dilate(whole, np.ones((2 * _MARGIN + 1, 2 * _MARGIN + 1), np.uint8)).astype(np.uint8, copy=False)
    back = cv2.resize(whole, tir.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(back, dtype=np.bool_)


def _resized(plane: Grey, size: tuple[int, int]) -> Grey:
    if plane.shape[::-1] == size:
        return plane
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _ends(grey: Grey, heat: Grey) -> tuple[Mask, Grey]:
    """Pixels (h, w) at an end of an edge in both pictures, bright or dark: a bar may be the bright end of one alone.

    Returns:
        (h, w) which those are; (h, w) the contrast of the weaker of both edges, grey values.
    """
    around = np.ones((5, 5), np.uint8)
    found, step = np.ones(grey.shape, dtype=np.bool_), np.full_like(grey, 255)
    for plane in (grey, heat):
        high, low = cv2.dilate(plane, around), cv2.erode(plane, around)
        np.minimum(step, cv2.subtract(high, low), out=step)
        found &= cv2.min(cv2.subtract(high, plane), cv2.subtract(plane, low)) <= _FLAT
    found &= step >= _STEP
    return found, step


def _outnumbering(shape: tuple[int, int], rows: Index, columns: Index, apart: Grey, equal: Grey) -> Mask:
    """Which of n ends have equal values, where such ends outnumber those a little further apart.

    Args:
        shape: (h, w) of the pictures.
        rows: (n,) where the ends are.
        columns: (n,).
        apart: (n,) difference of the two values of each.
        equal: (n,) up to which they are equal.
    """
    counts = []
    for limit in (equal, 3 * equal):
        plane = np.zeros(shape, np.uint8)
        near = apart <= limit
        plane[rows[near], columns[near]] = 1
        total = cv2.integral(np.pad(plane, _WINDOW // 2))
        below, right = rows + _WINDOW, columns + _WINDOW
        counts.append(total[below, right] - total[rows, right] - total[below, columns] + total[rows, columns])
    here, around = counts
    return np.asarray((apart <= equal) & (here >= _LEAST) & (here >= _PURITY * (around - here)), dtype=np.bool_)


def _areas(difference: Grey, seeds: Mask) -> Mask:
    """Connected areas (h, w) of equal values that hold a seed: all of a frame, also where the scene has its value."""
    equal = cv2.morphologyEx((difference <= _EQUAL).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(equal, connectivity=4)
    chosen = np.zeros(count, dtype=np.bool_)
    chosen[labels[seeds]] = True
    chosen[0] = False
    return np.asarray(chosen[labels], dtype=np.bool_)
