"""How far work is: a bar on a terminal, elsewhere a line a minute, and nothing where messages are not to be shown."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self, TypeVar

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from pipeline.runtime.console import on_terminal, terminal_size

log = logging.getLogger(__name__)
T = TypeVar("T")

FIRST_S, LINE_S = 10.0, 60.0
"""Seconds until the first line where there is no terminal, by which it can be told how long all will take, and between
two others."""
DRAW_S = 0.1
"""Seconds between two pictures of a bar."""
_UNITS = (("days", 86400.0, 2), ("h", 3600.0, 1), ("min", 60.0, 1))


def duration(seconds: float) -> str:
    """A time as people tell it: ``40 s``, ``12 min``, ``1.5 h``, ``6.9 days``."""
    for unit, length, least in _UNITS:
        if seconds >= least * length:
            return f"{seconds / length:.0f} {unit}" if unit == "min" else f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


class Course:
    """Pieces of work, one after the other, whose bars tell what is left of all.

    Those that have not begun are expected to take as long for their size as those before them, and as the one that is
    under way will have taken.

    Args:
        size: of all pieces together, in a unit with which their times go.
    """

    def __init__(self, size: float) -> None:
        self._ahead, self._behind, self._size = size, 0.0, 0.0
        self._spent_s = self._begun = 0.0

    @contextlib.contextmanager
    def piece(self, size: float) -> Iterator[None]:
        """While the next piece is worked on, which is of such a size."""
        self._ahead, self._size, self._begun = self._ahead - size, size, time.monotonic()
        before = _COURSE.set(self)
        try:
            yield
        finally:
            _COURSE.reset(before)
        self._behind += self._size
        self._spent_s += time.monotonic() - self._begun

    def resume(self, share: float) -> None:
        """An earlier run did a share of the piece that is under way."""
        self._size *= 1 - share

    def after_s(self, left_s: float) -> float:
        """Seconds that all takes which is to come after the piece that is under way.

        Args:
            left_s: that this one takes.
        """
        spent_s = self._spent_s + time.monotonic() - self._begun + left_s
        return self._ahead * spent_s / (self._behind + self._size)


_COURSE: ContextVar[Course | None] = ContextVar("course", default=None)


class ProgressBar:
    """A piece of work, as a context: drawn on the error stream if it is a terminal, else told by messages of the log.

    These come when it begins, unless it is a part of another, after :data:`FIRST_S` seconds, then every :data:`LINE_S`,
    and when it ends later.

    What is left of a :class:`Course` that it is a piece of is told beside what is left of its own.

    Both are left out where the log does not take messages of the level INFO.

    Args:
        what: is done, such as ``mine center``.
        total: how many there are; 0 where nothing is counted, and the work only named.
        unit: of them, such as ``pairs``.
        done: how many an earlier run did.
        keep: leave the bar on the screen when the work is done; that of a part goes.
        shown: or not at all.
        rest_s: seconds that work of another kind is expected to take when all are done.
    """

    def __init__(
        self,
        what: str,
        total: int = 0,
        unit: str = "",
        *,
        done: int = 0,
        keep: bool = True,
        shown: bool = True,
        rest_s: float = 0.0,
    ) -> None:
        self.what, self.total, self.unit, self.rest_s = what, total, unit, rest_s
        self._done = self._kept = done
        self._under_way = self._lined = 0
        self._facts = ""
        self._keep, self._shown = keep and total > 0, shown and log.isEnabledFor(logging.INFO)
        # Nothing is left to do.
        self._shown &= not (total and done >= total)
        self._course = _COURSE.get() if self._keep and self._shown else None
        self._bar: Any = None
        self._open = contextlib.ExitStack()
        self._begun = self._next = time.monotonic()

    def __enter__(self) -> Self:
        self._begun = self._next = time.monotonic()
        if self._course:
            self._course.resume(self._kept / self.total)
        if self._shown and on_terminal():
            self._open.enter_context(logging_redirect_tqdm())
            layout = "{desc} {postfix[0]:3d} %|{bar}| {postfix[1]}" if self.total else "{desc}"
            kind: dict[str, Any] = {"bar_format": layout, "leave": self._keep, "postfix": [self._share, self._told()]}
            kind["ncols"], kind["nrows"] = terminal_size()
            self._bar = self._open.enter_context(tqdm(total=self.total or None, desc=self.what, **kind))
        elif self._shown:
            self._next += min(FIRST_S, LINE_S)
            if self._keep or not self.total:
                log.info("%s", f"{self.what}: {self.total:,} {self.unit}" if self.total else self.what)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._draw()
        elif kind is None and self._passed >= LINE_S and self._reached != self._lined:
            self.line()
        self._open.close()

    def advance(self, count: int, facts: str = "", *, under_way: int = 0) -> None:
        """Count what is done, and tell it when it is time.

        Args:
            count: more are.
            facts: what else is to be told from now on, such as a loss.
            under_way: how many are done of what counts only when the whole of it is.
        """
        self._done, self._under_way = self._done + count, under_way
        self._facts = facts or self._facts
        if self._shown and time.monotonic() >= self._next:
            self._draw() if self._bar is not None else self.line()

    def keep(self, count: int) -> None:
        """So many more were done by an earlier run: they say nothing of how long the others take."""
        self._kept += count
        self.advance(count, under_way=self._under_way)

    def line(self) -> None:
        """Tell at once how far the work is, where no bar does."""
        if self._shown and self._bar is None:
            self._next, self._lined = time.monotonic() + LINE_S, self._reached
            log.info("%s: %d %% after %s: %s", self.what, self._share, duration(self._passed), self._told())

    @property
    def _reached(self) -> int:
        return min(self.total, self._done + self._under_way)

    @property
    def _share(self) -> int:
        """Whole percents: 100 are all."""
        return 100 * self._reached // self.total if self.total else 0

    @property
    def _passed(self) -> float:
        return time.monotonic() - self._begun

    def _draw(self) -> None:
        self._next = time.monotonic() + DRAW_S
        self._bar.ncols, self._bar.nrows = terminal_size()
        self._bar.n, self._bar.postfix = self._reached, [self._share, self._told()]
        self._bar.refresh()

    def _told(self) -> str:
        """What stands behind a bar, the more important the earlier: a narrow terminal shows its beginning."""
        fresh, passed, left = self._reached - self._kept, self._passed, self.total - self._reached
        told = [f"{self._reached:,}/{self.total:,} {self.unit}"]
        if left and fresh > 0:
            left_s = left * passed / fresh + self.rest_s
            after_s = self._course.after_s(left_s) if self._course else 0
            more = [f"{duration(left_s + after_s)} with all that follows"] if after_s else []
            told = [f"{duration(left_s)} left", *more, *told]
        elif not left:
            told.append(f"in {duration(passed)}")
        told += [self._facts] if self._facts else []
        if fresh > 0 and passed > 0:
            speed = fresh / passed
            told.append(f"{speed:,.0f}/s" if speed >= 100 else f"{speed:.3g}/s")
        return ", ".join(told)


def followed(items: Iterable[T], bar: ProgressBar) -> Iterator[T]:
    """The same items, each counted by the bar when the next one is asked for."""
    with bar:
        for item in items:
            yield item
            bar.advance(1)
