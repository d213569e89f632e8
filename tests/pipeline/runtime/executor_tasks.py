"""Tasks that worker processes of the executor's tests import."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from pipeline import detect
from pipeline.detect import DetectorSpec, build_detector
from pipeline.errors import DataError
from pipeline.runtime.counting import count


@dataclass(frozen=True)
class Job:
    """A number, and how many times the worker that takes it is to be killed; each kill leaves a file in ``folder``."""

    number: int
    folder: Path
    kills: int = 0


def square(job: Job) -> int:
    """The number squared, from a worker that lives to tell it."""
    for attempt in range(job.kills):
        scar = job.folder / f"{job.number}-{attempt}"
        if not scar.exists():
            scar.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    (job.folder / f"by-{os.getpid()}").touch()
    return job.number**2


def linger(job: Job) -> int:
    """A task that takes a minute."""
    (job.folder / f"by-{os.getpid()}").touch()
    time.sleep(60)
    return job.number


def refuse(job: Job) -> int:
    """An error of the data, as a stage raises it."""
    raise DataError(f"picture {job.number} is damaged")


def pid(job: Job) -> int:
    """The worker's process id."""
    return os.getpid()


def built(spec: DetectorSpec) -> tuple[int, int]:
    """The worker, and how many detectors it has built so far to do its tasks."""
    build_detector(spec)
    time.sleep(0.02)
    return os.getpid(), detect._built.cache_info().misses


def half(job: Job) -> int:
    """Counts half of its number, and the other half when somebody has seen that, for a minute at most."""
    count(job.number // 2)
    deadline = time.monotonic() + 60
    while not (job.folder / "go").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (job.folder / "go").exists(), "nobody looked"
    count(job.number // 2)
    return job.number


def numbered(job: Job) -> int:
    """Counts one at a time."""
    for _ in range(job.number):
        count()
    return job.number


def talkative(job: Job) -> int:
    """Prints."""
    print("a library talks", flush=True)  # noqa: T201
    return job.number
