"""The moments at which two trackers differ most: where to look when one scores higher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import numpy as np
from numpy.typing import NDArray

from trainer.evaluate.ope import cut, measure
from trainer.evaluate.score_trackers import Evaluation
from trainer.evaluate.scores import ScoredTracker
from trainer.sequences.rows import Boxes, valid

WINDOW = 25
"""Frames over which a difference is averaged to find it: a second of most sequences, so that it is not a flicker."""


@dataclass(frozen=True)
class Moment:
    """One frame of one sequence, numbered from 1, and both overlaps with the truth there."""

    sequence: str
    frame: int
    first: float
    second: float


def differing_moments(
    evaluation: Evaluation, first: ScoredTracker, second: ScoredTracker | None, most: int = 5
) -> list[Moment]:
    """The moment of greatest difference in each of the sequences that differ most, those of either side in turn.

    Args:
        evaluation: holds the ground truth.
        first: a tracker with boxes.
        second: another; None compares with the ground truth itself.
        most: sequences to name in which the first is better, and as many in which the second is.
    """
    better, worse = list[tuple[float, Moment]](), list[tuple[float, Moment]]()
    for sequence in evaluation.benchmark.sequences:
        truth = evaluation.benchmark.truth[sequence]
        one = _overlaps(first.boxes[sequence], truth)
        other = _overlaps(second.boxes[sequence], truth) if second else valid(cut(truth)).astype(float)
        before = len(truth) - len(one)
        for side, gain in ((better, one - other), (worse, other - one)):
            place, size = _peak(gain)
            moment = Moment(sequence, before + place + 1, float(one[place]), float(other[place]))
            if size > 0 and gain[place] > 0:
                side.append((size, moment))
    sides = (sorted(side, key=lambda item: -item[0])[:most] for side in (better, worse))
    return [item[1] for item in chain(*zip_longest(*sides)) if item]


def by_sequence(moments: Sequence[Moment]) -> dict[str, list[Moment]]:
    """The moments of each sequence, in the order in which sequences first occur."""
    grouped: dict[str, list[Moment]] = {}
    for moment in moments:
        grouped.setdefault(moment.sequence, []).append(moment)
    return grouped


def _peak(gain: NDArray[np.float64]) -> tuple[int, float]:
    """The frame of the greatest gain within the window of the greatest mean gain, and that mean."""
    window = min(WINDOW, len(gain))
    smooth = np.convolve(gain, np.full(window, 1 / window), mode="same")
    centre = int(np.argmax(smooth))
    low = max(0, centre - window // 2)
    return low + int(np.argmax(gain[low : centre + window // 2 + 1])), float(smooth[centre])


def _overlaps(boxes: Boxes, truth: Boxes) -> NDArray[np.float64]:
    """Overlap (T,), 0 where it is unknown."""
    return np.maximum(np.nan_to_num(measure(boxes, cut(truth)).overlap), 0)
