"""The split of opened shards: their sequences, hashes of some of their pictures, and the pairs on either side."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DataError
from pipeline.files.hashing import bytes_sha256
from trainer.data.shards import Source
from trainer.data.split import copies
from trainer.data.split.old_rule import old_split, sides_of
from trainer.data.split.record import Known, Split
from trainer.data.split.rule import decide
from trainer.data.split.side import Kind, frame_of, key_of

HASH = 16
"""Hexadecimal digits of a picture's hash that are kept."""


def split_source(source: Source, share: float, seed: int, known: Split | None = None) -> Split:
    """The split of shards.

    Args:
        source: the shards.
        share: of the sequences to hold out.
        seed: of the split.
        known: what was decided before, which stays.
    """
    frames: dict[str, set[str]] = {}
    for name in source.names:
        frames.setdefault(key_of(*name), set()).add(frame_of(name[1]))
    new = frames.keys() - (known.sequences.keys() if known else ())
    return decide(frames, pictures_of(source, new), share, seed, known)


def old_split_source(source: Source, share: float, seed: int) -> tuple[Split, list[Kind]]:
    """The split of shards by the rule of version 0.1, as a record and as the side of every pair."""
    kinds = old_split(source.names_by_root, share, seed)
    sides = sides_of(source.names, kinds)
    pictures = pictures_of(source, sides)
    return Split(share, seed, {key: Known(side, pictures[key]) for key, side in sides.items()}), kinds


def pictures_of(source: Source, keys: Collection[str]) -> dict[str, dict[str, str]]:
    """Sequence -> frame -> hash of its visible picture's stored bytes, for some frames of each (:mod:`.copies`)."""
    where: dict[str, dict[str, tuple[int, int]]] = {key: {} for key in keys}
    for name, (reader, row) in zip(source.names, source.place[:, :2].tolist()):
        if (key := key_of(*name)) in where:
            where[key].setdefault(frame_of(name[1]), (reader, row))
    needed = sorted({reader for frames in where.values() for reader, _ in frames.values()})
    lengths = {each: np.diff(source.readers[each].array("pairs/rgb/offset").astype(np.int64)) for each in needed}
    found: dict[str, dict[str, str]] = {key: {} for key in where}
    for key, frames in where.items():
        for frame in copies.sampled({name: int(lengths[reader][row]) for name, (reader, row) in frames.items()}):
            reader, row = frames[frame]
            found[key][frame] = bytes_sha256(source.readers[reader].encoded("rgb", row))[:HASH]
    for each in needed:
        # Processes that are forked later open them for themselves.
        source.readers[each].close()
    return found


def kinds_of(source: Source, split: Split) -> list[Kind]:
    """The side of every pair."""
    sides = {key: known.side for key, known in split.sequences.items()}
    return [sides[key_of(*name)].of(frame_of(name[1])) for name in source.names]


def both_sides(source: Source, kinds: Sequence[Kind]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the training pairs and of the validation pairs; a pair without patches is in neither."""
    patched = source.place[:, 3] > source.place[:, 2]
    training, validation = (np.flatnonzero((np.asarray(kinds) == kind) & patched) for kind in ("training", "held_out"))
    return training, validation


def pairs_of(source: Source, kinds: Sequence[Kind], share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs on :func:`both_sides`, some of which train.

    Raises:
        DataError: nothing is left to train on.
    """
    training, validation = both_sides(source, kinds)
    if not len(training):
        held = kinds.count("held_out")
        raise DataError(f"no pair is left for training, {held} are held out: lower --set held_out={share}")
    return training, validation
