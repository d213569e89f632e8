"""Which two patches a held-out window shows: one target at two instants, or, where nobody says, a patch with itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.files.names import natural
from pipeline.shards.schema import NO_TRACK
from trainer.data.shards import Source
from trainer.data.tracks import frame_numbers

REACH = 30
"""Frames between the reference and the test instant at most; one at least."""
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Instant:
    """A patch of a pair, both by their place in a source."""

    pair: int
    patch: int


@dataclass(frozen=True)
class Instants:
    """Pairs of instants to draw from.

    Attributes:
        two_frames: whether they are two frames of one target, rather than one frame twice.
        sequences: names, sorted.
        patches: (m, 2) pair and patch, those of a target in a row, by frame.
        starts: for each sequence (s, 3): a reference, and the first and the end of the instants within its reach, all
            places in ``patches``.
    """

    two_frames: bool
    sequences: tuple[str, ...]
    patches: Indices
    starts: tuple[Indices, ...]

    @property
    def kind(self) -> str:
        """As people read it."""
        return "two frames" if self.two_frames else "same frame"

    def draw(self, number: int, seed: int) -> tuple[int, Instant, Instant]:
        """The sequence of a draw (its place in ``sequences``), the reference and the test instant.

        Sequences take turns, in an order of the seed's, so that each gets as many windows as the others.
        """
        order = np.random.default_rng([seed, 0]).permutation(len(self.sequences))
        sequence = int(order[number % len(order)])
        rng = np.random.default_rng([seed, 1, number])
        reference, first, end = self.starts[sequence][rng.integers(len(self.starts[sequence]))]
        pair, patch = self.patches[[reference, rng.integers(first, end)]].T
        return sequence, Instant(int(pair[0]), int(patch[0])), Instant(int(pair[1]), int(patch[1]))


def instants_of(source: Source, pairs: Indices) -> Instants:
    """Two frames of each target where shards say which patches are of one, else every patch with itself.

    Args:
        source: opened shards.
        pairs: those that are held out.
    """
    counts = source.place[pairs, 3] - source.place[pairs, 2]
    patch = np.concatenate([np.arange(*source.place[pair, 2:]) for pair in pairs] or [np.zeros(0, np.int64)])
    rows = np.stack([np.repeat(pairs, counts), patch], axis=1)
    sequence = np.array([_sequence(*source.names[pair]) for pair in rows[:, 0]], str)
    known = source.track[rows[:, 1]] != NO_TRACK
    frame = _frames(source, rows, sequence)
    apart = _two_frames(rows[known], sequence[known], frame[known], source.track[rows[known, 1]])
    if apart.sequences:
        return apart
    names, place = np.unique(sequence, return_inverse=True)
    own = np.arange(len(rows))
    every = np.stack([own, own, own + 1], axis=1)
    return Instants(False, tuple(map(str, names)), rows, tuple(every[place == number] for number in range(len(names))))


def _sequence(data_set: str, pair_id: str) -> str:
    return f"{data_set}/{pair_id.rpartition('/')[0]}"


def _frames(source: Source, rows: Indices, sequence: NDArray[np.str_]) -> Indices:
    """The frame number of each patch's pair, within its sequence."""
    frame = np.zeros(len(rows), np.int64)
    for name in np.unique(sequence):
        member = sequence == name
        ids = sorted({source.names[pair][1] for pair in rows[member, 0]}, key=natural)
        number = dict(zip(ids, frame_numbers(ids, REACH)))
        frame[member] = [number[source.names[pair][1]] for pair in rows[member, 0]]
    return frame


def _two_frames(rows: Indices, sequence: NDArray[np.str_], frame: Indices, track: NDArray[np.int32]) -> Instants:
    """Every target's instants that have a later one within reach."""
    order = np.lexsort((rows[:, 1], frame, track, sequence))
    rows, sequence, track, frame = rows[order], sequence[order], track[order], frame[order]
    starts: dict[str, list[tuple[int, int, int]]] = {}
    new = (np.diff(track) != 0) | (sequence[1:] != sequence[:-1])
    edges = np.flatnonzero(np.concatenate([[True], new, [True]])) if len(rows) else np.zeros(0, np.int64)
    for begin, stop in pairwise(edges):
        own = frame[begin:stop]
        first = begin + np.searchsorted(own, own + 1)
        end = begin + np.searchsorted(own, own + REACH, side="right")
        found = starts.setdefault(str(sequence[begin]), [])
        found += [(int(begin) + k, int(first[k]), int(end[k])) for k in range(len(own)) if end[k] > first[k]]
    named = {name: np.array(found, np.int64) for name, found in starts.items() if found}
    return Instants(True, tuple(sorted(named)), rows, tuple(named[name] for name in sorted(named)))
