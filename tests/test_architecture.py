"""The rules of who imports whom, and what the commands must not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import REPOSITORY

HEAVY = ("torch", "torchvision", "ultralytics", "detectron2")


def loaded(code: str, *unwanted: str) -> set[str]:
    """Which of ``unwanted`` a fresh interpreter has loaded after ``code``."""
    report = f"import sys; print('loaded:', *({set(unwanted)!r} & sys.modules.keys()))"
    words = [sys.executable, "-c", f"{code}\n{report}"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=100, check=True)
    return set(done.stdout.split("loaded:")[1].split())


def test_every_import_keeps_the_contracts() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    if not tool.exists():
        pytest.skip("needs lint-imports: pip install 'cmd-tir[dev]'")
    done = subprocess.run(
        [tool, "--no-cache"], check=False, cwd=REPOSITORY, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize(
    "words", [["--help"], ["align", "--help"], ["mine", "--help"], ["align", "--root", "/nowhere", "--out", "o"]]
)
def test_the_commands_of_align_load_no_torch(words: list[str]) -> None:
    code = f"from pipeline.cli import main\ntry:\n    main({words})\nexcept SystemExit:\n    pass"
    assert loaded(code, *HEAVY) == set()


def test_help_is_quick_because_it_loads_no_stage() -> None:
    code = "from pipeline.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    assert loaded(code, "cv2", "h5py", "matplotlib", "distributed", "pydantic") == set()


@pytest.mark.parametrize("module", ["pipeline.align", "pipeline.mine", "pipeline.report", "pipeline.detect"])
def test_the_stages_load_no_torch_and_no_dask(module: str) -> None:
    assert loaded(f"import {module}", *HEAVY, "dask", "distributed") == set()


def test_evaluation_loads_no_torch() -> None:
    if not (REPOSITORY / "trainer/evaluate").is_dir():
        pytest.skip("trainer.evaluate is not built yet")
    assert loaded("import trainer.evaluate", *HEAVY) == set()


def test_the_check_sees_what_is_loaded() -> None:
    assert loaded("import h5py", "h5py", "torch") == {"h5py"}
