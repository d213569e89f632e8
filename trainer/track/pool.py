"""Work in several processes that report as they go, and that never outlive the command."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TypeVar

from pipeline.errors import CmdTirError
from pipeline.runtime.worker import NOT_BEGUN, follow_parent, never_began, start_process

T = TypeVar("T")
M = TypeVar("M")
Work = Callable[[T], Iterable[M]]


def run_tasks(start: Callable[[], Work[T, M]], tasks: Sequence[T], workers: int) -> Iterator[M]:
    """Work on every task and yield the messages of that as they come.

    Args:
        start: makes, in each process, the function that works on a task and yields messages, never None. It and all
            that goes to and fro must be picklable where there are several processes.
        tasks: begun in this order.
        workers: processes; 1 works in this one.

    Raises:
        CmdTirError: a process died.
        Exception: whatever the work raised.
    """
    if workers <= 1:
        work = start()
        for task in tasks:
            yield from work(task)
        return
    waiting = deque(tasks)
    with contextlib.ExitStack() as stack:
        busy = dict(stack.enter_context(_process(start)) for _ in range(min(workers, len(tasks))))
        for line in busy:
            line.send(waiting.popleft())
        while busy:
            for line in [each for each in wait(list(busy)) if isinstance(each, Connection)]:
                message: M | None = _receive(line, busy[line])
                if message is not None:
                    yield message
                elif waiting:
                    line.send(waiting.popleft())
                else:
                    del busy[line]


@contextlib.contextmanager
def _process(start: Callable[[], Work[T, M]]) -> Iterator[tuple[Connection, BaseProcess]]:
    """The line to a worker, and the worker, which is stopped, in the middle of its task or not, when the block ends."""
    process, line = start_process(_serve, start)
    try:
        yield line, process
    finally:
        process.terminate()
        process.join()
        line.close()


def _serve(line: Connection, start: Callable[[], Work[T, M]]) -> None:
    """A worker's life: take a task, report on it, ask for another."""
    follow_parent()
    try:
        work = start()
        while True:
            for message in work(line.recv()):
                line.send(message)
            line.send(None)
    except Exception as error:  # noqa: BLE001 - carried to the parent, which raises it
        line.send(error)


def _receive(line: Connection, process: BaseProcess) -> M | None:
    try:
        message: M | Exception | None = line.recv()
    except (EOFError, ConnectionError) as error:
        if never_began(process):
            raise CmdTirError(NOT_BEGUN) from error
        raise CmdTirError(
            "a worker process died (out of memory?): run the same again with fewer --workers; what is finished is kept"
        ) from error
    if isinstance(message, Exception):
        raise message
    return message
