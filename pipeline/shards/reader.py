"""Read a shard. The file is opened by the process that reads it, never carried across a fork or a pickle."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline import images
from pipeline.errors import DataError
from pipeline.files.plain import open_plain
from pipeline.next_command import to_type
from pipeline.shards import schema
from pipeline.shards.heaps import heap_fault

DAMAGED = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError)
"""What h5py and numpy raise on a file whose bytes are not those that were written."""


class ShardReader:
    """Random access to one shard; picklable, safe under fork and spawn.

    HDF5 handles must not cross a fork, so each process opens the file for itself at its first read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: h5py.File | None = None
        self._held: dict[str, Any] = {}
        self._pid = -1

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "_file": None, "_held": {}, "_pid": -1}

    @property
    def file(self) -> h5py.File:
        """The open file of this process.

        Raises:
            DataError: it cannot be opened, or its structure is not a shard's; the message names the file.
        """
        if self._file is None or self._pid != os.getpid():
            self._file, self._pid, self._held = open_shard(self.path), os.getpid(), {}
        return self._file

    @contextlib.contextmanager
    def _naming(self) -> Iterator[None]:
        """Turn what HDF5 says of a damaged file into an error that names the file."""
        try:
            yield
        except DAMAGED as error:
            raise _damaged(self.path, error) from error

    def ids(self) -> list[str]:
        """The ``pair_id`` of every pair, in order."""
        with self._naming():
            return [name.decode() for name in self.file["pairs/id"][:]]

    def array(self, name: str) -> NDArray[np.generic]:
        """One whole dataset that is small beside the pictures, e.g. ``patches/box``."""
        with self._naming():
            return np.asarray(self.file[name][:])

    def tracks(self) -> NDArray[np.int32]:
        """(m,) the number of each patch's object in its sequence; -1 where it is not known, in all of schema 1.0."""
        with self._naming():
            unknown = "patches/track" not in self.file
            return (
                np.full(len(self.file["patches/pair"]), schema.NO_TRACK, np.int32)
                if unknown
                else np.asarray(self.file["patches/track"][:], np.int32)
            )

    def sequences(self) -> list[str] | None:
        """The sequence of every pair, in order; None where the file does not tell, as of schema 1.0."""
        with self._naming():
            return [name.decode() for name in self.file["pairs/sequence"][:]] if "pairs/sequence" in self.file else None

    def frames(self) -> NDArray[np.int64] | None:
        """(n,) frames of the video from the first one of each pair's sequence; None as for :meth:`sequences`."""
        with self._naming():
            return np.asarray(self.file["pairs/frame"][:], np.int64) if "pairs/frame" in self.file else None

    def row(self, name: str, row: int) -> NDArray[Any]:
        """One row of a dataset."""
        with self._naming():
            return np.asarray(self._large(name)[row])

    def encoded(self, modality: str, pair: int) -> bytes:
        """The stored bytes of one picture; ``modality`` is ``rgb`` or ``tir``."""
        with self._naming():
            start, end = self._small(f"pairs/{modality}/offset")[pair : pair + 2]
            return np.asarray(self._large(f"pairs/{modality}/bytes")[start:end]).tobytes()

    def valid(self, pair: int) -> NDArray[np.float64]:
        """Corners (4, 2) of what the TIR camera sees, in pixels of the RGB picture."""
        with self._naming():
            return np.asarray(self._small("pairs/valid")[pair], np.float64)

    def _large(self, name: str) -> h5py.Dataset:
        """A dataset, looked up once: by name it costs as much as reading a picture."""
        file = self.file
        if name not in self._held:
            self._held[name] = file[name]
        return self._held[name]

    def _small(self, name: str) -> NDArray[np.generic]:
        """A dataset of a few bytes a pair, read once."""
        file = self.file
        if name not in self._held:
            self._held[name] = np.asarray(file[name][:])
        content: NDArray[np.generic] = self._held[name]
        return content

    def rgb(self, pair: int) -> images.Rgb:
        """The visible picture of a pair, (H, W, 3) uint8 R, G, B."""
        return images.decode_rgb(self.encoded("rgb", pair), self.name("rgb", pair))

    def tir(self, pair: int) -> images.Tir:
        """The thermal picture of a pair in the RGB frame, (H, W) uint8."""
        return images.decode_tir(self.encoded("tir", pair), self.name("tir", pair))

    def name(self, modality: str, pair: int) -> str:
        """What an error calls a picture."""
        return f"{self.path} pairs/{modality}[{pair}]"

    def close(self) -> None:
        """Close this process's handle; the next read opens it again."""
        if self._file is not None and self._pid == os.getpid():
            self._file.close()
        self._file, self._held = None, {}


def open_shard(path: Path) -> h5py.File:
    """Open a shard for reading and check its structure.

    Raises:
        DataError: missing, cut short, not HDF5, or not a shard of this schema version; names file and fault.
    """
    try:
        # HDF5 would wait for a pipe for ever, too.
        with open_plain(path) as plain:
            endless = heap_fault(plain)
        if endless:
            raise _damaged(path, endless)
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        what = "no such file" if not path.exists() else "damaged or cut short, HDF5 cannot open it"
        raise DataError(f"{path}: {what}: {_look(path)}") from error
    try:
        wrong = schema.faults(file)
    except DAMAGED as error:
        file.close()
        raise _damaged(path, error) from error
    if wrong:
        file.close()
        raise DataError(f"{path}: {wrong[0]}")
    return file


def _damaged(path: Path, error: BaseException | str) -> DataError:
    return DataError(f"{path}: damaged shard ({' '.join(str(error).split())}): {_look(path)}")


def _look(path: Path) -> str:
    """What tells how a folder of shards is mended."""
    return f"see what mends it: {to_type('cmd-prep', 'verify', path.parent)}"
