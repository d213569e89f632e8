"""Differences of models, and other sums of them, each with its interval over clips and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trainer.resampling import bounds, rounded
from trainer.study.judge.crossed import Squares, crossed, resampled
from trainer.study.judge.scores import Arm, Scores, align

MINUS = " − "


@dataclass(frozen=True)
class Contrast:
    """A sum of models' scores, mostly of one less another's.

    Attributes:
        name: such as ``d3 − a1``.
        value: mean over sequences, then over the seeds.
        low: lower bound of the 95 % interval; None of one clip.
        high: upper bound.
        percentiles: bounds of the crossed bootstrap alone, which the interval is never narrower than.
        sequences: that all models were tried on.
        clips: that these are of.
        seeds: that all models share; 0 where none has any.
        squares: what the interval of more clips would rest on.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    percentiles: tuple[float, float] | None
    sequences: int
    clips: int
    seeds: int
    squares: Squares | None

    def told(self) -> dict[str, object]:
        """As ``verdict.json`` has it."""
        kept = ("value", "low", "high", "percentiles", "sequences", "clips", "seeds")
        return {key: getattr(self, key) for key in kept}


def contrast(scores: Scores, first: Arm, second: Arm) -> Contrast | None:
    """``first`` less ``second``, paired: the same clips and the same seeds for both.

    A model that is one for all seeds stands against each of the other's.

    Returns:
        None where one of them is missing, or they share no sequence or no seed.
    """
    return weighed(scores, {first: 1.0, second: -1.0}, f"{first.name}{MINUS}{second.name}")


def weighed(scores: Scores, weights: Mapping[Arm, float], name: str) -> Contrast | None:
    """The sum of models' scores by weights, as :func:`contrast`."""
    found = align(scores, list(weights))
    if found is None:
        return None
    table = np.tensordot(np.array(list(weights.values())), found.values, axes=1)
    interval = crossed(table, found.clips)
    return Contrast(
        name,
        interval.value,
        interval.low,
        interval.high,
        interval.percentiles,
        len(found.clips),
        int(found.clips.max()) + 1,
        found.seeds,
        interval.squares,
    )


def slope(scores: Scores, at: Mapping[Arm, float], name: str) -> Contrast | None:
    """Slope of the least-squares line through models' scores over what each ``at`` stands at."""
    places = np.array(list(at.values()))
    weights = (places - places.mean()) / ((places - places.mean()) ** 2).sum()
    return weighed(scores, dict(zip(at, weights.tolist())), name)


def share(scores: Scores, won: Arm, start: Arm, most: Arm) -> dict[str, float | int | None] | None:
    """What ``won`` has over ``start`` as a share of what ``most`` has, with the crossed bootstrap's percentiles.

    Returns:
        None where a model is missing, or there is nothing to win; the bounds are None where one of 40 draws has nothing
        to win, so that a share of it means nothing.
    """
    found = align(scores, [won, start, most])
    if found is None:
        return None
    gain, room = found.values[0] - found.values[1], found.values[2] - found.values[1]
    if room.mean() <= 0:
        return None
    told: dict[str, float | int | None] = {"value": rounded(gain.mean() / room.mean()), "low": None, "high": None}
    rooms = resampled(room, found.clips)
    if found.clips.max() > 0 and bounds(rooms)[0] > 0:
        kept = rooms > 0
        low, high = bounds(resampled(gain, found.clips)[kept] / rooms[kept])
        told |= {"low": rounded(low), "high": rounded(high)}
    return told | {"sequences": len(found.clips), "seeds": found.seeds}
