"""What every worker process of this project does first, whatever its work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading


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
