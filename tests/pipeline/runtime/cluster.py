"""A real Dask cluster for the tests: a scheduler and its workers, each a process of its own, talking over TCP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from ...conftest import REPOSITORY

DASK = str(Path(sys.executable).with_name("dask"))


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds; whether it came to hold."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


class Cluster:
    """``dask scheduler`` and ``dask worker`` on this machine; their logs lie in ``folder``."""

    def __init__(self, folder: Path, workers: int = 2, *words: str, plugins: Path | None = None) -> None:
        self.path = os.pathsep.join(map(str, filter(None, (REPOSITORY, plugins))))
        folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.folder = folder
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        self.workers = [self.join(*words) for _ in range(workers)]

    def join(self, *words: str) -> subprocess.Popen[bytes]:
        """Start one more worker, in a folder of its own: nothing may depend on where it was started."""
        return self._start("worker", self.address, "--nthreads", "1", "--no-nanny", *words)

    def restart_scheduler(self) -> None:
        """Kill the scheduler, its workers with it, and start all again at the same address."""
        for process in (self.scheduler, *self.workers):
            process.kill()
            process.wait()
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        self.workers = [self.join() for _ in self.workers]

    def _start(self, role: str, *words: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": self.path, "OMP_NUM_THREADS": "1"}
        place = self.folder / f"{role}-{time.monotonic_ns()}"
        place.mkdir()
        with (place / "log").open("wb") as log:
            return subprocess.Popen(
                [DASK, role, *words, "--no-dashboard"], cwd=place, env=environment, stdout=log, stderr=log
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
