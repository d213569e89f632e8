"""How far work is: a bar on a terminal, elsewhere a line a minute, and nothing where messages are not to be shown."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

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


class ProgressBar:
    """A piece of work, as a context: drawn on the error stream if it is a terminal, else told by messages of the log.

    These come when it begins, unless it is a part of another, after :data:`FIRST_S` seconds, then every :data:`LINE_S`,
    and when it ends later.

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
        self._bar: Any = None
        self._open = contextlib.ExitStack()
        self._begun = self._next = time.monotonic()

    def __enter__(self) -> Self:
        self._begun = self._next = time.monotonic()
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
            told.insert(0, f"{duration(left * passed / fresh + self.rest_s)} left")
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


def on_terminal() -> bool:
    """Whether the error stream is a terminal."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:
        # Somebody has closed it.
        return False


def terminal_size() -> tuple[int, int]:
    """Columns and rows of the terminal that a bar may take: a small one where it does not say, as in containers."""
    try:
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        columns, rows = 0, 0
    return (columns or 80) - 1, rows or 24
