"""Which of a picture's detections become pseudo boxes."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import iou
from pipeline.detect.base import Detections


def select(
    detections: Detections,
    *,
    classes: Collection[int] | None = None,
    min_size: float | None = None,
    max_size: float | None = None,
    limit: int | None = None,
    overlap: float = 0.8,
) -> Detections:
    """Filter one picture's detections and order them rarer class first.

    A tracker meets any object, so a class that is rare in the picture is worth more than one more of the common one.
    Equal counts are decided by score, equal scores by the box, so the result does not depend on the input's order.

    Args:
        detections: of one picture.
        classes: keep only these; None keeps all.
        min_size: smallest allowed shorter side in pixels.
        max_size: largest allowed longer side in pixels.
        limit: keep at most this many.
        overlap: of two boxes with a larger IoU, whatever their classes, only the one with the higher score stays.

    Returns:
        The kept detections; classes with fewer boxes in the picture first, then by falling score.
    """
    short, long = detections.boxes[:, 2:].min(axis=1), detections.boxes[:, 2:].max(axis=1)
    keep = np.ones(len(detections), dtype=bool)
    if classes is not None:
        keep &= np.isin(detections.classes, sorted(classes))
    if min_size is not None:
        keep &= short >= min_size
    if max_size is not None:
        keep &= long <= max_size
    rest = detections.take(np.flatnonzero(keep))
    rest = rest.take(_by_score(rest))
    rest = rest.take(_without_duplicates(rest, overlap))
    _, kind, count = np.unique(rest.classes, return_inverse=True, return_counts=True)
    return rest.take(np.argsort(count[kind], kind="stable")[:limit])


def _by_score(detections: Detections) -> NDArray[np.intp]:
    """Indices by falling score, then by box and class."""
    x, y, w, h = detections.boxes.T
    return np.lexsort((detections.classes, h, w, y, x, -detections.scores))


def _without_duplicates(detections: Detections, overlap: float) -> list[int]:
    """Greedy non-maximum suppression across classes of detections that are already in order."""
    overlaps = iou(detections.boxes[:, None], detections.boxes[None, :]) > overlap
    kept: list[int] = []
    for i in range(len(detections)):
        if not overlaps[i, kept].any():
            kept.append(i)
    return kept
