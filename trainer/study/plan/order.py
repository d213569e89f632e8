"""The order of a study's runs: what the verdict asks first, seed by seed, then the rest."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.study.judge.rules import CONTROLS
from trainer.study.plan.run import Run

CANDIDATE = "d3"
START = "a1"
TRACKED = "tracked"
"""Row of a measurement on whole sequences, which decides nothing."""
_VERDICT, _ROWS, _CONTROLS, _LAST = range(4)


def in_order(runs: Sequence[Run]) -> list[Run]:
    """The runs, each after what it needs: first those that the verdict asks for, of one seed after the other.

    A run is as urgent as the most urgent of those that need it.

    Args:
        runs: each after what it needs, as a world tells them.

    Raises:
        ValueError: two have one name, or one needs what is not there or comes later.
    """
    urgency: dict[str, tuple[int, int]] = {}
    for run in runs:
        if run.id in urgency:
            raise ValueError(f"two runs are called {run.id}")
        if missing := [need for need in run.needs if need not in urgency]:
            raise ValueError(f"{run.id} needs {missing[0]}, which is not before it")
        urgency[run.id] = _urgency(run)
    for run in reversed(runs):
        for need in run.needs:
            urgency[need] = min(urgency[need], urgency[run.id])
    return sorted(runs, key=lambda run: urgency[run.id])


def _urgency(run: Run) -> tuple[int, int]:
    """Of a run for its own sake: measurements are what all others are made for."""
    seed = -1 if run.seed is None else run.seed
    if not run.set or run.row == TRACKED:
        return _LAST, seed
    if run.patches:
        return _CONTROLS, seed
    if run.control in ("", *CONTROLS) and run.row in ("", START, CANDIDATE):
        return _VERDICT, seed
    return (_CONTROLS if run.control else _ROWS), seed
