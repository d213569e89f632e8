"""Where features are kept: in memory, or in a folder that runs share. Both are bounded, and what is full stays so."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from abc import ABC, abstractmethod
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.files.plain import read_plain
from pipeline.files.writing import parts_of, write_bytes

log = logging.getLogger(__name__)

GIB = 2**30
MEMORY_GIB, FOLDER_GIB = 1.0, 16.0
"""What is kept at most where nothing else is said."""
_DIGEST = 16
_ABANDONED = 3600
"""Seconds after which a part is one that a killed writer left."""


class Store(ABC):
    """Entries by key, as many as fit.

    What came first stays: windows come back epoch by epoch, in the same order, and dropping the oldest would drop each
    just before it is wanted.

    Args:
        limit: bytes.
    """

    where: str
    """As people read it."""
    whose: str
    """What is kept there, as people read it."""

    def __init__(self, limit: int) -> None:
        self.limit, self.used = limit, 0
        self._told: set[str] = set()

    @abstractmethod
    def serves(self, again: bool) -> bool:
        """Whether windows are looked for and kept here; ``again`` is whether this run will see them again."""

    @abstractmethod
    def get(self, key: str, size: int) -> bytes | None:
        """The entry of a key, ``size`` bytes; None where there is none."""

    @abstractmethod
    def _keep(self, key: str, entry: bytes) -> None:
        """Keep an entry in the place of what there is of that key."""

    @abstractmethod
    def _taken(self, key: str) -> int:
        """What there is of a key takes, bytes; 0 where there is nothing."""

    def put(self, key: str, entry: bytes) -> None:
        """Keep an entry, where there is room: one that was damaged makes way for it."""
        replaced = self._taken(key)
        if self.used - replaced + len(entry) > self.limit:
            self._tell_once(f"{self.where} is full ({self.limit / GIB:.3g} GiB, setting feature_gib)")
            return
        self._keep(key, entry)
        self.used += self._taken(key) - replaced

    def _tell_once(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            log.warning("features: %s: those of other windows are computed whenever they are wanted", what)


class MemoryStore(Store):
    """Entries of this process, of windows that it will see again."""

    where, whose = "memory", "windows that come again"

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._entries: dict[str, bytes] = {}

    def serves(self, again: bool) -> bool:
        """Only windows that come again."""
        return again

    def get(self, key: str, size: int) -> bytes | None:
        """See :meth:`Store.get`."""
        entry = self._entries.get(key)
        return entry if entry is not None and len(entry) == size else None

    def _keep(self, key: str, entry: bytes) -> None:
        self._entries[key] = entry

    def _taken(self, key: str) -> int:
        return len(self._entries.get(key, b""))


class FolderStore(Store):
    """Entries in files, one each, behind a hash of their bytes: of this run and of others, also at the same time.

    ``ab/abcdef...`` is the file of key ``abcdef...``, written whole or not at all. Two writers of one key write the
    same. Each process counts what it finds when it starts and what it writes, so that several may exceed the bound.

    Args:
        folder: made where it is missing.
        limit: bytes of all that lies there.

    Raises:
        UsageError: the folder cannot be made.
    """

    whose = "windows"

    def __init__(self, folder: Path, limit: int) -> None:
        super().__init__(limit)
        self.where, self.folder = str(folder), folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--feature-cache {folder}: {error.strerror}: choose another folder") from error
        self._sweep()
        self.used = sum(stat.st_size for path in folder.glob("??/*") if (stat := _stat(path)))

    def serves(self, again: bool) -> bool:
        """All windows: another run may have seen them, or will."""
        return True

    def get(self, key: str, size: int) -> bytes | None:
        """See :meth:`Store.get`; what is damaged counts as not there, and is told."""
        path = self._path(key)
        try:
            content = read_plain(path, _DIGEST + size)
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("features: %s: %s: computed again", path, error.strerror)
            return None
        seal, entry = content[:_DIGEST], content[_DIGEST:]
        if len(entry) == size and seal == _seal(key, entry):
            return entry
        log.warning("features: %s: damaged: computed again", path)
        return None

    def _keep(self, key: str, entry: bytes) -> None:
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, _seal(key, entry) + entry)
        except OSError as error:
            self._tell_once(f"{self.folder} cannot be written ({error.strerror})")

    def _taken(self, key: str) -> int:
        stat = _stat(self._path(key))
        return stat.st_size if stat else 0

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def _sweep(self) -> None:
        """Remove what killed writers left behind; a part that is young may have a writer."""
        for pattern in parts_of("??/*"):
            for part in self.folder.glob(pattern):
                if (stat := _stat(part)) and time.time() - stat.st_mtime > _ABANDONED:
                    part.unlink(missing_ok=True)


def _stat(path: Path) -> os.stat_result | None:
    """What the system says of a file; None of one that is not there, such as a part whose writer is done."""
    try:
        return path.stat()
    except OSError:
        return None


def _seal(key: str, entry: bytes) -> bytes:
    """A hash of an entry under its key: a file under another's name is not taken for it."""
    return hashlib.blake2b(entry, digest_size=_DIGEST, key=key.encode()).digest()


def make_store(folder: Path | None, gib: float | None) -> Store | None:
    """The store that settings ask for; None where nothing is to be kept.

    Raises:
        UsageError: the folder cannot be made.
    """
    gib = (FOLDER_GIB if folder else MEMORY_GIB) if gib is None else gib
    if not gib:
        return None
    return FolderStore(folder, int(gib * GIB)) if folder else MemoryStore(int(gib * GIB))
