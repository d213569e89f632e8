"""What the tests of old work share: the commands as typed, and what a folder holds."""

from __future__ import annotations

import bz2
import os
import subprocess
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
OLD = REPOSITORY / "tests/fixtures/old_work"
COMMANDS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]


def command(work: Path, *words: object, code: int = 0) -> str:
    """Run a command in a folder, as its script would start it; check its exit code and return all that it said."""
    module, function = COMMANDS[str(words[0])].split(":")
    start = f"import sys; sys.argv[0] = {str(words[0])!r}; from {module} import {function}; {function}()"
    done = subprocess.run(
        [sys.executable, "-c", start, *map(str, words[1:])], cwd=work, capture_output=True, text=True, timeout=300,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


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
