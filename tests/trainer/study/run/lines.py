"""Runs of a study that are lines of Python, for the tests and for a process that they start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from trainer.study.plan import Run
from trainer.study.run.launch import Process

MAKE = "open('order','a').write('{id} ');open('{id}','a').write('made')"


def python(study: Path, words: Sequence[str], log: Path) -> Process:
    """A launcher for such runs."""
    with log.open("ab") as output:
        output.write(b"$ python -m x\n")
        output.flush()
        return subprocess.Popen([sys.executable, "-c", words[1]], cwd=study, stdout=output, stderr=output)


def run(name: str, *needs: str, code: str = MAKE, makes: str | None = None) -> Run:
    """A run that takes what it needs to be done, and makes a file of its name."""
    return Run(name, ("trainer", code.format(id=name)), needs, 1.0, makes or name)


def never(run: Run) -> None:
    """A choice that no run may ask for."""
    raise AssertionError(run)
