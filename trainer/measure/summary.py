"""From figures of windows to means over sequences, with the intervals that they carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.resampling import FEWEST, bounds, resampled_means, rounded

Values = NDArray[np.float64]
Scores = dict[str, dict[str, list[float]]]
"""Way of feeding -> figure -> mean over each sequence's windows, in the order of the sequences."""
START, STUDENT = "start", "student"
"""Answers of a network; the others need none."""


def by_sequence(values: Values, sequence: NDArray[np.int64]) -> list[float]:
    """Means over the windows of each sequence.

    Args:
        values: (n,) of the windows.
        sequence: (n,) the sequence of each; one that no window is of is left out.
    """
    _, place = np.unique(sequence, return_inverse=True)
    return [float(mean) for mean in np.bincount(place, values) / np.bincount(place)]


def figures(scores: Mapping[str, Scores], seed: int) -> dict[str, Any]:
    """Means over sequences: way of feeding -> figure -> answer -> ``value``, ``low``, ``high``.

    Beside the answers stand their differences, of which the sequences are drawn in pairs: the student less each other.

    Args:
        scores: by answer.
        seed: of the resampling.
    """
    told: dict[str, Any] = {}
    ways = {(way, name): None for answer in scores.values() for way, named in answer.items() for name in named}
    for way, name in ways:
        given = {answer: np.array(each[way][name]) for answer, each in scores.items() if name in each.get(way, {})}
        if STUDENT in given:
            others = [answer for answer in given if answer != STUDENT]
            given |= {f"{STUDENT} - {answer}": given[STUDENT] - given[answer] for answer in others}
        told.setdefault(way, {})[name] = dict(zip(given, _with_intervals(np.stack(list(given.values())), seed)))
    return told


def _with_intervals(table: Values, seed: int) -> list[dict[str, float | None]]:
    """The mean of each row (k, n), and its 95 % interval where there are sequences enough for one."""
    if table.shape[1] < FEWEST:
        ends = np.full((2, len(table)), None)
    else:
        ends = bounds(resampled_means(table, seed)).astype(object)
    kept = [[None if end is None else rounded(end) for end in row] for row in ends]
    return [{"value": rounded(mean), "low": low, "high": high} for mean, low, high in zip(table.mean(axis=1), *kept)]
