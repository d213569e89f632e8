"""A process to try hostile input in: bounded in memory and time, and what becomes of it is an outcome, not the end."""

from __future__ import annotations

import contextlib
import multiprocessing
import resource
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from pipeline.errors import CmdTirError

MEGABYTES = 1024
"""Address space that a case may take on top of what the process has."""
SECONDS = 30


@dataclass(frozen=True)
class Outcome:
    """What became of one case.

    Attributes:
        kind: ``read`` (a value came back), ``named`` (one of the project's errors), or ``bug`` (any other exception),
            ``crash`` (the process died), ``hang`` (it was stopped).
        told: the value or the message.
        seconds: how long it took.
    """

    kind: str
    told: str
    seconds: float = 0.0

    @property
    def survived(self) -> bool:
        """Whether the project behaved."""
        return self.kind in ("read", "named")


def _serve(pipe: Connection) -> None:
    pipe.recv()
    # Only now, since what is imported takes more than half of that.
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEGABYTES * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    pipe.send("imported")
    with contextlib.suppress(EOFError):
        while True:
            function, case = pipe.recv()
            start = time.monotonic()
            try:
                kind, told = "read", repr(function(case))[:500]
            except CmdTirError as error:
                kind, told = "named", str(error)
            except BaseException:  # noqa: BLE001 - whatever it is, it is the outcome
                kind, told = "bug", traceback.format_exc()
            pipe.send(Outcome(kind, told, time.monotonic() - start))


class Sandbox:
    """Runs cases one after the other in a process that is replaced when a case kills it."""

    def __init__(self) -> None:
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    def attempt(self, function: Callable[[Path], object], case: Path) -> Outcome:
        """What becomes of ``function(case)``; the function must be one of a module."""
        if self._process is None or self._pipe is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            # No daemon: it may start processes. Without its parent it ends, since nothing is at the other end any more.
            self._process = context.Process(target=_serve, args=(theirs,))
            self._process.start()
            theirs.close()
            # The first function sent brings the imports of all: a busy machine may take its time for them.
            self._pipe.send(function)
            self._pipe.recv()
        self._pipe.send((function, case))
        try:
            if self._pipe.poll(SECONDS):
                found: Outcome = self._pipe.recv()
                return found
            outcome = Outcome("hang", f"more than {SECONDS} s", SECONDS)
        except EOFError:
            self._process.join()
            outcome = Outcome("crash", f"exit code {self._process.exitcode}")
        self.close()
        return outcome

    def close(self) -> None:
        """End the process."""
        if self._process is not None and self._pipe is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
        self._process = self._pipe = None


@contextlib.contextmanager
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that is closed at the end."""
    box = Sandbox()
    try:
        yield box
    finally:
        box.close()
