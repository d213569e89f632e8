"""Shards opened for training: where each pair and patch lies."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DataError, UsageError
from pipeline.next_command import to_type
from pipeline.shards.index import ShardEntry, ShardIndex, index_faults, load_index
from pipeline.shards.reader import ShardReader
from trainer.recipes.patch_kinds import fits, kind_of, to_mine

log = logging.getLogger(__name__)
UNTOLD = -1
"""The frame of a pair whose shard does not tell it."""
_sound: set[tuple[object, ...]] = set()
"""Shards that this process has found as they were written, as they lay on disk then."""


@dataclass(frozen=True)
class Source:
    """Shards opened for training: readers, and the flat list of pairs with their patches."""

    indexes: tuple[ShardIndex, ...]
    readers: tuple[ShardReader, ...]
    names: tuple[tuple[str, str], ...]
    """(data set, pair_id) of every pair: the manifest's name, or the root folder's where the shards do not say it."""
    sequence: tuple[str, ...]
    """The sequence of every pair; its id without the last part where the shards do not say it."""
    frame: NDArray[np.int64]
    """(pairs,) frames of the video from the first one of its sequence; -1 where the shards do not say it."""
    place: NDArray[np.int64]
    """(pairs, 4): reader, row of ``pairs``, first patch, end of patches in :attr:`box`."""
    box: NDArray[np.float64]
    """(patches, 4) pseudo boxes, grouped by pair."""
    track: NDArray[np.int32]
    """(patches,) the number of each box's object in its sequence; -1 where it is not known."""

    def pair_of(self, patch: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """The pair that holds a patch, or each of several."""
        # Of pairs that begin at one patch the last one holds it; those before hold none.
        return np.asarray(np.searchsorted(self.place[:, 2], patch, "right") - 1)

    def stored(self, pair: int) -> tuple[ShardReader, int]:
        """Where a pair is: the reader of its shard, and its row there."""
        shard, row = self.place[pair, :2].tolist()
        return self.readers[shard], row

    @property
    def tir_ranges(self) -> list[Any]:
        """How the TIR of the shards became 8 bits, without repeats; empty where the shards do not say it."""
        every = [policy for index in self.indexes for policy in index.source.get("tir_ranges", [])]
        return [policy for place, policy in enumerate(every) if policy not in every[:place]]

    @property
    def names_by_root(self) -> list[tuple[str, str]]:
        """(name of the root folder, pair_id) of every pair."""
        roots = [_root_name(index) for index in self.indexes for _ in index.shards]
        return [(roots[reader], pair_id) for reader, (_, pair_id) in zip(self.place[:, 0], self.names)]

    @property
    def fingerprint(self) -> str:
        """:func:`fingerprint` of the shards."""
        return fingerprint(self.indexes)


def fingerprint(indexes: Iterable[ShardIndex]) -> str:
    """One hash over the hashes of all shards."""
    digest = hashlib.sha256()
    for index in indexes:
        for entry in index.shards:
            digest.update(entry.sha256.encode())
    return digest.hexdigest()


def open_source(folders: tuple[Path, ...]) -> Source:
    """Open folders of shards; every file is checked against its hash first, once in a process.

    Args:
        folders: that `cmd-prep mine` wrote.

    Raises:
        DataError: a folder without index, a shard that is missing, altered, cut short or of another schema, by name.
    """
    indexes = tuple(load_index(folder) for folder in folders)
    for folder, index in zip(folders, indexes):
        if faults := _faults(folder, index):
            line = to_type("cmd-prep", "verify", folder)
            raise DataError(f"{faults[0]} ({len(faults)} faults in all): see all of them, and what mends them: {line}")
    readers: list[ShardReader] = []
    names: list[tuple[str, str]] = []
    sequences: list[str] = []
    frames: list[NDArray[np.int64]] = []
    places: list[NDArray[np.int64]] = []
    boxes: list[NDArray[np.float64]] = []
    tracks: list[NDArray[np.int32]] = []
    total = 0
    for folder, index in zip(folders, indexes):
        data_set = str(index.source.get("manifest") or _root_name(index))
        for entry in index.shards:
            reader = ShardReader(folder / entry.file)
            ids, owner = reader.ids(), reader.array("patches/pair").astype(np.int64)
            order = np.argsort(owner, kind="stable")
            bounds = total + np.searchsorted(owner[order], np.arange(len(ids) + 1))
            boxes.append(reader.array("patches/box").astype(np.float64)[order])
            tracks.append(reader.tracks()[order])
            rows = np.arange(len(ids))
            places.append(np.stack([np.full(len(ids), len(readers)), rows, bounds[:-1], bounds[1:]], axis=1))
            names += [(data_set, pair_id) for pair_id in ids]
            told, steps = reader.sequences(), reader.frames()
            sequences += [pair_id.rpartition("/")[0] for pair_id in ids] if told is None else told
            frames.append(np.full(len(ids), UNTOLD) if steps is None else steps)
            total += len(owner)
            readers.append(reader)
            reader.close()
    place = np.concatenate(places) if places else np.zeros((0, 4), np.int64)
    if not total:
        raise DataError(f"{', '.join(map(str, folders))}: no patches in these shards: mine with other settings")
    known = tuple(readers), tuple(names), tuple(sequences), np.concatenate(frames)
    return Source(indexes, *known, place, np.concatenate(boxes), np.concatenate(tracks))


def _faults(folder: Path, index: ShardIndex) -> list[str]:
    """Faults of the shards of a folder that this process has not found sound, or that have been altered since."""
    new = [(entry, stamp) for entry in index.shards if (stamp := _stamp(folder, entry)) not in _sound]
    faults = index_faults(folder, index.model_copy(update={"shards": tuple(entry for entry, _ in new)}))
    if not faults:
        _sound.update(stamp for _, stamp in new)
    return faults


def _stamp(folder: Path, entry: ShardEntry) -> tuple[object, ...]:
    """What says of a file that it is still the one that was hashed."""
    path = (folder / entry.file).resolve()
    try:
        stat = path.stat()
    except OSError:
        return (path,)
    return path, entry, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _root_name(index: ShardIndex) -> str:
    return Path(str(index.source.get("root", ""))).name


def of_kind(folders: Sequence[Path], wanted: str) -> tuple[Path, ...]:
    """The folders whose index says that they hold a kind of patches (:mod:`trainer.recipes.patch_kinds`).

    Raises:
        DataError: a folder has no readable index.
    """
    return tuple(folder for folder in folders if fits(kind_of(load_index(folder).settings), wanted))


def asked_for(folders: Sequence[Path], wanted: str) -> tuple[Path, ...]:
    """The folders of a kind of patches that somebody asked for.

    Raises:
        UsageError: there is none.
        DataError: a folder has no readable index.
    """
    chosen = of_kind(folders, wanted)
    if not chosen:
        line = to_mine(wanted, mined_by(folders))
        raise UsageError(
            f"--patches {wanted}: these shards hold {held_by(folders)}: choose others, or mine some: {line}"
        )
    return chosen


def mined_by(folders: Sequence[Path]) -> dict[Path, tuple[str, ...]]:
    """The command that made each folder, as its index has it; empty where that has none.

    Raises:
        DataError: a folder has no readable index.
    """
    return {folder: load_index(folder).typed for folder in folders}


def held_by(folders: Sequence[Path]) -> str:
    """The kinds of patches in some folders, as people read them."""
    return ", ".join(sorted({kind_of(load_index(folder).settings) for folder in folders})) or "nothing"
