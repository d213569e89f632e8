"""`make demo` and `make clean` remove what demo made, and never anything else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import REPOSITORY

MARK = ".made-by-demo"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile, and commands that do nothing."""
    if not shutil.which("make"):
        pytest.skip("needs make")
    shutil.copy(REPOSITORY / "Makefile", tmp_path / "Makefile")
    (tmp_path / "venv/bin").mkdir(parents=True)
    for name in ("cmd-prep", "cmd-train", "cmd-track", "cmd-eval"):
        (tmp_path / "venv/bin" / name).symlink_to("/bin/true")
    return tmp_path


def make(checkout: Path, target: str, out: str) -> subprocess.CompletedProcess[str]:
    """Run a target, as if ``setup`` had been done."""
    words = ["make", "-o", "setup", target, f"OUT={out}", "VENV=venv"]
    return subprocess.run(words, cwd=checkout, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("target", ["demo", "clean"])
@pytest.mark.parametrize("out", ["precious", "precious/inner", "."])
def test_what_others_made_is_refused_and_stays(checkout: Path, target: str, out: str) -> None:
    (checkout / "precious/inner").mkdir(parents=True)
    (checkout / "precious/inner/thesis.tex").write_text("years of work")
    done = make(checkout, target, out)
    assert done.returncode == 2
    assert f"error: {out} was not made by make demo" in done.stderr
    assert (checkout / "precious/inner/thesis.tex").read_text() == "years of work"


def test_what_demo_made_is_made_anew_and_cleaned(checkout: Path) -> None:
    assert make(checkout, "demo", "shown").returncode == 0
    assert (checkout / "shown" / MARK).is_file()
    (checkout / "shown/old").touch()
    assert make(checkout, "demo", "shown").returncode == 0
    assert not (checkout / "shown/old").exists()
    assert make(checkout, "clean", "shown").returncode == 0
    assert not (checkout / "shown").exists()
    assert make(checkout, "clean", "shown").returncode == 0


@pytest.mark.parametrize("target", ["demo", "clean"])
def test_no_name_is_no_folder(checkout: Path, target: str) -> None:
    done = make(checkout, target, "")
    assert done.returncode == 2
    assert "error: OUT is empty" in done.stderr
