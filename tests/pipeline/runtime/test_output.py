"""An output folder: one owner at a time, tied to its plan, and overwrite removes only what a run makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.config import OnExisting
from pipeline.errors import CmdTirError, UsageError
from pipeline.runtime.output import PLAN, owned

MADE = ("made-*.txt", "sub/*.txt", PLAN)


def start(folder: Path, plan: dict[str, object], on_existing: OnExisting = "resume", *make: str) -> None:
    with owned(folder, plan, on_existing, MADE):
        for name in make:
            (folder / name).write_text("work")


def test_the_same_plan_goes_on_and_another_is_refused_naming_what_differs(tmp_path: Path) -> None:
    plan = {"recipe": {"seed": 0, "side": 1.5}, "input": "abc"}
    start(tmp_path / "out", plan, "resume", "made-1.txt")
    start(tmp_path / "out", plan)
    assert (tmp_path / "out/made-1.txt").is_file()
    with pytest.raises(UsageError, match=r"recipe\.seed: 0 -> 1; recipe\.side: 1\.5 -> None\).*overwrite"):
        start(tmp_path / "out", {"recipe": {"seed": 1}, "input": "abc"})
    assert (tmp_path / "out/made-1.txt").is_file()


def test_overwrite_removes_what_a_run_makes_and_nothing_else(tmp_path: Path) -> None:
    start(tmp_path, {"a": 1}, "resume", "made-1.txt")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/x.txt").write_text("work")
    (tmp_path / "thesis.txt").write_text("mine")
    start(tmp_path, {"a": 2}, "overwrite")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [".lock", PLAN, "thesis.txt"]
    start(tmp_path, {"a": 2}, "fail")


def test_fail_refuses_a_folder_with_work_in_it(tmp_path: Path) -> None:
    start(tmp_path, {"a": 1}, "fail", "made-1.txt")
    with pytest.raises(UsageError, match=r"already holds made-1\.txt"):
        start(tmp_path, {"a": 1}, "fail")


def test_a_run_that_made_nothing_does_not_bind_the_next_to_its_settings(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="weights"), owned(tmp_path, {"weights": None}, "resume", MADE):
        raise UsageError("weights are missing")
    start(tmp_path, {"weights": "sha"}, "resume", "made-1.txt")
    start(tmp_path, {"weights": "sha"})


def test_work_without_a_plan_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "made-1.txt").write_text("somebody's")
    with pytest.raises(UsageError, match=f"no {PLAN}"):
        start(tmp_path, {"a": 1})


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write to .*file/out: Not a directory"):
        start(tmp_path / "file/out", {})


def test_a_second_run_waits_its_turn_and_a_dead_one_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pipeline.runtime.output import owned\n"
        f"with owned(Path({str(tmp_path)!r}), {{}}, 'resume', ('made-*',)): print('held', flush=True); sys.stdin.read()"
    )
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(CmdTirError, match="another run is writing") as caught:
            start(tmp_path, {})
        assert caught.value.exit_code == 4
        other.kill()
    start(tmp_path, {})
