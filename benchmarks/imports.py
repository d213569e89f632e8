"""CPU seconds of `--help` beyond those of a bare interpreter that imports click and numpy."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import report

ROUNDS = 7


def cpu_seconds(words: list[str]) -> float:
    """Median CPU seconds of a process."""
    spent = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(spent)


def main() -> None:
    """Print one line a command."""
    bare = cpu_seconds([sys.executable, "-c", "import click, numpy"])
    for command in ("cmd-prep", "cmd-train"):
        ours = cpu_seconds([str(Path(sys.executable).parent / command), "--help"])
        report("imports", command=command, cpu_s=ours, bare_cpu_s=bare, beyond_s=ours - bare, ratio=ours / bare)


if __name__ == "__main__":
    main()
