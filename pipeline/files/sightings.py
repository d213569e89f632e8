"""Whether a file is still in the state in which its bytes were hashed, without hashing them again.

By inode, size, and the times of the last change of content and of state, as git's index and borg's cache of files do
it. The last one no program sets as it likes, so a file whose time of content was set back is noticed too.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np

from pipeline.files.plain import stamp
from pipeline.files.writing import written

SEEN = "seen.npy"
"""Beside ``aligned.jsonl``: the sightings of its files."""
SETTLED_S = 2.0
"""Seconds for which a file must have been left alone before it was read: of two changes within one step of its file
system's clock, two seconds on FAT, the second one leaves no trace."""


def sighting(state: os.stat_result, sha256: str) -> int:
    """A number of 64 bits that stands for a file in this state with bytes of this hash (hex)."""
    told = f"{sha256} {state.st_ino} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}"
    return int.from_bytes(hashlib.blake2b(told.encode(), digest_size=8).digest(), "little")


def settled(state: os.stat_result, read_at: float) -> bool:
    """Whether any later change would show in a file's state.

    Args:
        state: as it was after the bytes had been read.
        read_at: when that was begun, seconds since the epoch.
    """
    return read_at - state.st_ctime >= SETTLED_S


def save(path: Path, sightings: Iterable[int]) -> None:
    """Write sightings as a NumPy file of uint64, each once, sorted."""
    with written(path, suffix=".npy") as part:
        np.save(part, np.unique(np.fromiter(sightings, np.uint64)), allow_pickle=False)


def load(path: Path) -> frozenset[int]:
    """The sightings of a file; none where it is absent or damaged, which costs nothing but time."""
    return _load(path, stamp(path))


@lru_cache(maxsize=2)
def _load(path: Path, _file: tuple[int, ...]) -> frozenset[int]:
    try:
        return frozenset(np.load(path, allow_pickle=False).astype(np.uint64, casting="no").tolist())
    except (OSError, ValueError, TypeError):
        return frozenset()
