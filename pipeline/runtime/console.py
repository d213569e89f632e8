"""Standard output and standard error on which no output ends a command.

The work of hours must not end in its last table because the console has no letter for a file's name, or because nobody
reads the pipe any more.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STANDARD_OUTPUT, _STANDARD_ERROR = 1, 2


def make_lasting() -> None:
    """Make the standard streams ones that write what they can; streams that a test put in their place stay."""
    sys.stdout = _lasting(sys.stdout, sys.__stdout__)
    sys.stderr = _lasting(sys.stderr, sys.__stderr__)


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Drop what a C library writes to standard error in the block: it has no other way, and no fault, to tell."""
    try:
        kept = os.dup(_STANDARD_ERROR)
    except OSError:
        # Closed by the shell (``2>&-``).
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), _STANDARD_ERROR)
        yield
    finally:
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)


def on_terminal() -> bool:
    """Whether the error stream is a terminal."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:
        # Somebody has closed it.
        return False


def terminal_size() -> tuple[int, int]:
    """Columns and rows of the terminal that a bar may take: a small one where it does not say, as in containers."""
    try:
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        columns, rows = 0, 0
    return (columns or 80) - 1, rows or 24


def _lasting(stream: TextIO | None, standard: TextIO | None) -> TextIO:
    if stream is None:
        # Closed by the shell (``>&-``). It stays open as long as the process.
        return Path(os.devnull).open("w", encoding="utf-8")
    if stream is not standard or not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Lasting(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors="backslashreplace",
        # One that Python does not buffer (PYTHONUNBUFFERED) has no buffer below it that would hold a line back.
        line_buffering=stream.line_buffering or stream.write_through,
    )


class _Lasting(io.FileIO):
    """A file that loses what cannot be written: to a pipe without a reader, to a terminal that is gone."""

    _told = False

    def write(self, data: ReadableBuffer, /) -> int:
        """Write, or pass over; a full disk under standard output is told once."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno != errno.EPIPE and self.fileno() == _STANDARD_OUTPUT and not self._told:
                self._told = True
                with contextlib.suppress(OSError):
                    os.write(_STANDARD_ERROR, f"warning: standard output is lost: {error.strerror}\n".encode())
            return memoryview(data).nbytes
