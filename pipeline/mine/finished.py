"""Which shards an earlier run finished: they are kept if they are what that run wrote."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.errors import DataError
from pipeline.files.hashing import file_sha256
from pipeline.files.json_text import read_json
from pipeline.shards.index import INDEX, load_index
from pipeline.shards.writer import stats_path

log = logging.getLogger(__name__)

READERS = 4
"""Threads that hash files: hashing releases the GIL."""


def finished(shards: Sequence[Path], quick: bool) -> list[bool]:
    """Whether each shard is there and what its stats file, written last, says of it.

    Args:
        shards: paths of the files.
        quick: look at their sizes, not at their bytes.
    """
    there = [shard.is_file() and stats_path(shard).is_file() for shard in shards]
    # Most runs are first ones, and threads take milliseconds to begin.
    if not any(there):
        return there
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda shard, here: here and _as_written(shard, quick), shards, there))


def complete(folder: Path, quick: bool) -> bool:
    """Whether every shard that the index of a folder names is there, as :func:`finished` tells."""
    if not (folder / INDEX).is_file():
        return False
    return all(finished([folder / entry.file for entry in load_index(folder).shards], quick))


def _as_written(shard: Path, quick: bool) -> bool:
    try:
        noted = read_json(stats_path(shard))
    except DataError:
        noted = {}
    same = noted.get("bytes") == shard.stat().st_size and (quick or noted.get("sha256") == file_sha256(shard))
    if not same:
        log.warning("%s is not what was written: it is made again", shard)
    return same
