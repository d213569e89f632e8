"""How long the runs of a study will take from now on, side by side."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from trainer.study.plan.run import Run

TRUSTED_S = 60.0
"""Seconds of work from which on what was measured counts more than what was expected."""


def scale_of(expected: Sequence[float], measured: Sequence[float]) -> float:
    """How many times longer runs take than expected, by those that have ended: near 1 while those are few.

    Args:
        expected: seconds of each.
        measured: seconds that each took.
    """
    return (sum(measured) + TRUSTED_S) / (sum(expected) + TRUSTED_S)


def seconds_to_go(
    runs: Sequence[Run], done: Collection[str], begun: Mapping[str, float], workers: int, scale: float = 1.0
) -> float:
    """Seconds until the last run ends, if each takes what it is expected to, by going through them as a study does.

    Args:
        runs: in order, each after what it needs.
        done: ids of those that have ended.
        begun: id -> seconds since it began, of those that are running now.
        workers: runs side by side.
        scale: see :func:`scale_of`.
    """
    ends = dict.fromkeys(done, 0.0)
    running = {run.id: max(0.0, run.cost_s * scale - begun[run.id]) for run in runs if run.id in begun}
    waiting = [run for run in runs if run.id not in ends and run.id not in running]
    now = 0.0
    while waiting or running:
        for run in [run for run in waiting if all(need in ends for need in run.needs)][: workers - len(running)]:
            waiting.remove(run)
            running[run.id] = now + run.cost_s * scale
        if not running:
            break
        first = min(running, key=lambda name: running[name])
        now = running.pop(first)
        ends[first] = now
    return now
