"""One line on how far a study is, and when it will be done."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from pipeline.runtime.console import on_terminal, terminal_size
from pipeline.runtime.progress import LINE_S, duration
from trainer.study.plan.forecast import scale_of, seconds_to_go
from trainer.study.plan.run import Run
from trainer.study.run.ledger import Cost

log = logging.getLogger(__name__)


class Progress:
    """A bar on a terminal, elsewhere a line whenever a run has ended, and one a minute.

    Both are left out where the log does not take messages of the level INFO.

    Args:
        runs: of the study, in order.
        workers: runs side by side.
    """

    def __init__(self, runs: Sequence[Run], workers: int) -> None:
        self._runs, self._workers = runs, workers
        self._costs = {run.id: run.cost_s for run in runs}
        layout = "{desc} {percentage:3.0f} %|{bar}| {postfix}"
        self._total = sum(self._costs.values()) or 1.0
        shown = log.isEnabledFor(logging.INFO) and on_terminal()
        kind: dict[str, Any] = {"bar_format": layout, "disable": not shown}
        kind["ncols"], kind["nrows"] = terminal_size()
        self._bar = tqdm(total=self._total, desc="study", **kind)
        self._next = time.monotonic() + LINE_S

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.close()

    def tick(self, done: Collection[str], begun: Mapping[str, float], costs: Iterable[Cost]) -> None:
        """Move the bar, or tell a line when it is time for one.

        Args:
            done: ids of the runs that have ended.
            begun: id -> seconds since it began, of those that are running.
            costs: what the ended ones took.
        """
        scale = _scale(costs)
        if self._bar.disable:
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + LINE_S
                log.info("%s: %s", self._told(done, begun, scale), ", ".join(begun))
            return
        part = sum(min(self._costs[name], seconds / scale) for name, seconds in begun.items())
        self._bar.n = min(self._total, sum(self._costs[name] for name in done) + part)
        self._bar.set_postfix_str(f"{self._told(done, begun, scale)}: {', '.join(begun)}", refresh=True)

    def ended(self, cost: Cost, done: Collection[str], begun: Mapping[str, float], costs: Iterable[Cost]) -> None:
        """Tell that a run has ended."""
        if self._bar.disable:
            took = f"{cost.id} took {duration(cost.wall_s)} ({duration(cost.expected_s)} were expected)"
            log.info("%s; %s", took, self._told(done, begun, _scale(costs)))

    def _told(self, done: Collection[str], begun: Mapping[str, float], scale: float) -> str:
        left = seconds_to_go(self._runs, done, begun, self._workers, scale)
        return f"{len(done)} of {len(self._runs)} runs, about {duration(left)} to go"


def _scale(costs: Iterable[Cost]) -> float:
    known = list(costs)
    return scale_of([cost.expected_s for cost in known], [cost.wall_s for cost in known])
