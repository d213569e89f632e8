"""The instants of a sequence: which frame comes after which, and how many steps lie between two."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DIGITS = re.compile(r"(\d+)")
FAR = 10_000
"""Steps between two neighbours at most: what is further apart is as good as apart for ever, and numbers stay small."""
FARTHEST = 30
"""The longest stride: a second of common video. Names that are further apart are a clock, as 1000, 1100, 1200 (ms)."""
FASTEST = 500
"""Frames per second at most: numbers in names that rise faster than this are a clock, whatever they are apart by."""


@dataclass(frozen=True, eq=False)
class Instants:
    """The frames of one sequence on its clock.

    Attributes:
        positions: (n,) int64 steps from the first frame, all different, in the order that the frames were given in.
        stride: frames of the video that a step is: 5 of names that are numbered by fives; 1 where names do not tell.
            At most :data:`FARTHEST`.
    """

    positions: NDArray[np.int64]
    stride: int


def instants(frames: Sequence[str], times: Sequence[float | None]) -> Instants:
    """Put the frames of a sequence in order; a frame that is missing between two leaves a gap.

    One step is the median distance of two neighbours. They are told apart by their timestamps where all have different
    ones, else by the number in their names that rises with them, else by the natural order of names alone. The
    stride is told by the numbers in names, whatever tells the order.

    Args:
        frames: the names.
        times: seconds, where they are known.
    """
    known = [time for time in times if time is not None]
    keys = [_natural(name) for name in frames]
    seconds: NDArray[np.float64] | None = None
    if len(set(known)) == len(frames):
        order = np.argsort(known, kind="stable")
        seconds = np.array(known, np.float64)[order]
    else:
        order = np.array(sorted(range(len(frames)), key=lambda i: (keys[i], frames[i])), np.intp)
    numbers = _rising([keys[i] for i in order])
    positions = np.empty(len(frames), np.int64)
    positions[order] = np.cumsum(_steps(numbers if seconds is None else seconds, len(frames)))
    return Instants(positions, _stride(numbers, seconds))


def _natural(name: str) -> tuple[tuple[str, int], ...]:
    """A name as texts and the numbers behind them: by this ``f10`` comes after ``f9``."""
    *parts, rest = _DIGITS.split(name)
    return (*zip(parts[::2], map(int, parts[1::2])), (rest, -1))


def _rising(keys: list[tuple[tuple[str, int], ...]]) -> NDArray[np.float64] | None:
    """The last number of the names, in their order; None where it does not rise from name to name.

    Of names such as ``20230101_0001`` it is the count. Where it begins anew within the sequence, as the milliseconds of
    a time do, it tells no distance.
    """
    if not keys or any(len(key) < 2 for key in keys):
        return None
    last = np.array([key[-2][1] for key in keys], np.float64)
    return last if (np.diff(last) > 0).all() else None


def _steps(values: NDArray[np.float64] | None, count: int) -> NDArray[np.int64]:
    """Steps of each frame from the one before, 0 for the first."""
    if values is None or count < 2:
        return np.minimum(np.arange(count), 1)
    apart = np.diff(values)
    return np.concatenate([[0], np.clip(np.rint(apart / np.median(apart)), 1, FAR).astype(np.int64)])


def _stride(numbers: NDArray[np.float64] | None, seconds: NDArray[np.float64] | None) -> int:
    """What the numbers of all names are apart by, or by whole multiples of; 1 where they are those of a clock."""
    if numbers is None or len(numbers) < 3:
        return 1
    apart = np.diff(numbers)
    usual = float(np.median(apart))
    limit = FARTHEST if seconds is None else min(FARTHEST, FASTEST * float(np.median(np.diff(seconds))))
    return int(usual) if usual <= limit and not (apart % usual).any() else 1
