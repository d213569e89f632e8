"""Write an HDF5 file so that a full disk is an error and not the end of the process.

HDF5 keeps what it could not write, tries again when the file is closed and at exit, and brings the interpreter down.
Here it writes into a file object that takes everything, remembers the first failure, and tells it in the end.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

import h5py

T = TypeVar("T")


class _Sink:
    """What h5py's driver for file objects asks for; after a failure it goes through the motions."""

    def __init__(self, file: BinaryIO) -> None:
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


@contextlib.contextmanager
def created(path: Path) -> Iterator[h5py.File]:
    """A new HDF5 file whose bytes are on the disk when the block ends.

    Raises:
        OSError: they could not be written; the message names the file, which is removed.
    """
    with path.open("wb+", buffering=0) as raw:
        sink = _Sink(raw)
        with h5py.File(sink, "w") as file:
            yield file
        if sink.error is None:
            os.fsync(raw.fileno())
    if sink.error is not None:
        path.unlink()
        raise OSError(sink.error.errno, sink.error.strerror, str(path)) from sink.error
