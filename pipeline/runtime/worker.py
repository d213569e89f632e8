"""Worker processes: how one is started, and what it does first, whatever its work."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

_STANDARD_OUTPUT, _STANDARD_ERROR = 1, 2
NOT_BEGUN = (
    "a worker process ended before it could begin (its own words are above): in a script of your own, start the work "
    'under `if __name__ == "__main__":`, because each worker imports the script'
)
"""What to say where no task and no lack of memory can have been at fault."""


def start_process(serve: Callable[..., None], *given: Any) -> tuple[BaseProcess, Connection]:
    """A process that runs ``serve(line, *given)``, and our end of the line to it, closed when it dies."""
    # spawn: a forked child inherits the locks of OpenCV's, HDF5's and torch's threads, without the threads.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(serve, theirs, *given), daemon=True)
    process.start()
    # With a copy of it left here, the line would outlive the process.
    theirs.close()
    return process, ours


def never_began(process: BaseProcess) -> bool:
    """Whether a process of :func:`start_process` that hung up ended before it came to its work."""
    process.join()
    return process.exitcode == 1


def _work(serve: Callable[..., None], *given: Any) -> None:
    """Serve; an error that ends it is told from one that kept it from beginning, for which Python exits with 1."""
    try:
        serve(*given)
    except Exception:  # noqa: BLE001 - printed as Python would
        traceback.print_exc()
        sys.exit(2)


def follow_parent() -> None:
    """Leave Ctrl-C and the standard output to the parent, and end when it does.

    Ctrl-C reaches the whole terminal; the parent answers it and stops its workers. An orphan would wait for tasks for
    ever, or write the very files that the rerun is writing. Standard output has the result alone: what a library prints
    goes to standard error.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.dup2(_STANDARD_ERROR, _STANDARD_OUTPUT)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
