"""Processes that report as they work, pass errors on, and never outlive the command."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import CmdTirError, DataError
from trainer.track.pool import run_tasks

from ...conftest import REPOSITORY, script_without_guard
from .track_tasks import counter, lingerer, refuser, suicide


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{process}/stat").read_text().split(")")[1].startswith(" Z")


def gone(process: int) -> bool:
    deadline = time.monotonic() + 20
    while alive(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(process)


def test_one_worker_is_this_process() -> None:
    assert list(run_tasks(counter, [2, 1], 1)) == [(os.getpid(), 0), (os.getpid(), 1), (os.getpid(), 0)]
    assert list(run_tasks(counter, [], 4)) == []


def test_several_do_every_task_and_report_every_step() -> None:
    found = list(run_tasks(counter, [3, 2, 0, 4], 2))
    assert sorted(number for _, number in found) == [0, 0, 0, 1, 1, 1, 2, 2, 3]
    workers = {process for process, _ in found}
    assert len(workers) == 2
    assert os.getpid() not in workers
    assert all(map(gone, workers))


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_error_of_the_work_is_raised_here(workers: int) -> None:
    with pytest.raises(DataError, match="three is not a number"):
        list(run_tasks(refuser, [1, 3, 5], workers))


@pytest.mark.slow
def test_a_process_that_dies_is_told_of() -> None:
    with pytest.raises(CmdTirError, match=r"a worker process died \(out of memory"):
        list(run_tasks(suicide, [1, 2], 2))


@pytest.mark.slow
def test_a_script_that_its_workers_cannot_import_is_told_what_it_lacks(tmp_path: Path) -> None:
    imports = "from tests.trainer.track.track_tasks import counter\nfrom trainer.track.pool import run_tasks"
    script_without_guard(tmp_path, imports, "run_tasks(counter, [1, 2], 2)")


@pytest.mark.slow
def test_who_stops_listening_stops_the_workers(tmp_path: Path) -> None:
    messages = run_tasks(lingerer, [tmp_path / "a", tmp_path / "b"], 2)
    workers = [next(messages), next(messages)]
    assert all(map(alive, workers))
    messages.close()
    assert all(map(gone, workers))


@pytest.mark.slow
def test_workers_die_with_a_command_that_is_killed(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\nfrom tests.trainer.track.track_tasks import lingerer\n"
        "from trainer.track.pool import run_tasks\n"
        f"for at in run_tasks(lingerer, [Path({str(tmp_path / 'a')!r}), Path({str(tmp_path / 'b')!r})], 2):\n"
        "    print(at, flush=True)"
    )
    command = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert command.stdout
    workers = [int(command.stdout.readline()), int(command.stdout.readline())]
    command.kill()
    command.wait()
    command.stdout.close()
    assert all(map(gone, workers))
