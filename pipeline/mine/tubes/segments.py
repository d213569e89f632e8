"""Where long sequences are cut, so that their pieces are followed at once: fixed by the pairs, never by who works."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LENGTH = 256
"""Frames that one segment has the say on, about."""


@dataclass(frozen=True, eq=False)
class Segment:
    """A piece of a sequence that one task follows.

    Attributes:
        sequence: its name.
        rows: (n,) numbers of the pairs, in the order of time.
        owned: first position that the segment has the say on, and the one behind the last; what lies outside it
            shares with a neighbour, by which their tubes are known to be one.
    """

    sequence: str
    rows: NDArray[np.intp]
    owned: tuple[int, int]


def plan_segments(
    sequences: Sequence[str], frames: NDArray[np.int64], margin: int, length: int = LENGTH
) -> Iterator[Segment]:
    """Cut every sequence into segments of about equal length.

    Args:
        sequences: of each pair.
        frames: (n,) position of each in its sequence.
        margin: frames that a segment sees beyond those that it has the say on, on both sides.
        length: frames that it has the say on, about.

    Yields:
        Segments, by sequence and then by time.
    """
    members: dict[str, list[int]] = {}
    for row, sequence in enumerate(sequences):
        members.setdefault(sequence, []).append(row)
    for sequence, own in sorted(members.items()):
        rows = np.array(own, np.intp)
        rows = rows[np.argsort(frames[rows])]
        pieces = max(1, round(len(rows) / length))
        edges = [round(piece * len(rows) / pieces) for piece in range(pieces + 1)]
        for first, end in itertools.pairwise(edges):
            seen = rows[max(0, first - margin) : end + margin]
            yield Segment(sequence, seen, (int(frames[rows[first]]), int(frames[rows[end - 1]]) + 1))
