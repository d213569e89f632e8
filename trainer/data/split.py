"""Which pairs only validate: a function of (split seed, data set, sequence), never of the row or the mining method."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.files.names import natural

MIN_SEQUENCES = 5
GAP = 5
"""Frames left out between the two sides when a sequence has to be cut: neighbours in a video are near copies. A short
sequence gives up a quarter of itself at most."""


def split_sequences(
    names: Sequence[tuple[str, str]], share: float, seed: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Split pairs into a training and a validation part.

    Args:
        names: (data set, pair_id) of every pair; the sequence is the id without its last part.
        share: of the sequences to validate on, 0 to 1. Under five sequences it is the last ``share`` of each
            instead, behind a gap.
        seed: the split's own.

    Returns:
        Two masks (n,): training, validation. Frames in a gap are in neither.
    """
    keys = [f"{source}|{pair_id.rpartition('/')[0]}" for source, pair_id in names]
    sequences = sorted(set(keys))
    if share == 0 or not sequences:
        return np.ones(len(keys), bool), np.zeros(len(keys), bool)
    if len(sequences) >= MIN_SEQUENCES:
        chosen = _chosen(sequences, share, seed)
        mask = np.array([key in chosen for key in keys])
        return ~mask, mask
    frames: dict[str, set[str]] = {}
    for key, (_, pair_id) in zip(keys, names):
        frames.setdefault(key, set()).add(pair_id)
    sides = {(key, pair_id): side for key, ids in frames.items() for pair_id, side in _cut(ids, share).items()}
    side = [sides.get((key, pair_id)) for key, (_, pair_id) in zip(keys, names)]
    return np.array([s == "train" for s in side]), np.array([s == "test" for s in side])


def _chosen(sequences: Sequence[str], share: float, seed: int) -> set[str]:
    """The sequences whose hash falls below ``share``: each is judged by itself, whatever the others are.

    At least one validates, and at least one is not; only then do the others matter.
    """
    place = {key: int.from_bytes(hashlib.sha256(f"{seed}|{key}".encode()).digest()[:8]) / 2**64 for key in sequences}
    ranked = sorted(sequences, key=place.__getitem__)
    below = sum(value < share for value in place.values())
    return set(ranked[: min(max(1, below), len(ranked) - 1)])


def _cut(ids: set[str], share: float) -> dict[str, str]:
    """The side of each frame of one sequence, "train" or "test"; frames in the gap have none."""
    ordered = sorted(ids, key=natural)
    block = min(round(share * len(ordered)), len(ordered) - 1)
    first = len(ordered) - block
    last = max(1, first - min(GAP, len(ordered) // 4)) if block else first
    return dict.fromkeys(ordered[:last], "train") | dict.fromkeys(ordered[first:], "test")
