"""What is drawn into both pictures: frames, bars, clocks, cross-hairs, logos. They fit at the identity in any scene.

A drawing has the same value in both pictures, to a few grey values, and ends in the same pixel of both. Edges of the
scene, seen by two kinds of camera, do so only by chance: then values that are nearly equal are no more frequent than
values a little further apart. So pixels count as drawn where the nearly equal ones outnumber the others locally.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb, Tir
from pipeline.pairing.registration.features import Grey, Plane, at_least, halve, luminance

Mask = NDArray[np.bool_]
Index = NDArray[np.int64]
Counts = NDArray[np.int32]

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
_ALIKE, _AREA, _FAINT = 0.9, 7, 16.0
"""Correlation of both gradients that makes a square suspect, half its side, and the gradient of mere noise, eighths."""
_SUSPICIOUS = 0.012
"""Share of a picture that must be suspect for any of it to be."""
_MUCH, _UNLIKE, _TORN = 0.1, 0.5, 0.1
"""Share that is much (of aligned pictures of two cameras, .05 at most are suspect), correlation below which squares are
unlike, and how many of those there must be for each suspect one."""
_CORNER, _CORNERS = 0.1, 0.1
"""Share of the second direction in the structure tensor of a square with a corner, and how many suspects are such."""
_STRIP = 64
"""Rows whose gradients are compared at a time."""
_RIM = 2
"""Pairs of pixels around the middle of a suspect square that go with it."""


@dataclass(frozen=True)
class Overlays:
    """What is in the same pixels of both pictures, and around it: (h, w) True, in TIR pixels; None where nothing is.

    Attributes:
        sure: what is drawn.
        suspect: what may be drawn, or a scene that is aligned.
    """

    sure: Mask | None
    suspect: Mask | None


def drawn(frames: Iterable[tuple[Rgb, Tir]]) -> Mask | None:
    """What is drawn into both pictures of any of the pairs, which are of one size: (h, w) True, in TIR pixels."""
    sure: Mask | None = None
    for rgb, tir in frames:
        sure = either(sure, _at_size(tir, _equal_values(*_planes(rgb, tir))))
    return sure


def look(frames: Iterable[tuple[Rgb, Tir]]) -> Overlays:
    """What is in the same pixels of both pictures of any of the pairs, which are of one size."""
    sure: Mask | None = None
    suspect: Mask | None = None
    for rgb, tir in frames:
        grey, heat = _planes(rgb, tir)
        sure = either(sure, _at_size(tir, _equal_values(grey, heat)))
        equal, torn = _equal_edges(grey, heat)
        if torn:
            sure = either(sure, _at_size(tir, equal))
        else:
            suspect = either(suspect, _at_size(tir, equal))
    return Overlays(sure, suspect)


def either(first: Mask | None, second: Mask | None) -> Mask | None:
    """What is in any of two masks (h, w)."""
    if first is None or second is None:
        return second if first is None else first
    return first | second


def _planes(rgb: Rgb, tir: Tir) -> tuple[Grey, Grey]:
    """Both pictures in the size they are compared in."""
    scale = min(1.0, LONG_SIDE / max(tir.shape))
    size = (max(1, round(tir.shape[1] * scale)), max(1, round(tir.shape[0] * scale)))
    return _resized(luminance(rgb), size), _resized(tir, size)


def _at_size(tir: Tir, found: Grey | None) -> Mask | None:
    """What was found, in pixels (h, w) of the thermal picture."""
    if found is None:
        return None
    return np.asarray(cv2.resize(found, tir.shape[::-1], interpolation=cv2.INTER_NEAREST), dtype=np.bool_)


def _grown(area: Grey, margin: int) -> Grey:
    return cv2.dilate(area, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)).astype(np.uint8, copy=False)


def _equal_edges(grey: Grey, heat: Grey) -> tuple[Grey | None, bool]:
    """Where gradients are the same but for strength and sign, at the same place to less than a pixel.

    Returns:
        (h / 2, w / 2) 1 there, None where there is no more of that than by chance; whether the picture is torn: much of
        it is so while clear edges elsewhere are unlike, which one scene is not.
    """
    if min(grey.shape) < 2:
        return None, False
    both, *power = (_around(plane) for plane in _products(grey, heat))
    least = _FAINT**2
    limit = at_least(power[0], least) * at_least(power[1], least)
    both *= both
    alike = both > np.float32(_ALIKE**2) * limit
    share = np.count_nonzero(alike) / alike.size
    if share < _SUSPICIOUS or _one_way(grey, alike):
        return None, False
    torn = False
    if share >= _MUCH:
        unlike = (both < np.float32(_UNLIKE**2) * limit) & (np.minimum(*power) > least)
        torn = bool(np.count_nonzero(unlike) / unlike.size >= _TORN * share)
    return _grown(alike.astype(np.uint8), _RIM), torn


def _one_way(grey: Grey, where: Mask) -> bool:
    """Whether the squares (h / 2, w / 2) hold edges but no corners: any scene that is shifted along them has such."""
    across, down = _gradient(grey, slice(None))
    xx, yy, xy = (_around(halve(part))[where] for part in (across * across, down * down, across * down))
    second = (1 - np.hypot(xx - yy, 2 * xy) / np.maximum(xx + yy, 1e-9)) / 2
    return bool(np.mean(second > _CORNER) < _CORNERS)


def _gradient(plane: Grey, rows: slice) -> tuple[Plane, Plane]:
    """Eighths of grey values a pixel in x and in y, in some rows of a picture, as little smoothed as can be."""
    across, down = (part[rows].astype(np.float32) for part in cv2.spatialGradient(plane))
    return across, down


def _products(grey: Grey, heat: Grey) -> list[Plane]:
    """Of the gradients of two pictures, halved (h / 2, w / 2): size of the inner product, and both squares."""
    height, width = grey.shape
    # Strips stay in the cache. Rows are averaged in twos, which an odd one at the end would shift.
    step = _STRIP if height % 2 == 0 else height
    halved = [np.empty((height // 2, width // 2), np.float32) for _ in range(3)]
    for top in range(0, height, step):
        first, last = max(0, top - 1), min(height, top + step + 1)
        wanted = slice(top - first, min(top + step, height) - first)
        across, down = _gradient(grey[first:last], wanted)
        heat_across, heat_down = _gradient(heat[first:last], wanted)
        both = across * heat_across
        cv2.accumulateProduct(down, heat_down, both)
        np.abs(both, out=both)
        for whole, part in zip(halved, (both, _squared(across, down), _squared(heat_across, heat_down))):
            whole[top // 2 : (top + step) // 2] = halve(part)
    return halved


def _squared(across: Plane, down: Plane) -> Plane:
    """Squared length of a gradient, made in the place of its first part."""
    across *= across
    cv2.accumulateSquare(down, across)
    return across


def _around(plane: Plane) -> Plane:
    """Mean (h, w) in the square around each pixel."""
    return cv2.blur(plane, (_AREA, _AREA)).astype(np.float32, copy=False)


def _equal_values(grey: Grey, heat: Grey) -> Grey | None:
    difference = cv2.absdiff(grey, heat).astype(np.uint8, copy=False)
    ends, step = _ends(grey, heat)
    enough = _ENOUGH * sum(grey.shape)
    seeds = _outnumbering(ends, difference, at_least(step // _SHARE, _EQUAL), enough)
    if np.count_nonzero(seeds) < enough:
        return None
    seeds |= _outnumbering(ends, difference, np.full_like(step, _LOSSY), 1)
    return _grown((_areas(difference, seeds) | seeds).astype(np.uint8), _MARGIN)


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
    steps, gaps = [], []
    for plane in (grey, heat):
        high, low = cv2.dilate(plane, around), cv2.erode(plane, around)
        steps.append(cv2.subtract(high, low))
        gaps.append(cv2.min(cv2.subtract(high, plane), cv2.subtract(plane, low)))
    step = cv2.min(*steps).astype(np.uint8, copy=False)
    return (cv2.max(*gaps) <= _FLAT) & (step >= _STEP), step


def _outnumbering(ends: Mask, difference: Grey, equal: Grey, enough: float) -> Mask:
    """Which ends (h, w) have equal values, where such ends outnumber those a little further apart.

    Args:
        ends: (h, w) where the ends are.
        difference: (h, w) of the two values.
        equal: (h, w) up to which they are equal.
        enough: how many are wanted; it is looked no further, and none is returned, where fewer can be left.
    """
    chosen = np.zeros_like(ends)
    near = ends & (difference <= equal)
    rows, columns = np.divmod(np.flatnonzero(near), near.shape[1])
    if len(rows) < enough:
        return chosen
    here = _crowd(near, rows, columns)
    crowded = here >= _LEAST
    rows, columns, here = rows[crowded], columns[crowded], here[crowded]
    if len(rows) < enough:
        return chosen
    around = _crowd(ends & (difference <= 3 * equal), rows, columns)
    outnumber = here >= _PURITY * (around - here)
    chosen[rows[outnumber], columns[outnumber]] = True
    return chosen


def _crowd(ends: Mask, rows: Index, columns: Index) -> Counts:
    """How many ends (h, w) lie in the window around each of n pixels."""
    margin = _WINDOW // 2
    plane = cv2.copyMakeBorder(ends.astype(np.uint8), margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    total = cv2.integral(plane).astype(np.int32, copy=False)
    bottom, right = rows + _WINDOW, columns + _WINDOW
    return total[bottom, right] - total[rows, right] - total[bottom, columns] + total[rows, columns]


def _areas(difference: Grey, seeds: Mask) -> Mask:
    """Connected areas (h, w) of equal values that hold a seed: all of a frame, also where the scene has its value."""
    equal = cv2.morphologyEx((difference <= _EQUAL).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(equal, connectivity=4)
    chosen = np.zeros(count, dtype=np.bool_)
    chosen[labels[seeds]] = True
    chosen[0] = False
    return np.asarray(chosen[labels], dtype=np.bool_)
