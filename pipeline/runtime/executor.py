"""Where work runs: this process, local processes, or a Dask cluster. A task is a plain picklable value."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.errors import CmdTirError, UsageError
from pipeline.runtime.counting import Tally
from pipeline.runtime.processes import ATTEMPTS, BACKLOG, run_in_processes

if TYPE_CHECKING:
    from distributed import Client

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")


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
    tally: Tally[T] | None = None,
) -> Iterator[R]:
    """Run ``function`` on every task and yield the results as they come.

    Args:
        function: a module-level function.
        tasks: consumed lazily.
        workers: local processes; 1 runs in this process.
        scheduler: address of a running Dask scheduler, used instead of local processes.
        resources: Dask worker resources that one task needs, e.g. ``{"GPU": 1}``.
        tally: is told how far the tasks are: in a cluster when one ends, elsewhere also of what they count.

    Raises:
        CmdTirError: worker processes died on the same task, or the scheduler cannot be reached or is lost.
        UsageError: no worker of the cluster offers ``resources``.
        Exception: whatever ``function`` raised; results already yielded stand.
    """
    tally = tally or Tally()
    if scheduler:
        yield from _run_dask(function, tasks, scheduler, resources, tally)
    elif workers <= 1:
        yield from tally.each(function, tasks)
    else:
        yield from run_in_processes(function, tasks, workers, tally)


def _run_dask(
    function: Callable[[T], R],
    tasks: Iterable[T],
    scheduler: str,
    resources: dict[str, float] | None,
    tally: Tally[T],
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
        running, of = as_completed(), dict[Any, T]()

        def fill() -> None:
            """Keep every core busy; workers may join, as those of dask-jobqueue do, while the work goes on."""
            cores = sum(client.nthreads().values()) or 1
            for task in islice(todo, max(0, cores * BACKLOG - running.count())):
                future = client.submit(function, task, **options)
                of[future.key] = task
                running.add(future)

        try:
            fill()
            for future in running:
                result = future.result()
                tally.ended(of.pop(future.key))
                yield result
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
