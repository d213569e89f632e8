"""An output folder: one owner at a time, tied to its plan, and overwrite removes only what a run makes."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.config import OnExisting
from pipeline.errors import CmdTirError, UsageError
from pipeline.runtime.output import PLAN, _tell_unlocked, locked, owned, refuse_other

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


def test_a_key_that_came_later_means_in_an_older_plan_what_was_done_before_it_came(tmp_path: Path) -> None:
    """Whether the new plan writes it down or not."""
    start(tmp_path, {"recipe": {"seed": 0}}, "resume", "made-1.txt")
    before = {"recipe.tubes": 4}
    for recipe in ({"seed": 0}, {"seed": 0, "tubes": 4}):
        with owned(tmp_path, {"recipe": recipe}, "resume", MADE, before=before) as older:
            assert not older
    for tubes in (5, None):
        plan = {"recipe": {"seed": 0, "tubes": tubes}}
        with (
            pytest.raises(UsageError, match=rf"recipe\.tubes: 4 -> {tubes}\)"),
            owned(tmp_path, plan, "resume", MADE, before=before),
        ):
            pass


def test_results_that_changed_under_equal_settings_are_not_mixed(tmp_path: Path) -> None:
    """1 is not written: plans of before there was such a number are of the same results."""
    start(tmp_path, {"seed": 0, "results": 1}, "resume", "made-1.txt")
    assert json.loads((tmp_path / PLAN).read_text()) == {"seed": 0}
    start(tmp_path, {"seed": 0})
    with pytest.raises(UsageError, match="results: 1 -> 2"):
        start(tmp_path, {"seed": 0, "results": 2})
    start(tmp_path, {"seed": 0, "results": 2}, "overwrite", "made-1.txt")
    assert json.loads((tmp_path / PLAN).read_text()) == {"seed": 0, "results": 2}
    with pytest.raises(UsageError, match="results: 2 -> 1"):
        start(tmp_path, {"seed": 0, "results": 1})


@pytest.mark.parametrize(
    ("written", "now", "kept"),
    [("1.0", "1.0", False), ("1.0", "1.2", True), ("1.9", "1.10", True)],
)
def test_finished_work_of_an_older_minor_schema_is_kept(tmp_path: Path, written: str, now: str, kept: bool) -> None:
    start(tmp_path, {"schema_version": written}, "resume", "made-1.txt")
    before = (tmp_path / PLAN).read_bytes()
    with owned(tmp_path, {"schema_version": now}, "resume", MADE, finished=lambda folder: folder == tmp_path) as older:
        assert older == kept
    assert (tmp_path / PLAN).read_bytes() == before


@pytest.mark.parametrize(
    ("written", "now", "told"),
    [
        ("1.0", "1.1", "begun under schema 1.0, this is 1.1: finish it with the version that began it"),
        ("1.1", "1.0", "schema_version: 1.1 -> 1.0"),
        ("1.0", "2.0", "schema_version: 1.0 -> 2.0"),
        ("one", "1.0", "schema_version: one -> 1.0"),
        (None, "1.0", "schema_version: None -> 1.0"),
    ],
)
def test_work_of_another_schema_is_not_mixed_with_this_ones(
    tmp_path: Path, written: str | None, now: str, told: str
) -> None:
    start(tmp_path, {"schema_version": written}, "resume", "made-1.txt")
    with pytest.raises(UsageError, match=told):
        start(tmp_path, {"schema_version": now})
    assert (tmp_path / "made-1.txt").is_file()


def test_overwrite_removes_what_a_run_makes_and_nothing_else(tmp_path: Path) -> None:
    start(tmp_path, {"a": 1}, "resume", "made-1.txt")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/x.txt").write_text("work")
    (tmp_path / "thesis.txt").write_text("mine")
    start(tmp_path, {"a": 2}, "overwrite")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [".lock", PLAN, "thesis.txt"]
    start(tmp_path, {"a": 2}, "fail")


@pytest.mark.parametrize("on_existing", ["resume", "overwrite", "fail"])
def test_what_no_run_made_is_never_removed(tmp_path: Path, on_existing: OnExisting) -> None:
    (tmp_path / "made-1.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"holds made-1\.txt but no plan\.json, so no run made it"):
        start(tmp_path, {"a": 1}, on_existing)
    assert (tmp_path / "made-1.txt").read_text() == "mine"
    assert not (tmp_path / PLAN).exists()


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


@pytest.fixture
def flock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """``flock(number)`` makes locking fail with that error."""

    def fail(number: int) -> None:
        def flock(_file: object, _operation: int) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("pipeline.runtime.output.fcntl.flock", flock)

    _tell_unlocked.cache_clear()
    yield fail
    _tell_unlocked.cache_clear()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_told_once_and_worked_on(
    tmp_path: Path, flock: Callable[[int], None], caplog: pytest.LogCaptureFixture, number: int
) -> None:
    flock(number)
    (tmp_path / "made-1.txt.part-0123abcd").write_text("of a run that was killed")
    for folder in (tmp_path, tmp_path, tmp_path / "other"):
        start(folder, {"a": 1}, "resume", "made-1.txt")
        assert sorted(path.name for path in folder.iterdir() if path.is_file()) == [".lock", "made-1.txt", PLAN]
    line = f"({os.strerror(number)}): two runs into one folder are not kept apart here"
    assert [line in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_other_faults_of_a_lock_keep_their_message(tmp_path: Path, flock: Callable[[int], None], number: int) -> None:
    flock(number)
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        start(tmp_path, {"a": 1})
    assert caught.value.filename == str(tmp_path / ".lock")


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


@pytest.mark.parametrize("on_existing", ["resume", "overwrite", "fail"])
def test_a_folder_of_another_stage_is_refused_and_keeps_its_plan(tmp_path: Path, on_existing: OnExisting) -> None:
    start(tmp_path, {"stage": "mine"}, "resume", "other.txt")
    plan = (tmp_path / PLAN).read_bytes()
    with pytest.raises(UsageError, match="is the folder of another stage \\(mine\\): choose another --out"):
        start(tmp_path, {"stage": "track"}, on_existing)
    assert (tmp_path / PLAN).read_bytes() == plan


def test_a_forked_process_does_not_keep_the_lock_of_one_that_was_killed(tmp_path: Path) -> None:
    """As a loader process would, that has yet to notice that its parent is gone."""
    script = (
        "import os, time; from pathlib import Path; from pipeline.runtime.output import locked\n"
        f"with locked(Path({str(tmp_path)!r}), ()):\n"
        "    if not os.fork(): print(os.getpid(), flush=True)\n"
        "    time.sleep(60)\n"
    )
    root = Path(__file__).resolve().parents[3]
    killed = subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    child = int(killed.stdout.readline())
    killed.kill()
    killed.wait()
    try:
        os.kill(child, 0)
        with locked(tmp_path, ()):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        killed.stdout.close()


@pytest.mark.parametrize("error", [UsageError("no weights"), KeyboardInterrupt()])
def test_a_run_that_fails_before_it_makes_anything_leaves_no_folder(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), owned(tmp_path / "new/out", {"a": 1}, "resume", MADE):
        (tmp_path / "new/out/sub").mkdir()
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_after_it_made_something_leaves_that(tmp_path: Path) -> None:
    with pytest.raises(UsageError), owned(tmp_path / "out", {"a": 1}, "resume", MADE):
        (tmp_path / "out/sub").mkdir()
        (tmp_path / "out/sub/1.txt").touch()
        raise UsageError("no weights")
    assert (tmp_path / "out/sub/1.txt").is_file()
    assert (tmp_path / "out" / PLAN).is_file()


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    with pytest.raises(UsageError), owned(tmp_path, {"a": 1}, "resume", MADE):
        raise UsageError("no weights")
    assert tmp_path.is_dir()


def test_a_plan_with_much_else_in_it_is_refused_in_three_differences(tmp_path: Path) -> None:
    old = {"a": 1, "b": {"c": 2, "d": "x" * 99}, "e": 3, "f": 4, "same": 0}
    new = {"a": 2, "b": {"c": 3, "d": "y"}, "e": 4, "f": 5, "same": 0}
    with pytest.raises(UsageError) as caught:
        refuse_other(tmp_path, old, new, {})
    assert f"(a: 1 -> 2; b.c: 2 -> 3; b.d: {'x' * 64}… -> y; and 2 more): choose" in str(caught.value)


def test_of_what_has_a_name_the_name_is_the_difference(tmp_path: Path) -> None:
    old, new = ({"manifest": {"name": name, "title": name.upper(), "rgb": f"{name}/*"}} for name in ("kaist", "flir"))
    with pytest.raises(UsageError, match=r"input \(manifest: kaist -> flir\): choose"):
        refuse_other(tmp_path, old, new, {})
    edited = {"manifest": dict(old["manifest"], rgb="other/*")}
    with pytest.raises(UsageError, match=re.escape("input (manifest.rgb: kaist/* -> other/*): choose")):
        refuse_other(tmp_path, old, edited, {})
