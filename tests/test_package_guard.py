"""Other distributions have a ``pipeline`` or a ``trainer`` too: theirs is named and never run, wherever it lies."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from cmd_tir import COMMANDS, PACKAGES, prep

from .conftest import REPOSITORY, console_script

FOREIGN = "print('the foreign package ran')\n"
OURS = (REPOSITORY / "pipeline/__init__.py").read_text()


def install(folder: Path, *packages: str) -> Path:
    """A folder such as site-packages that holds ``cmd_tir.py`` and those of our packages."""
    folder.mkdir()
    shutil.copy(REPOSITORY / "cmd_tir.py", folder)
    for name in packages:
        (folder / name).symlink_to(REPOSITORY / name)
    return folder


def stranger(folder: Path, name: str, text: str = FOREIGN) -> Path:
    """A package of that name in ``folder``, which is returned."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(text)
    return folder


def python(*words: object, path: tuple[Path, ...], cwd: Path, bare: bool = True) -> subprocess.CompletedProcess[str]:
    """Run Python with ``path`` as PYTHONPATH; ``bare`` leaves out site-packages, and with it any installed cmd-tir."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [sys.executable, *["-S"] * bare, *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=100, check=False)


def refused(run: subprocess.CompletedProcess[str], *parts: object) -> None:
    """Check that a run ended with 2, one line that names ``parts``, and nothing foreign run."""
    assert run.returncode == 2, run.stderr
    assert run.stdout == ""
    assert run.stderr.startswith("error: ")
    assert run.stderr.endswith("\n")
    assert run.stderr.count("\n") == 1
    for part in parts:
        assert str(part) in run.stderr


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_foreign_package_first_on_the_path_is_named_and_not_run(command: str, package: str, tmp_path: Path) -> None:
    elsewhere = stranger(tmp_path / "else where", package)
    script = console_script(tmp_path, command)
    run = python(script, "--help", path=(elsewhere, REPOSITORY), cwd=tmp_path)
    refused(run, f"would import {elsewhere / package} in place of", repr(package), f"take {elsewhere} off its path")


@pytest.mark.parametrize(
    ("name", "text"),
    [("pipeline.py", FOREIGN), ("pipeline/__init__.py", OURS)],
    ids=["a module", "ours of another checkout"],
)
def test_whatever_is_not_ours_of_this_place_is_refused(name: str, text: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / name).parent.mkdir(parents=True)
    (elsewhere / name).write_text(text)
    run = python(console_script(tmp_path, "cmd-prep"), path=(elsewhere, REPOSITORY), cwd=tmp_path)
    refused(run, elsewhere / name.removesuffix("/__init__.py"), f"take {elsewhere} off")


def test_a_module_below_our_own_folder_is_foreign_too(tmp_path: Path) -> None:
    site = install(tmp_path / "site", *PACKAGES)
    (site / "scripts").mkdir()
    (site / "scripts/pipeline.py").write_text(FOREIGN)
    run = python(console_script(tmp_path, "cmd-prep"), path=(site / "scripts", site), cwd=tmp_path)
    refused(run, site / "scripts/pipeline.py")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_distribution_that_wrote_over_ours_is_named(package: str, tmp_path: Path) -> None:
    site = install(tmp_path / "site", *(name for name in PACKAGES if name != package))
    stranger(site, package)
    run = python(console_script(tmp_path, "cmd-eval"), path=(site,), cwd=tmp_path)
    refused(run, f"another distribution wrote over {site / package}: install cmd-tir again")


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("left", ["nothing", "an empty folder"])
def test_a_missing_package_is_named(package: str, left: str, tmp_path: Path) -> None:
    site = install(tmp_path / "site", *(name for name in PACKAGES if name != package))
    if left == "an empty folder":
        (site / package).mkdir()
    run = python(console_script(tmp_path, "cmd-track"), path=(site,), cwd=tmp_path)
    refused(run, f"the package {package!r} is missing from {site}: install cmd-tir again")


def test_the_line_stays_one_line_whatever_the_folder_is_called(tmp_path: Path) -> None:
    elsewhere = stranger(tmp_path / "two\nlines", "trainer")
    refused(python(console_script(tmp_path, "cmd-train"), path=(elsewhere, REPOSITORY), cwd=tmp_path), "two lines")


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("trainer", "pipeline"),
        ("trainer", "data_manifests"),
        ("pipeline", "trainer"),
        ("pipeline", "data_manifests"),
    ],
)
@pytest.mark.parametrize("place", ["on the path", "in the working folder"])
def test_python_m_refuses_a_foreign_package(module: str, package: str, place: str, tmp_path: Path) -> None:
    elsewhere = stranger(tmp_path / "elsewhere", package)
    path, cwd = ((elsewhere, REPOSITORY), tmp_path) if place == "on the path" else ((REPOSITORY,), elsewhere)
    refused(python("-m", module, "--help", path=path, cwd=cwd), elsewhere / package, "python -m")


def messy(folder: Path) -> Path:
    """A working folder with packages and data folders of our names."""
    for name in ("pipeline", "trainer"):
        stranger(folder, name)
    (folder / "data_manifests").mkdir()
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_a_script_runs_in_any_working_folder(command: str, tmp_path: Path) -> None:
    scripts = tmp_path / "bin"
    scripts.mkdir()
    script = console_script(scripts, command)
    run = python(script, "--help", path=(REPOSITORY,), cwd=messy(tmp_path / "work"), bare=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"Usage: {command} ")


@pytest.mark.parametrize(("module", "command"), [("pipeline", "cmd-prep"), ("trainer", "cmd-train")])
def test_python_m_runs_beside_data_folders_of_our_names(module: str, command: str, tmp_path: Path) -> None:
    for name in PACKAGES:
        (tmp_path / name).mkdir()
    run = python("-m", module, "--help", path=(REPOSITORY,), cwd=tmp_path, bare=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"Usage: {command} ")


def test_of_two_installations_the_first_is_taken_whole(tmp_path: Path) -> None:
    """PYTHONPATH=checkout, while another checkout or a wheel is installed: no package of the second is mixed in."""
    first, second = (install(tmp_path / name, *PACKAGES) for name in ("first", "second"))
    script = console_script(tmp_path, "cmd-train")
    words = ("--list-recipes", "--help")
    assert python(script, *words, path=(first, second), cwd=tmp_path, bare=False).returncode == 0
    (first / "trainer").unlink()
    run = python(script, *words, path=(first, second), cwd=tmp_path, bare=False)
    refused(run, f"would import {second / 'trainer'} in place of the package 'trainer' of cmd-tir in {first}")


def test_the_scripts_and_what_they_run_exist() -> None:
    scripts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts.keys() == COMMANDS.keys()
    for target in (*scripts.values(), *COMMANDS.values()):
        module, _, function = target.partition(":")
        assert callable(getattr(import_module(module), function))


def test_the_module_that_looks_needs_the_standard_library_alone(tmp_path: Path) -> None:
    code = "import sys; import cmd_tir; print(*{name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    run = python("-c", code, path=(REPOSITORY,), cwd=tmp_path)
    assert set(run.stdout.split()) == {"__main__", "cmd_tir"}, run.stderr


def test_each_script_can_be_started_as_a_module(tmp_path: Path) -> None:
    run = python("-m", "cmd_tir", "cmd-eval", "--version", path=(REPOSITORY,), cwd=tmp_path, bare=False)
    assert (run.returncode, run.stdout.split()[0]) == (0, "cmd-eval,")
    run = python("-m", "cmd_tir", "cmd-evil", path=(REPOSITORY,), cwd=tmp_path)
    assert (run.returncode, run.stderr.partition(":")[0]) == (2, "error")


def test_python_ends_a_command_without_a_search_for_circles(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is registered before the command begins comes last at the end."""
    steps: list[object] = []
    monkeypatch.setattr(atexit, "register", steps.append)
    monkeypatch.setattr("cmd_tir.import_module", lambda _: SimpleNamespace(main=lambda: steps.append("the command")))
    prep()
    assert steps == [gc.freeze, "the command"]
