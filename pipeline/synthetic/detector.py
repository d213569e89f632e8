"""True boxes with the errors of a detector: what stands in for one where none can be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

_NOTHING = 40, 80
"""Width and height of a box that is on nothing, as of a person."""


@dataclass(frozen=True)
class Errors:
    """How far a detector is from the truth.

    Attributes:
        missed: share of the boxes that are left out, one by one.
        spread: standard deviation of each edge, as a share of the box's side.
        false: boxes a picture that are on nothing, in the mean.
    """

    missed: float = 0.15
    spread: float = 0.04
    false: float = 0.3


def detected(row: dict[str, Any], size: tuple[int, int], errors: Errors, rng: np.random.Generator) -> dict[str, object]:
    """A pair's line of ``detections.jsonl`` as a detector would give it: other boxes, and whose they are is not known.

    Args:
        row: the line.
        size: of the picture, (width, height).
        errors: of the detector.
        rng: that draws them.
    """
    boxes, classes = np.reshape(np.asarray(row["boxes"], np.float64), (-1, 4)), np.asarray(row["classes"], int)
    kept = rng.random(len(boxes)) >= errors.missed
    boxes, classes = boxes[kept], classes[kept]
    edges = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    edges += rng.normal(0, errors.spread, edges.shape) * np.tile(boxes[:, 2:], 2)
    room = np.subtract(size, _NOTHING)
    nothing = [(*(rng.random(2) * room), *_NOTHING) for _ in range(rng.poisson(errors.false))]
    found = [*np.concatenate([edges[:, :2], edges[:, 2:] - edges[:, :2]], axis=1), *nothing]
    scores = [*rng.uniform(0.4, 0.95, len(classes)), *rng.uniform(0.25, 0.5, len(nothing))]
    return {
        "pair_id": row["pair_id"],
        "boxes": [[round(float(value), 3) for value in box] for box in found],
        "scores": [round(float(score), 4) for score in scores],
        "classes": [*classes.tolist(), *[0] * len(nothing)],
    }
