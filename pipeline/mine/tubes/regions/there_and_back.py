"""Boxes followed through a window of pictures, as far as the way back returns to where it started.

The forward-backward error of Kalal, Mikolajczyk and Matas, "Forward-Backward Error: Automatic Detection of Tracking
Failures" (ICPR 2010), over trajectories: the corners in a box are followed to the end of the window, one picture after
the other, and from there back. The error of the box is the median distance of a corner from where it started, as a
share of the box's side sqrt(w h); a corner that was lost on the way counts as infinitely far.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.mine.tubes.regions.flow import Box, Grey, carried, chain, corners_in, ring_around, side_of
from pipeline.mine.tubes.regions.worth import motion

FEW = 8
"""Corners under which a box cannot be followed."""
Places = NDArray[np.float32]
"""(k, n, 2) where n points are in k pictures."""


@dataclass(frozen=True)
class Way:
    """How far a box was followed.

    Attributes:
        boxes: where it is in the first pictures of the window, the first itself included.
        motion: :func:`pipeline.mine.tubes.regions.worth.motion` from the first to the last of these.
    """

    boxes: list[Box]
    motion: float = 0.0


def ways(greys: Sequence[Grey], starts: Sequence[Box], max_error: float) -> list[Way]:
    """Follow boxes from the first picture of a window on.

    A box that does not find back from the last picture is followed half as far, and so on: its way ends where it did.

    Args:
        greys: pictures of one size.
        starts: boxes in the first.
        max_error: largest error with which a way counts.
    """
    size = (greys[0].shape[1], greys[0].shape[0])
    corners, rings = [corners_in(greys[0], box) for box in starts], [ring_around(box, size) for box in starts]
    there, found = chain(greys, np.concatenate([np.zeros((0, 2), np.float32), *corners, *rings]))
    edges = np.cumsum([0, *map(len, corners), *map(len, rings)])
    spans = [slice(*span) for span in itertools.pairwise(edges)]
    result = [Way([box]) for box in starts]
    todo, steps = [n for n, points in enumerate(corners) if len(points) >= FEW], len(greys) - 1
    while todo and steps:
        inner = [there[: steps + 1, spans[n]] for n in todo]
        again = []
        for n, places, missed in zip(todo, inner, _missed(greys[: steps + 1], inner), strict=True):
            error = np.where(found[steps, spans[n]], missed, np.inf) / side_of(starts[n])
            if (limit := np.median(error)) > max_error:
                again.append(n)
                continue
            ring = spans[len(starts) + n]
            around = there[: steps + 1, ring][:, found[steps, ring]]
            moved = motion(starts[n], places[:, found[steps, spans[n]]], around)
            result[n] = Way(carried(starts[n], places[:, error <= limit]), moved)
        todo, steps = again, steps // 2
    return result


def _missed(greys: Sequence[Grey], inner: Sequence[Places]) -> list[NDArray[np.float64]]:
    """By how many pixels the points of each box, gone back from the last picture, miss where they started."""
    back, found = chain(greys[::-1], np.concatenate([places[-1] for places in inner]))
    started = np.concatenate([places[0] for places in inner])
    missed = np.where(found[-1], np.linalg.norm(back[-1] - started, axis=1), np.inf)
    return np.split(missed, np.cumsum([places.shape[1] for places in inner])[:-1])
