"""Which browser `make pages` takes, and what it says without one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import REPOSITORY


def find(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {key: value for key, value in os.environ.items() if key != "CHROME"}
    given |= {"PATH": str(folder), "PYTHONPATH": str(REPOSITORY)} | environment
    words = [sys.executable, "-m", "tools.chromium"]
    return subprocess.run(words, cwd=REPOSITORY, env=given, capture_output=True, text=True, check=False)


def program(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_one_on_the_path_is_found_and_one_that_is_named_goes_first(tmp_path: Path) -> None:
    plain = program(tmp_path / "google-chrome")
    assert find(tmp_path).stdout.strip() == str(plain)
    named = program(tmp_path / "other")
    assert find(tmp_path, CHROME=str(named)).stdout.strip() == str(named)


@pytest.mark.parametrize(
    ("environment", "told"), [({}, "no Chromium on the path"), ({"CHROME": "/gone"}, "CHROME=/gone is no program")]
)
def test_without_a_browser_it_ends_with_2_in_one_line(tmp_path: Path, environment: dict[str, str], told: str) -> None:
    ended = find(tmp_path, **environment)
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: {told}")
