"""How far tasks are that have not ended, in whichever process they run; for the eye alone: no result depends on it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Generic, TypeVar

from pipeline.runtime.progress import ProgressBar

T = TypeVar("T")
R = TypeVar("R")
_ADD: ContextVar[Callable[[int], None]] = ContextVar("add", default=lambda _: None)


def count(done: int = 1) -> None:
    """Say in a task that so many more of what it works on are done; where nobody listens, that is lost."""
    _ADD.get()(done)


def counted(items: Iterable[T]) -> Iterator[T]:
    """The same, each counted when the next one is asked for."""
    for item in items:
        yield item
        count()


@contextlib.contextmanager
def counted_by(add: Callable[[int], None]) -> Iterator[None]:
    """Hand what is counted meanwhile to ``add``."""
    before = _ADD.set(add)
    try:
        yield
    finally:
        _ADD.reset(before)


@dataclass(frozen=True)
class Tally(Generic[T]):
    """What a bar is told of tasks.

    Attributes:
        bar: that counts what is in them; None where nobody looks.
        size: how much of that a task is.
    """

    bar: ProgressBar | None = None
    size: Callable[[T], int] = lambda _: 1

    def ended(self, task: T, under_way: int = 0) -> None:
        """A task is done; of the others that are in flight, so many things in all."""
        if self.bar:
            self.bar.advance(self.size(task), under_way=under_way)

    def under_way(self, count: int) -> None:
        """Of the tasks in flight so many things are done."""
        if self.bar:
            self.bar.advance(0, under_way=count)

    def each(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Run tasks one after the other in this process."""
        for task in tasks:
            done = 0

            def add(more: int) -> None:
                nonlocal done
                done += more
                self.under_way(done)

            with counted_by(add):
                result = function(task)
            self.ended(task)
            yield result
