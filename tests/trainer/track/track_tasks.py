"""Work that the processes of the pool's tests import."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.errors import DataError


def counter() -> Callable[[int], Iterator[tuple[int, int]]]:
    """Work that yields (process, each number below the task's)."""

    def work(task: int) -> Iterator[tuple[int, int]]:
        for number in range(task):
            yield os.getpid(), number

    return work


def refuser() -> Callable[[int], Iterator[int]]:
    """Work that refuses the number 3."""

    def work(task: int) -> Iterator[int]:
        if task == 3:
            raise DataError("three is not a number")
        yield task

    return work


def suicide() -> Callable[[int], Iterator[int]]:
    """Work that kills its process."""

    def work(task: int) -> Iterator[int]:
        os.kill(os.getpid(), signal.SIGKILL)
        yield task

    return work


def lingerer() -> Callable[[Path], Iterator[int]]:
    """Work that says which process it is in, then goes on for a minute without Ctrl-C meaning anything to it."""

    def work(task: Path) -> Iterator[int]:
        yield os.getpid()
        for _ in range(600):
            time.sleep(0.1)
        task.touch()

    return work
