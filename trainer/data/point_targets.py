"""What is to be learnt of a search window of NanoTrack: which points find the target, the label g, the state s."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.labels import box_state
from trainer.data.views.search_windows import Box
from trainer.recipes.point_geometry import PointSpec

INNER, OUTER = 1 / 4, 1 / 2
"""Half-axes of the ellipses in units of the box's sides: inside the inner one a point is on the target, outside the
outer one beside it, and between them nothing is asked."""
SIGMA = 1 / 4
"""Width of the label g in units of the box's side, but a cell at least."""


def point_targets(box: Box, spec: PointSpec, rng: np.random.Generator, foreign: bool) -> dict[str, Any]:
    """What is to be learnt of a search window.

    Args:
        box: (4,) x, y, w, h of the target in it, pixels.
        spec: the geometry.
        rng: of the points that are drawn.
        foreign: whether the template is of another scene: then nothing is to be found here.

    Returns:
        ``cells`` (h, w) int8, as :func:`labelled_points` has them; ``label`` (h, w) and ``state`` (4,); ``proposals``
        and ``proposal_iou`` of no boxes.
    """
    label = np.zeros((spec.cells, spec.cells), np.float32) if foreign else gaussian(box, spec)
    none = {"proposals": np.zeros((0, 4)), "proposal_iou": np.zeros(0)}
    return {"cells": labelled_points(box, spec, rng, foreign), "label": label, "state": box_state(box)} | none


def labelled_points(box: Box, spec: PointSpec, rng: np.random.Generator, foreign: bool) -> NDArray[np.int8]:
    """Which points are to find the target (1) and which are not (0), (h, w); -1 where nothing is asked.

    Of both kinds as many as the geometry has are drawn at most. Where the template is of another scene, points on the
    target are those that are not to find it, and nothing else is asked.
    """
    inside = on_target(box, spec)
    if foreign:
        return _drawn({0: (inside, spec.positives)}, rng)
    beside = _distance(box, spec, OUTER) > 1
    return _drawn({1: (inside, spec.positives), 0: (beside & ~inside, spec.negatives)}, rng)


def on_target(box: Box, spec: PointSpec) -> NDArray[np.bool_]:
    """The points (h, w) in the inner ellipse; where there is none the nearest one, if the geometry has it so."""
    inside = _distance(box, spec, INNER) < 1
    if inside.any() or not spec.nearest:
        return inside
    x, y = _points(spec)
    off = np.hypot(x - (box[0] + box[2] / 2), y - (box[1] + box[3] / 2))
    inside.flat[off.argmin()] = True
    return inside


def is_thin(box: Box, spec: PointSpec) -> bool:
    """Whether no point lies in the inner ellipse."""
    return not (_distance(box, spec, INNER) < 1).any()


def gaussian(box: Box, spec: PointSpec) -> NDArray[np.float32]:
    """The label g of Eq. 2 at the points, (h, w): 1 at the box's centre, a quarter of its side wide or a cell."""
    sigma = max(SIGMA * float(np.sqrt(box[2] * box[3])), spec.stride)
    x, y = _points(spec)
    squared = (x - (box[0] + box[2] / 2)) ** 2 + (y - (box[1] + box[3] / 2)) ** 2
    return np.asarray(np.exp(-squared / (2 * sigma**2)), np.float32)


def _points(spec: PointSpec) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """X and y of the points, (h, w) each, from the window's edge, half a pixel before its first pixel's centre."""
    first, stride = spec.grid
    along = first + 0.5 + np.arange(spec.cells) * stride
    x, y = np.meshgrid(along, along)
    return x, y


def _distance(box: Box, spec: PointSpec, half: float) -> NDArray[np.float64]:
    """Squared distance (h, w) of the points from the box's centre, in half-axes: under 1 inside the ellipse."""
    x, y = _points(spec)
    across = (x - (box[0] + box[2] / 2)) / (half * box[2])
    along = (y - (box[1] + box[3] / 2)) / (half * box[3])
    return np.asarray(across**2 + along**2)


def _drawn(kinds: dict[int, tuple[NDArray[np.bool_], int]], rng: np.random.Generator) -> NDArray[np.int8]:
    """Label of each kind -> its points and how many of them are drawn at most."""
    cells = np.full(next(iter(kinds.values()))[0].shape, -1, np.int8)
    for label, (where, most) in kinds.items():
        places = np.flatnonzero(where)
        cells.flat[rng.permutation(places)[:most]] = label
    return cells
