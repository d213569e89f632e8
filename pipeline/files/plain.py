"""Opening what a user hands in: plain files only, of bounded size, so that no read lasts for ever or fills memory."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        OSError: it cannot be opened, or is a folder, a pipe, a socket or a device.
    """
    # Asked before it is opened: opening a pipe waits until somebody writes to it, and opening a device may act on it.
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    return path.open("rb")


def stamp(path: Path | None) -> tuple[int, ...]:
    """What changes when a file is written again, empty where there is none.

    What a process keeps of a file is kept under it: a Dask worker or a notebook lives longer than its input.
    """
    try:
        found = path.stat() if path else None
    except OSError:
        found = None
    return (found.st_size, found.st_mtime_ns, found.st_ino) if found else ()


def read_plain(path: Path, limit: int) -> bytes:
    """Read a whole file of at most ``limit`` bytes; errors as :func:`read_with_state`."""
    return read_with_state(path, limit)[0]


def read_with_state(path: Path, limit: int) -> tuple[bytes, os.stat_result]:
    """Read a whole file of at most ``limit`` bytes, and its state when they had been read.

    Raises:
        OSError: as :func:`open_plain`, or it is larger; nothing of it has been read then.
    """
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise OSError(errno.EFBIG, f"larger than {limit} bytes", str(path))
        # No more than that: some files of the kernel's own claim no size and never end.
        data = file.read(size)
        return data, os.fstat(file.fileno())
