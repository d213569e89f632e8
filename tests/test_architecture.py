"""The rules of who imports whom, how large a room may be, and what the commands must not load."""

from __future__ import annotations

import ast
import importlib
import statistics
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from .conftest import REPOSITORY

HEAVY = ("torch", "torchvision", "ultralytics", "detectron2")
PACKAGES = ("pipeline", "trainer", "data_manifests")
FILES = [path for package in PACKAGES for path in sorted((REPOSITORY / package).rglob("*.py"))]
MOST_FILES, MOST_LINES, MEDIAN_LINES, LONGEST_FUNCTION = 14, 300, 110, 50


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


def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    return list(settings["tool"]["importlinter"]["contracts"])


def layered() -> set[str]:
    """Every module or folder that a contract of layers names."""
    return {
        f"{container}.{room.strip()}".lstrip(".")
        for contract in contracts()
        if contract["type"] == "layers"
        for container in contract.get("containers", [""])
        for floor in contract["layers"]
        for room in floor.split("|")
    }


def uncovered(modules: list[str]) -> list[str]:
    """Modules that neither themselves nor in a folder stand on a floor; a whole package is a floor for itself alone."""
    rooms = layered()
    folders = tuple(f"{room}." for room in rooms if "." in room)
    return [module for module in modules if module not in rooms and not module.startswith(folders)]


def test_every_module_stands_on_a_floor_of_a_contract() -> None:
    modules = [".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in FILES]
    assert uncovered([module.removesuffix(".__init__") for module in modules]) == []


def test_the_search_for_modules_without_a_floor_sees_one() -> None:
    modules = ["pipeline", "pipeline.stray", "pipeline.files.plain", "trainer.nets.a", "trainer.net.a", "stray"]
    assert uncovered(modules) == ["pipeline.stray", "trainer.nets.a", "stray"]


def is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


def test_every_folder_of_code_is_a_package() -> None:
    """Otherwise no contract would see what is in it, and no wheel would hold it."""
    assert [path.parent for path in FILES if not is_package(path.parent)] == []


def test_the_trainer_sees_of_the_pipeline_all_that_it_may_and_no_more() -> None:
    forbidden = next(c["forbidden_modules"] for c in contracts() if c["name"].startswith("what trainer does not see"))
    rooms = {f"pipeline.{path.stem}" for path in (REPOSITORY / "pipeline").iterdir() if path.stem != "__init__"}
    code = "\n".join(path.read_text() for path in FILES if "trainer" in path.parts)
    seen = {room for room in rooms if f"from {room}" in code or f"from pipeline import {room.split('.')[1]}" in code}
    assert rooms - {"pipeline.__pycache__", "pipeline.py"} - set(forbidden) == seen


def test_no_room_is_too_large_to_be_read() -> None:
    lines = {path: path.read_text().count("\n") for path in FILES}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}
    assert statistics.median(lines.values()) <= MEDIAN_LINES
    assert {path: count for path, count in Counter(path.parent for path in FILES).items() if count > MOST_FILES} == {}


def test_no_function_is_too_long_to_be_read() -> None:
    long = [
        f"{path.name}: {node.name}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


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
    assert loaded("import trainer.evaluate", *HEAVY) == set()


def test_the_check_sees_what_is_loaded() -> None:
    assert loaded("import h5py", "h5py", "torch") == {"h5py"}


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "__init__.py"])
def test_every_room_says_what_it_hands_on(path: Path) -> None:
    room = ".".join(path.parent.relative_to(REPOSITORY).parts)
    module = importlib.import_module(room)
    assert all(hasattr(module, name) for name in module.__all__)
    assert sorted(module.__all__) == module.__all__
