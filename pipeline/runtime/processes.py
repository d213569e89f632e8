"""Tasks in worker processes of this machine: a bounded number in flight, begun again where a worker is killed."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import chain, islice
from typing import NamedTuple, TypeVar

import cv2

from pipeline.errors import CmdTirError
from pipeline.runtime.counting import Tally, counted_by
from pipeline.runtime.worker import NOT_BEGUN, follow_parent

T = TypeVar("T")
R = TypeVar("R")

BACKLOG = 2
"""Tasks in flight a worker: enough to keep it busy, few enough that a long plan is never held in memory."""
ATTEMPTS = 2
LOOK_S = 0.5
"""Seconds between two looks at what the tasks in flight have counted."""
DIED_TWICE = (
    "a worker process died twice on the same task (out of memory?): rerun with fewer --workers; "
    "what is finished is kept"
)
_counts: ctypes.Array[ctypes.c_longlong]
"""In a worker: what each task in flight has counted, by its place."""


class _Pool(NamedTuple):
    """Worker processes.

    Attributes:
        workers: they themselves.
        begun: whether one of them came to begin its work.
        counts: what each task in flight has counted, by its place.
    """

    workers: ProcessPoolExecutor
    begun: ctypes.c_bool
    counts: ctypes.Array[ctypes.c_longlong]


def _start_worker(begun: ctypes.c_bool, counts: ctypes.Array[ctypes.c_longlong]) -> None:
    """One process a core is the parallelism; threads of OpenCV and OpenMP on top of it only make cores fight."""
    global _counts
    begun.value, _counts = True, counts
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cv2.setNumThreads(1)
    follow_parent()


def _work(function: Callable[[T], R], task: T, place: int) -> R:
    """In a worker: the task, and what it counts where the parent looks."""
    with counted_by(partial(_add, place)):
        return function(task)


def _add(place: int, done: int) -> None:
    _counts[place] += done


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[_Pool]:
    """Worker processes; where the block ends by an error or Ctrl-C they are stopped in the middle of their tasks.

    A task may take minutes, and what it writes is renamed into place when whole, so there is nothing to wait for.
    """
    before = set(multiprocessing.active_children())
    # spawn: a forked child inherits the locks of OpenCV's and HDF5's threads, without the threads.
    context = multiprocessing.get_context("spawn")
    # Without locks: a worker that is killed while it holds one would keep it. One task at a time has a place.
    begun, counts = context.RawValue(ctypes.c_bool, False), context.RawArray(ctypes.c_longlong, workers * BACKLOG)
    pool = ProcessPoolExecutor(workers, context, _start_worker, (begun, counts))
    try:
        yield _Pool(pool, begun, counts)
    except BaseException:
        for worker in set(multiprocessing.active_children()) - before:
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def run_in_processes(function: Callable[[T], R], tasks: Iterable[T], workers: int, tally: Tally[T]) -> Iterator[R]:
    """Run tasks in so many processes and yield the results as they come; a killed pool is started again, once a task.

    Raises:
        CmdTirError: worker processes died on the same task.
        Exception: whatever ``function`` raised.
    """
    todo: Iterator[tuple[T, int]] = ((task, 1) for task in tasks)
    while True:
        running: dict[Future[R], tuple[T, int, int]] = {}
        try:
            with _pool(workers) as pool:
                free = list(range(workers * BACKLOG))
                while True:
                    for task, attempt in islice(todo, len(free)):
                        try:
                            future = pool.workers.submit(_work, function, task, free[-1])
                        except BrokenProcessPool:
                            # A worker died between two tasks; this one was never begun.
                            todo = chain([(task, attempt)], todo)
                            raise
                        running[future] = task, attempt, free.pop()
                    if not running:
                        return
                    for future in wait(running, LOOK_S if tally.bar else None, FIRST_COMPLETED).done:
                        result = future.result()
                        task, _, place = running.pop(future)
                        free.append(place)
                        pool.counts[place] = 0
                        tally.ended(task, sum(pool.counts))
                        yield result
                    tally.under_way(sum(pool.counts))
        except BrokenProcessPool as error:
            if any(attempt >= ATTEMPTS for _, attempt, _ in running.values()):
                raise CmdTirError(DIED_TWICE if pool.begun.value else NOT_BEGUN) from error
        todo = chain([(task, attempt + 1) for task, attempt, _ in running.values()], todo)
