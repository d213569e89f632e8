"""Work in this process and in local processes: complete whatever dies, lazy, and one clear error at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.errors import CmdTirError, DataError
from pipeline.runtime.executor import ATTEMPTS, BACKLOG, run_tasks

from ...conftest import REPOSITORY, script_without_guard
from .executor_tasks import Job, pid, refuse, square


def jobs(folder: Path, count: int, kills: dict[int, int] | None = None) -> list[Job]:
    return [Job(number, folder, (kills or {}).get(number, 0)) for number in range(count)]


def test_one_worker_is_this_process_and_takes_tasks_lazily(tmp_path: Path) -> None:
    taken: list[int] = []

    def lazily() -> Iterator[Job]:
        for job in jobs(tmp_path, 5):
            taken.append(job.number)
            yield job

    results = run_tasks(square, lazily())
    assert [next(results), next(results)] == [0, 1]
    assert taken == [0, 1]
    assert list(results) == [4, 9, 16]
    assert [path.name for path in tmp_path.glob("by-*")] == [f"by-{os.getpid()}"]


def test_several_workers_do_all_of_a_long_plan_with_few_tasks_in_flight(tmp_path: Path) -> None:
    taken: list[int] = []

    def lazily() -> Iterator[Job]:
        for job in jobs(tmp_path, 30):
            taken.append(job.number)
            yield job

    results = run_tasks(square, lazily(), workers=2)
    first = next(results)
    assert len(taken) <= 2 * BACKLOG
    assert sorted([first, *results]) == [n**2 for n in range(30)]
    assert f"by-{os.getpid()}" not in {path.name for path in tmp_path.glob("by-*")}


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost_or_done_twice(tmp_path: Path) -> None:
    plan = jobs(tmp_path, 12, {5: ATTEMPTS - 1})
    assert sorted(run_tasks(square, plan, workers=2)) == [n**2 for n in range(12)]
    assert (tmp_path / "5-0").exists(), "no worker was killed"


def test_a_worker_that_dies_between_two_tasks_loses_none(tmp_path: Path) -> None:
    """The pool is broken when the next task is handed to it: that task must not vanish."""
    results = run_tasks(pid, iter(jobs(tmp_path, 12)), workers=2)
    workers = [next(results)]
    time.sleep(0.5)
    os.kill(workers[0], signal.SIGKILL)
    time.sleep(0.5)
    workers += results
    assert len(workers) == 12
    assert len(set(workers)) >= 2


def test_a_task_that_kills_every_worker_ends_with_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CmdTirError, match=r"died twice on the same task.*fewer --workers") as caught:
        list(run_tasks(square, jobs(tmp_path, 3, {1: 99}), workers=2))
    assert caught.value.exit_code == 4
    assert sorted(path.name for path in tmp_path.glob("1-*")) == ["1-0", "1-1"]


def test_a_script_that_its_workers_cannot_import_is_told_what_it_lacks(tmp_path: Path) -> None:
    imports = "from pipeline.runtime.executor import run_tasks"
    script_without_guard(tmp_path, imports, "run_tasks(len, ['a', 'bc'], 2)")


def test_an_error_of_a_task_reaches_the_caller_as_it_is(tmp_path: Path) -> None:
    for workers in (1, 2):
        with pytest.raises(DataError, match="picture 0 is damaged"):
            list(run_tasks(refuse, jobs(tmp_path, 1), workers=workers))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_the_process_that_started_them(tmp_path: Path, how: signal.Signals) -> None:
    """An orphan would go on writing what a rerun writes, and nobody waits a minute for Ctrl-C."""
    code = (
        # A shell starts what runs in its background with SIGINT ignored, and children inherit that.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from pathlib import Path; from pipeline.runtime.executor import run_tasks\n"
        "from tests.pipeline.runtime.executor_tasks import Job, linger\n"
        f"if __name__ == '__main__': list(run_tasks(linger, [Job(n, Path({str(tmp_path)!r})) for n in (1, 2)], 2))"
    )
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, cwd=REPOSITORY, stderr=subprocess.DEVNULL, start_new_session=True) as parent:
        assert _within(60, lambda: len(list(tmp_path.glob("by-*"))) == 2), "the workers did not start"
        workers = [int(path.name.removeprefix("by-")) for path in tmp_path.glob("by-*")]
        parent.send_signal(how)
        parent.wait(20)
    assert _within(20, lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers)), "orphans are left"


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_no_tasks_no_results() -> None:
    assert list(run_tasks(square, [], workers=3)) == []


@pytest.mark.slow
def test_a_scheduler_that_is_not_there_is_named() -> None:
    with pytest.raises(CmdTirError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9: start it"):
        list(run_tasks(square, [], scheduler="tcp://127.0.0.1:9"))


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_results(tmp_path: Path) -> None:
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
        found = run_tasks(square, jobs(tmp_path, 9), scheduler=cluster.scheduler_address)
        assert sorted(found) == [n**2 for n in range(9)]
