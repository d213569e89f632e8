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
    for name in ("cmd-prep", "cmd-train", "cmd-track", "cmd-eval", "python"):
        stand_in(tmp_path / "venv/bin" / name, "exit 0")
    return tmp_path


def stand_in(program: Path, does: str) -> None:
    """A program of the test's own: a link to one of the system's could be written through."""
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)


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


def test_a_way_through_a_folder_that_is_not_there_yet_is_refused(checkout: Path) -> None:
    """Made on the way, it would lead to a folder of others', to which nobody had looked."""
    (checkout / "precious").mkdir()
    (checkout / "precious/thesis.tex").write_text("years of work")
    done = make(checkout, "demo", "new/../precious")
    assert done.returncode == 2
    assert "error: new/../precious was not made by make demo" in done.stderr
    make(checkout, "clean", "new/../precious")
    assert [path.name for path in (checkout / "precious").iterdir()] == ["thesis.tex"]


def test_a_link_to_nowhere_is_not_replaced(checkout: Path) -> None:
    (checkout / "shown").symlink_to("a disk that is not mounted")
    assert make(checkout, "demo", "shown").returncode == 2
    assert (checkout / "shown").is_symlink()


def test_a_name_may_have_spaces(checkout: Path) -> None:
    for name in ("cmd-prep", "cmd-train", "cmd-track", "cmd-eval", "python"):
        stand_in(checkout / "venv/bin" / name, f'printf "%s\\n" "$@" >> "{checkout}/words"')
    assert make(checkout, "demo", "my demo").returncode == 0
    named = [word for word in (checkout / "words").read_text().splitlines() if "demo" in word]
    named.remove("tools.demo_index")
    assert "my demo" in named
    assert all(f"{word.rpartition('=')[2]}/".startswith("my demo/") for word in named)
    assert make(checkout, "clean", "my demo").returncode == 0
    assert not (checkout / "my demo").exists()


def test_a_study_is_one_command_in_a_folder_of_its_own_and_a_wrong_file_is_not_replaced(checkout: Path) -> None:
    stand_in(checkout / "venv/bin/cmd-train", f'printf "%s\\n" "$@" > "{checkout}/words"')
    words = ["make", "-o", "setup", "study", "VENV=venv", "INIT=my weights.pth"]
    done = subprocess.run(words, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    named = (checkout / "words").read_text().splitlines()
    assert named == ["study", "--preset", "quick", "--init", "my weights.pth", "--out", "study"]
    assert not (checkout / "my weights.pth").exists()


def test_a_study_whose_weights_cannot_be_fetched_says_what_to_do(checkout: Path) -> None:
    stand_in(checkout / "venv/bin/python", "exit 1")
    done = make(checkout, "study", "study")
    assert done.returncode == 2
    assert "error: resnet18.pth could not be fetched: get it another way, and name it with INIT=FILE" in done.stderr


def peers(checkout: Path, *given: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """`make bench-peers`, and the words of each program that it ran."""
    stand_in(checkout / "venv/bin/python", f'echo "$@" >> "{checkout}/words"')
    words = ["make", "-o", "setup", "bench-peers", "VENV=venv", *given]
    done = subprocess.run(words, cwd=checkout, capture_output=True, text=True, check=False)
    written = checkout / "words"
    return done, written.read_text().splitlines() if written.exists() else []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((), "error: nothing to compare: name PYTRACKING=DIR"),
        (("WEIGHTS=w.onnx",), "error: WEIGHTS=FILE and PAIRS=DIR belong together: name both"),
        (("PYTRACKING=p", "PAIRS=pairs"), "error: WEIGHTS=FILE and PAIRS=DIR belong together: name both"),
    ],
)
def test_peers_that_are_not_named_are_asked_for_in_one_line(checkout: Path, given: tuple[str, ...], told: str) -> None:
    done, words = peers(checkout, *given)
    assert (done.returncode, words) == (2, [])
    (line,) = (line for line in done.stderr.splitlines() if not line.startswith("make"))
    assert line.startswith(told)


@pytest.mark.parametrize(
    ("given", "ran"),
    [
        (("PYTRACKING=my peer",), ["-m benchmarks.peers my peer"]),
        (("WEIGHTS=w.onnx", "PAIRS=my pairs"), ["-m benchmarks.peers_detection w.onnx my pairs"]),
        (
            ("PYTRACKING=p", "WEIGHTS=w.onnx", "PAIRS=d", "PICTURES=1000"),
            ["-m benchmarks.peers p", "-m benchmarks.peers_detection w.onnx d --pictures 1000"],
        ),
    ],
)
def test_each_peer_that_is_named_is_run(checkout: Path, given: tuple[str, ...], ran: list[str]) -> None:
    done, words = peers(checkout, *given)
    assert done.returncode == 0, done.stderr
    assert words == ran


def noting(checkout: Path, name: str, code: int = 0) -> Path:
    """A program that notes what it was told to do in the file that is returned, and ends with a code."""
    noted = checkout / "words"
    stand_in(checkout / "venv/bin" / name, f'echo "{name} $@" >> "{noted}"\nexit {code}')
    return noted


def test_without_a_gpu_one_line_says_so(checkout: Path) -> None:
    noting(checkout, "pytest")
    noted = noting(checkout, "python", code=1)
    done = make(checkout, "gpu", "demo")
    (line,) = (line for line in done.stderr.splitlines() if not line.startswith("make"))
    assert done.returncode == 2
    assert line.startswith("error: no GPU that torch can use: look at nvidia-smi")
    (asked,) = noted.read_text().splitlines()
    assert "torch.cuda.is_available()" in asked


def test_on_a_gpu_its_tests_run_and_then_its_benchmarks(checkout: Path) -> None:
    noting(checkout, "pytest")
    noted = noting(checkout, "python")
    assert make(checkout, "gpu", "demo").returncode == 0
    ran = ["pytest -m cuda", "python -m benchmarks.gpu", "python -m benchmarks.track dimp50 superdimp"]
    assert noted.read_text().splitlines()[1:] == ran


@pytest.mark.parametrize("target", ["test", "e2e"])
def test_no_other_target_runs_what_needs_a_gpu(checkout: Path, target: str) -> None:
    noted = noting(checkout, "pytest")
    assert make(checkout, target, "demo").returncode == 0
    assert noted.read_text().rstrip().endswith("and not cuda")
