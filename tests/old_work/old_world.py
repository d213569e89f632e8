"""What the tests of old work share: the commands as typed, and what a folder holds."""

from __future__ import annotations

import bz2
import contextlib
import io
import logging
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from click.testing import CliRunner

from pipeline.cli import main as prep
from trainer.commands.evaluate import main as evaluate

REPOSITORY = Path(__file__).resolve().parents[2]
OLD = REPOSITORY / "tests/fixtures/old_work"
COMMANDS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
HERE = {"cmd-prep": prep, "cmd-eval": evaluate}
"""Commands that run in this process; the others set the threads of theirs."""


def command(work: Path, *words: object, code: int = 0) -> str:
    """Run a command in a folder; check its exit code and return all that it said."""
    name, *given = map(str, words)
    ended, said = _here(work, name, given) if name in HERE else _apart(work, name, given)
    assert ended == code, said
    assert "Traceback" not in said
    return said


def _here(work: Path, name: str, given: list[str]) -> tuple[int, str]:
    """Run it as it is called; return its exit code and what it said."""
    log = logging.StreamHandler(io.StringIO())
    logging.getLogger().addHandler(log)
    try:
        with contextlib.chdir(work):
            done = CliRunner().invoke(HERE[name], given, prog_name=name)
    finally:
        logging.getLogger().removeHandler(log)
    return done.exit_code, done.output + log.stream.getvalue()


def _apart(work: Path, name: str, given: list[str]) -> tuple[int, str]:
    """Run it as its script would start it."""
    module, function = COMMANDS[name].split(":")
    start = f"import sys; sys.argv[0] = {name!r}; from {module} import {function}; {function}()"
    done = subprocess.run(
        [sys.executable, "-c", start, *given], cwd=work, capture_output=True, text=True, timeout=300,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def kept(folder: Path, *patterns: str) -> dict[str, tuple[int, bytes]]:
    """When the files of a folder were written, and their bytes."""
    files = sorted(path for pattern in patterns for path in folder.glob(pattern))
    assert files
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def unpack(run: Path) -> Path:
    """Write the weights of a run where they belong."""
    for packed in run.glob("*.bz2"):
        packed.with_suffix("").write_bytes(bz2.decompress(packed.read_bytes()))
        packed.unlink()
    return run
