"""Where the commands start: a module whose name nobody shares looks whose ``pipeline`` and ``trainer`` would run.

Other distributions use the same import names, and what comes first on Python's path would run in place of ours, or end
in a traceback. So the question is put before any of them is imported, with the standard library alone.
"""

from __future__ import annotations

import atexit
import gc
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

COMMANDS = {
    "cmd-prep": "pipeline.cli:main",
    "cmd-train": "trainer.commands.train:main",
    "cmd-track": "trainer.commands.track:main",
    "cmd-eval": "trainer.commands.evaluate:main",
}
"""What each console script runs, ``module:function``."""

PACKAGES = ("pipeline", "trainer", "data_manifests")
HOME = Path(__file__).parent
MARK = b'DISTRIBUTION = "cmd-tir"'
"""A line of our packages' ``__init__.py``: one that another distribution wrote over in site-packages lacks it."""


def prep() -> None:
    """Run ``cmd-prep``; also ``python -m pipeline``."""
    _start("cmd-prep")


def train() -> None:
    """Run ``cmd-train``; also ``python -m trainer``."""
    _start("cmd-train")


def track() -> None:
    """Run ``cmd-track``."""
    _start("cmd-track")


def evaluate() -> None:
    """Run ``cmd-eval``."""
    _start("cmd-eval")


def _start(script: str) -> None:
    """Run a command, or end with one line on stderr and exit code 2 where a package is missing or not ours."""
    faults = filter(None, map(_fault, PACKAGES))
    if fault := next(faults, None):
        sys.stderr.write(f"error: {' '.join(fault.split())}\n")
        sys.exit(2)
    # Last of all: Python would look through everything for circles before it ends, a third of a second with torch.
    atexit.register(gc.freeze)
    module, _, function = COMMANDS[script].partition(":")
    getattr(import_module(module), function)()


def _fault(package: str) -> str | None:
    """What is wrong with the package that Python would import; ours lie beside this module and bear the mark."""
    spec = find_spec(package)
    # A folder without __init__.py has no origin: Python takes it only where it finds nothing better.
    if spec is None or spec.origin is None:
        return f"the package {package!r} is missing from {HOME}: install cmd-tir again"
    found, expected = Path(spec.origin), HOME / package / "__init__.py"
    if found.resolve() != expected.resolve():
        where = found.parent if found.name == expected.name else found
        return (
            f"Python would import {where} in place of the package {package!r} of cmd-tir in {HOME}: take "
            f"{where.parent} off its path (PYTHONPATH, or the working folder of python -m), or install cmd-tir in an "
            "environment of its own"
        )
    if MARK not in expected.read_bytes():
        return f"another distribution wrote over {expected.parent}: install cmd-tir again, in an environment of its own"
    return None


def _asked(words: list[str]) -> str:
    """The script that ``python -m cmd_tir SCRIPT ...`` names, taken out of the words; where none is, exit code 2."""
    if len(words) < 2 or words[1] not in COMMANDS:
        sys.stderr.write(f"error: python -m cmd_tir takes one of {', '.join(COMMANDS)} first\n")
        sys.exit(2)
    return words.pop(1)


if __name__ == "__main__":
    _start(_asked(sys.argv))
