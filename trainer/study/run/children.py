"""The processes of runs: begun, seen to end, and stopped with the study."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.study.plan.run import Run
from trainer.study.run.launch import Process

PATIENCE_S = 30.0
"""For a run to end in order when it is asked to."""
LAST_WORDS = 4096


@dataclass(frozen=True)
class Ended:
    """A run that has ended.

    Attributes:
        code: its exit code; negative, the signal that killed it.
        cpu_s: CPU-seconds of the process and of those that it waited for.
        wall_s: seconds from its start on.
    """

    code: int
    cpu_s: float
    wall_s: float


class Child:
    """A run that is running.

    Args:
        run: which.
        process: its process.
        log: its output.
        starts: how often it has been begun, this time included.
    """

    def __init__(self, run: Run, process: Process, log: Path, starts: int) -> None:
        self.run, self.log, self.starts = run, log, starts
        self.process, self._begun = process, time.monotonic()

    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._begun

    def ended(self) -> Ended | None:
        """What became of it; None while it runs."""
        pid, status, used = os.wait4(self.process.pid, os.WNOHANG)
        if not pid:
            return None
        # Popen has not seen the end, and would look for it in vain.
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return Ended(self.process.returncode, used.ru_utime + used.ru_stime, self.seconds())

    def why(self, code: int) -> str:
        """What it said last, in a line."""
        how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
        with contextlib.suppress(OSError):
            lines = self.log.read_bytes()[-LAST_WORDS:].decode(errors="replace").splitlines()
            if said := [line for line in lines if line.startswith("error: ")]:
                return f"{how} ({said[-1].removeprefix('error: ')})"
        return how


def stop(children: Sequence[Child]) -> None:
    """Ask processes to end, wait until they have, and kill those that do not."""
    processes = [child.process for child in children if child.process.poll() is None]
    for process in processes:
        process.terminate()
    until = time.monotonic() + PATIENCE_S
    try:
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()
