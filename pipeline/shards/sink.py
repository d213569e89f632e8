"""Write an HDF5 file so that a full disk is an error and not the end of the process.

HDF5 keeps what it could not write, tries again when the file is closed and at exit, and brings the interpreter down.
Here it writes into a file object that takes everything, remembers the first failure, and tells it in the end.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from typing import TypeVar

import h5py

T = TypeVar("T")


class _Sink:
    """What h5py's driver for file objects asks for; after a failure it goes through the motions."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def _try(self, operation: Callable[[], T], otherwise: T) -> T:
        if self.error is None:
            try:
                return operation()
            except OSError as error:
                self.error = error
        return otherwise

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._try(lambda: self._file.seek(offset, whence), offset)

    def tell(self) -> int:
        return self._try(self._file.tell, 0)

    def read(self, size: int) -> bytes:
        return self._try(lambda: self._file.read(size), bytes(size))

    def write(self, data: memoryview) -> int:
        view = memoryview(data).cast("B")

        def whole() -> int:
            at = 0
            while at < len(view):
                at += self._file.write(view[at:])
            return at

        return self._try(whole, len(view))

    def truncate(self, size: int) -> int:
        return self._try(lambda: self._file.truncate(size), size)

    def flush(self) -> None:
        """Nothing is held back: the file has no buffer."""

    def finish(self) -> str:
        """Bring the bytes to the disk, and hash them while it works; return the SHA-256."""
        self.seek(0)
        with ThreadPoolExecutor(1) as disk:
            safe = disk.submit(os.fsync, self._file.fileno())
            digest = self._try(lambda: hashlib.file_digest(self._file, "sha256").hexdigest(), "")
        self._try(safe.result, None)
        return digest


def write_hdf5(path: Path, fill: Callable[[h5py.File], None]) -> str:
    """Write a new HDF5 file.

    Args:
        path: of the file; one that is there is replaced.
        fill: puts the content into it.

    Returns:
        SHA-256 of the file, hex, when its bytes are on the disk.

    Raises:
        OSError: they could not be written; the message names the file, which is removed.
    """
    with path.open("wb+", buffering=0) as raw:
        sink = _Sink(raw)
        with h5py.File(sink, "w") as file:
            fill(file)
        digest = sink.finish()
    if sink.error is not None:
        path.unlink()
        raise OSError(sink.error.errno, sink.error.strerror, str(path)) from sink.error
    return digest
