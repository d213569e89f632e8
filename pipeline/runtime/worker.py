"""Worker processes: how one is started, and what it does first, whatever its work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any


def start_process(serve: Callable[..., None], *given: Any) -> tuple[BaseProcess, Connection]:
    """A process that runs ``serve(line, *given)``, and our end of the line to it, closed when it dies."""
    # spawn: a forked child inherits the locks of OpenCV's, HDF5's and torch's threads, without the threads.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, *given), daemon=True)
    process.start()
    # With a copy of it left here, the line would outlive the process.
    theirs.close()
    return process, ours


def follow_parent() -> None:
    """Leave Ctrl-C to the parent, and end when it does.

    Ctrl-C reaches the whole terminal; the parent answers it and stops its workers. An orphan would wait for tasks for
    ever, or write the very files that the rerun is writing.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
