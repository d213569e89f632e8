"""What a study leaves out where its budget is too small for all of it: by a fixed order, and never untold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pipeline.errors import UsageError
from trainer.study.judge.rules import CONTROLS
from trainer.study.plan.order import CANDIDATE, START
from trainer.study.plan.run import Run
from trainer.study.settings import Scope

KEPT_ROWS = (START, "b1", "b2", "b3", "c1", "bc", CANDIDATE)
"""The chain of the row that is judged."""
FIRST_CONTROLS = ("features", "misalign-20", "misalign-5", "misalign-10", "bn")
"""Controls that no rule looks at, the first to be left out first."""
LAST_CONTROLS = ("tir-tir", "gray", "rgb-rgb", "shuffled", "oracle")
HOUR_S = 3600


def fit(scope: Scope, runs_of: Callable[[Scope], Sequence[Run]], hours: float | None) -> tuple[Scope, list[str]]:
    """The largest part of a scope whose runs are expected to take no more than some CPU-hours, and what is left out.

    Left out are, one after the other, controls that no rule of the verdict looks at, seeds from the last on, rows that
    are not of d3's chain from the last on, and controls that rules do look at.

    Args:
        scope: all that the preset names.
        runs_of: a world's runs of a scope.
        hours: None is as many as it takes.

    Raises:
        UsageError: a1 and d3 of one seed alone take longer.
    """
    dropped: list[str] = []
    needed = _hours(runs_of(scope))
    if hours is None or needed <= hours:
        return scope, dropped
    for name in _in_turn(scope):
        scope = scope.without(name)
        dropped.append(name)
        needed = _hours(runs_of(scope))
        if needed <= hours:
            return scope, dropped
    raise UsageError(f"--budget {hours:g}h: a1 and d3 alone are expected to take {needed:.2g} CPU-hours: allow as many")


def _in_turn(scope: Scope) -> Iterator[str]:
    controls = (*FIRST_CONTROLS, *(each for each in scope.controls if each not in (*FIRST_CONTROLS, *CONTROLS)))
    yield from (each for each in controls if each in scope.controls)
    yield from (f"seed {seed}" for seed in range(scope.seeds - 1, 0, -1))
    yield from (row for row in reversed(scope.rows) if row not in KEPT_ROWS)
    yield from (each for each in LAST_CONTROLS if each in scope.controls)


def _hours(runs: Sequence[Run]) -> float:
    return sum(run.cost_s for run in runs) / HOUR_S
