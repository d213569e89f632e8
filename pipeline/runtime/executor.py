"""Where work runs: this process, local processes, or a Dask cluster. A task is a plain picklable value."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

import cv2

from pipeline.errors import CmdTirError, UsageError
from pipeline.runtime.worker import NOT_BEGUN, follow_parent

if TYPE_CHECKING:
    from distributed import Client

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

BACKLOG = 2
"""Tasks in flight a worker: enough to keep it busy, few enough that a long plan is never held in memory."""
ATTEMPTS = 2
DIED_TWICE = (
    "a worker process died twice on the same task (out of memory?): rerun with fewer --workers; "
    "what is finished is kept"
)


def _start_worker(begun: ctypes.c_bool) -> None:
    """One process a core is the parallelism; threads of OpenCV and OpenMP on top of it only make cores fight."""
    begun.value = True
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cv2.setNumThreads(1)
    follow_parent()


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[tuple[ProcessPoolExecutor, ctypes.c_bool]]:
    """Worker processes, and whether one of them came to begin its work.

    Where the block ends by an error or Ctrl-C they are stopped in the middle of their tasks.

    A task may take minutes, and what it writes is renamed into place when whole, so there is nothing to wait for.
    """
    before = set(multiprocessing.active_children())
    # spawn: a forked child inherits the locks of OpenCV's and HDF5's threads, without the threads.
    context = multiprocessing.get_context("spawn")
    # Without a lock: a worker that is killed while it holds one would keep it.
    begun = context.RawValue(ctypes.c_bool, False)
    pool = ProcessPoolExecutor(workers, context, _start_worker, (begun,))
    try:
        yield pool, begun
    except BaseException:
        for worker in set(multiprocessing.active_children()) - before:
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def cores_each(workers: int, scheduler: str | None = None) -> int:
    """Cores that each of so many local processes has to itself; one in a cluster, where tasks lie side by side.

    A job of a batch system may run on some cores of the machine alone.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 1 if scheduler else max(1, cores // workers)


def run_tasks(
    function: Callable[[T], R],
    tasks: Iterable[T],
    workers: int = 1,
    scheduler: str | None = None,
    resources: dict[str, float] | None = None,
) -> Iterator[R]:
    """Run ``function`` on every task and yield the results as they come.

    Args:
        function: a module-level function.
        tasks: consumed lazily.
        workers: local processes; 1 runs in this process.
        scheduler: address of a running Dask scheduler, used instead of local processes.
        resources: Dask worker resources that one task needs, e.g. ``{"GPU": 1}``.

    Raises:
        CmdTirError: worker processes died on the same task, or the scheduler cannot be reached or is lost.
        UsageError: no worker of the cluster offers ``resources``.
        Exception: whatever ``function`` raised; results already yielded stand.
    """
    if scheduler:
        yield from _run_dask(function, tasks, scheduler, resources)
    elif workers <= 1:
        yield from map(function, tasks)
    else:
        yield from _run_processes(function, tasks, workers)


def _run_processes(function: Callable[[T], R], tasks: Iterable[T], workers: int) -> Iterator[R]:
    """Keep a bounded number of tasks in flight; when a worker is killed, start the pool and its tasks again."""
    todo: Iterator[tuple[T, int]] = ((task, 1) for task in tasks)
    while True:
        running: dict[Future[R], tuple[T, int]] = {}
        try:
            with _pool(workers) as (pool, begun):
                while True:
                    for item in islice(todo, workers * BACKLOG - len(running)):
                        try:
                            running[pool.submit(function, item[0])] = item
                        except BrokenProcessPool:
                            # A worker died between two tasks; this one was never begun.
                            todo = chain([item], todo)
                            raise
                    if not running:
                        return
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        result = future.result()
                        del running[future]
                        yield result
        except BrokenProcessPool as error:
            if any(attempt >= ATTEMPTS for _, attempt in running.values()):
                raise CmdTirError(DIED_TWICE if begun.value else NOT_BEGUN) from error
        todo = chain([(task, attempt + 1) for task, attempt in running.values()], todo)


def _run_dask(
    function: Callable[[T], R], tasks: Iterable[T], scheduler: str, resources: dict[str, float] | None
) -> Iterator[R]:
    """One task, one submit: there is no graph, and nothing large goes through the scheduler."""
    from distributed import Client, as_completed
    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    # What it would log of a lost connection, the error below says in one line.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        client = Client(scheduler, timeout="15s")
    except (OSError, TimeoutError, ValueError) as error:
        raise CmdTirError(f"no Dask scheduler answers at {scheduler}: start it, or use --workers") from error
    with client:
        _check_workers(client, scheduler, resources)
        options = {"pure": False, "retries": ATTEMPTS - 1, "resources": resources}
        todo = iter(tasks)
        running = as_completed()

        def fill() -> None:
            """Keep every core busy; workers may join, as those of dask-jobqueue do, while the work goes on."""
            cores = sum(client.nthreads().values()) or 1
            for task in islice(todo, max(0, cores * BACKLOG - running.count())):
                running.add(client.submit(function, task, **options))

        try:
            fill()
            for future in running:
                yield future.result()
                fill()
        except KilledWorker as error:
            raise CmdTirError(
                f"{error.allowed_failures + 1} Dask workers died on the same task (out of memory?): rerun with more "
                "memory a worker; what is finished is kept"
            ) from error
        except (FutureCancelledError, CommClosedError) as error:
            raise CmdTirError(
                f"lost the Dask scheduler at {scheduler}: when it is back, run the same command again to go on"
            ) from error


def _check_workers(client: Client, scheduler: str, resources: dict[str, float] | None) -> None:
    """Say so where tasks would wait: for ever if no worker offers what they need, else for the first worker.

    Raises:
        UsageError: there are workers, and none offers ``resources``.
    """
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    if not workers:
        log.warning("no worker has joined the Dask scheduler at %s yet: waiting for the first", scheduler)
        return
    need = resources or {}
    if not any(all(worker["resources"].get(name, 0) >= n for name, n in need.items()) for worker in workers):
        wanted = " ".join(f"{name}={amount:g}" for name, amount in need.items())
        raise UsageError(
            f'no worker at {scheduler} offers {wanted}: start one with `dask worker --resources "{wanted}"`, '
            "or leave out --worker-resources"
        )
