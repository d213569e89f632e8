"""One tracker on one sequence: errors frame by frame and the three curves, as the benchmarks' MATLAB toolkits do it.

Boxes are (T, 4) as x, y, w, h in pixels. Definitions: LSOTB-TIR toolkit (``calcSeqErrRobust``, ``calcRectInt``,
``genPerfMat``), which PTB-TIR's toolkit shares; docs/evaluation.md has them in words. The order of the floating-point
operations is the toolkits' too, so that errors which lie exactly on a threshold fall on the same side of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trainer.sequences.rows import Boxes, valid

Curve = NDArray[np.float64]

THRESHOLDS: dict[str, Curve] = {
    "success": np.arange(21.0) * 0.05,
    "precision": np.arange(51.0),
    "normalized_precision": np.arange(51.0) / 100,
}
"""Overlap (strictly above), centre error in pixels (at most), centre error in ground-truth sizes (at most)."""

PRECISION_AT = 20
"""Index, and pixels, at which the precision curve is read."""

INVALID = -1.0
"""Value of every measure in a frame without valid ground truth: within any error, above no overlap."""


@dataclass(frozen=True)
class FrameErrors:
    """Measures of T frames, each (T,): overlap (IoU), centre error in pixels, centre error in ground-truth sizes."""

    overlap: NDArray[np.float64]
    centre: NDArray[np.float64]
    normalized: NDArray[np.float64]


def from_first_valid(boxes: Boxes, truth: Boxes) -> tuple[Boxes, Boxes]:
    """Boxes and ground truth from the first frame with valid ground truth on: a tracker is started there.

    Boxes that have a row for each ground-truth row are cut with it; fewer are taken to begin at the start.

    Raises:
        ValueError: no frame has valid ground truth.
    """
    frames = np.flatnonzero(valid(truth))
    if not len(frames):
        raise ValueError("no frame has a ground-truth box with x, y, w and h above 0")
    start = frames[0]
    return (boxes[start:] if len(boxes) >= len(truth) else boxes), truth[start:]


def mend(boxes: Boxes, truth: Boxes) -> tuple[Boxes, NDArray[np.bool_]]:
    """Put the last good row in the place of each careless one, then the truth in that of row 1.

    A row is careless, where the truth is known, if w or h is not above 0 or all four are NaN. Row 1 never is.

    Args:
        boxes: (T, 4), one row for each row of ``truth``.
        truth: (T, 4).

    Returns:
        The mended boxes (T, 4), and which rows (T,) were careless.
    """
    bad = (boxes[:, 2] <= 0) | (boxes[:, 3] <= 0) | np.isnan(boxes).all(axis=1)
    bad &= ~np.isnan(truth).any(axis=1)
    bad[0] = False
    mended = boxes[np.maximum.accumulate(np.where(bad, 0, np.arange(len(boxes))))]
    mended[0] = truth[0]
    return mended, bad


def measure(boxes: Boxes, truth: Boxes) -> FrameErrors:
    """Errors of boxes (T, 4), mended, against the truth (T, 4); :data:`INVALID` where the truth is not valid."""
    known = valid(truth)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        size = truth[:, 2:]
        centre, true_centre = (box[:, :2] + (box[:, 2:] - 1) / 2 for box in (boxes, truth))
        error = np.sqrt(((centre - true_centre) ** 2).sum(axis=1))
        normalized = np.sqrt(((centre / size - true_centre / size) ** 2).sum(axis=1))
        overlap = _overlap(boxes, truth)
    return FrameErrors(*(np.where(known, values, INVALID) for values in (overlap, error, normalized)))


def _overlap(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Intersection over union (T,).

    MATLAB's min and max pass over NaN, and so do fmin and fmax: a row without x is as wide as the truth there.
    """
    low = np.fmax(a[:, :2], b[:, :2])
    high = np.fmin(a[:, :2] + a[:, 2:] - 1, b[:, :2] + b[:, 2:] - 1)
    sides = np.fmax(0, high - low + 1)
    inter = sides[:, 0] * sides[:, 1]
    return np.asarray(inter / (a[:, 2] * a[:, 3] + b[:, 2] * b[:, 3] - inter))


def curves(errors: FrameErrors) -> dict[str, Curve]:
    """Share of frames that pass each threshold of :data:`THRESHOLDS`; NaN passes none."""
    return {
        "success": _share(-errors.overlap, -THRESHOLDS["success"], "left"),
        "precision": _share(errors.centre, THRESHOLDS["precision"], "right"),
        "normalized_precision": _share(errors.normalized, THRESHOLDS["normalized_precision"], "right"),
    }


def _share(values: NDArray[np.float64], thresholds: Curve, side: Literal["left", "right"]) -> Curve:
    """Share of values below (``left``) or not above (``right``) each threshold; NaN sorts last and so is above all."""
    return np.searchsorted(np.sort(values), thresholds, side=side) / len(values)


def read_out(metric: str, curve: Curve) -> NDArray[np.float64]:
    """The score (...,) of curves (..., thresholds).

    The mean of all points for success and normalized precision, the value at 20 pixels for precision.
    """
    return np.asarray(curve[..., PRECISION_AT] if metric == "precision" else curve.mean(axis=-1))


def cut(truth: Boxes) -> Boxes:
    """Ground truth from its first valid frame on."""
    return from_first_valid(truth, truth)[1]
