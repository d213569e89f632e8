"""MATLAB files, read by a process of their own: scipy's reader takes its process down on some damaged ones."""

from __future__ import annotations

import contextlib
import os
import zlib
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pipeline.errors import CmdTirError, DataError
from pipeline.files.plain import open_plain
from pipeline.runtime.worker import NOT_BEGUN, follow_parent, never_began, start_process
from trainer.sequences.rows import MAX_BYTES

_SECONDS = 20
"""A file of ``MAX_BYTES`` takes far less; one of damaged sizes would be read for minutes."""
_MEMORY = 2**30
"""Bytes that a file may take in memory; damaged sizes ask for any number."""


def load_mat(path: Path) -> dict[str, Any]:
    """The variables of a MATLAB file up to version 7.

    Raises:
        DataError: unreadable, too large, or not such a file; the message names it.
        CmdTirError: its process could not begin.
    """
    try:
        with open_plain(path) as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                raise DataError(f"{path}: larger than {MAX_BYTES} bytes: not a file of boxes or curves")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}: check the path") from error
    content = _reader().read(path)
    if isinstance(content, str):
        raise DataError(f"{path}: not a MATLAB file up to version 7: save it with -v7 ({content})")
    return content


class _Reader:
    """A process that reads one file after the other, and may die of one."""

    def __init__(self) -> None:
        self._process, self._pipe = start_process(_serve)

    def read(self, path: Path) -> dict[str, Any] | str:
        """The variables, or what is wrong with the file."""
        try:
            self._pipe.send(path)
            if self._pipe.poll(_SECONDS):
                answer: dict[str, Any] | str = self._pipe.recv()
                return answer
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            if never_began(self._process):
                raise CmdTirError(NOT_BEGUN) from error
        # The next file gets a new process.
        self._process.kill()
        self._process.join()
        _reader.cache_clear()
        return "damaged"


@cache
def _reader() -> _Reader:
    """The process, started for the first file."""
    return _Reader()


def _serve(pipe: Connection) -> None:
    # Here, and not in the process that evaluates, which has no other use for it.
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    # What scipy stumbles over in a file of damaged structure.
    stumbles = (ValueError, TypeError, LookupError, ArithmeticError, NameError, MemoryError, NotImplementedError)
    follow_parent()
    _bound_memory()
    answer: dict[str, Any] | str
    # Until the other end is gone.
    with contextlib.suppress(EOFError):
        while True:
            path = pipe.recv()
            try:
                answer = dict(loadmat(path))
            except (MatReadError, zlib.error, OSError, *stumbles) as error:
                answer = " ".join(str(error).split()) or type(error).__name__
            pipe.send(answer)


def _bound_memory() -> None:
    """Let this process have only so much more memory than it has; where that cannot be said, time alone is bounded."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[5])
        resource.setrlimit(resource.RLIMIT_DATA, (pages * resource.getpagesize() + _MEMORY,) * 2)
