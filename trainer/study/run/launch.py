"""How a run of a study is started: a process of its own, on one thread, in the study's folder, its output in a log."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""One each, however many runs are side by side: with the number of threads the last bits of torch's sums change."""
HOME = Path(__file__).parents[3]
"""Where the packages are, that a run imports too."""

Process = subprocess.Popen[bytes]
Launch = Callable[[Path, Sequence[str], Path], Process]
"""Of the study's folder, a command's words and a log."""


def launch(study: Path, words: Sequence[str], log: Path) -> Process:
    """Start ``python -m`` of ``words`` in a folder; what it prints is added to ``log``.

    It is of this process's group, so that Ctrl-C and whatever ends the group reach it too.
    """
    path = os.pathsep.join([str(HOME), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | dict.fromkeys(THREADS, "1") | {"PYTHONPATH": path}
    # -P: a folder in the study that is called as a package is none.
    command = [sys.executable, "-P", "-m", *words]
    with log.open("ab") as output:
        output.write(f"$ python -m {' '.join(words)}\n".encode(errors="backslashreplace"))
        output.flush()
        return subprocess.Popen(  # noqa: S603 - words of our own plan
            command, cwd=study, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
