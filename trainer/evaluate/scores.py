"""Scores of trackers: from curves by sequence to the benchmark's and the attributes' means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trainer.evaluate.ope import Curve, read_out
from trainer.sequences.rows import Boxes

MIN_SEQUENCES = 2
"""An attribute of fewer sequences has no score, as in the toolkit."""


@dataclass(frozen=True, eq=False)
class ScoredTracker:
    """One tracker on N sequences.

    Attributes:
        name: what the user calls it.
        curves: for each metric (N, thresholds).
        boxes: mended boxes by sequence, from the first valid frame on; empty for published curves.
        yardstick: no tracker, but what a tracker's scores stand beside (:mod:`trainer.yardsticks`).
    """

    name: str
    curves: Mapping[str, NDArray[np.float64]]
    boxes: Mapping[str, Boxes] = field(default_factory=dict)
    yardstick: bool = False

    @property
    def own(self) -> bool:
        """True for a tracker that was read from result files, not from published curves."""
        return bool(self.boxes)

    def scores(self, metric: str) -> NDArray[np.float64]:
        """Score of each sequence (N,); NaN where the curve is all zero, which the toolkit leaves out of means."""
        curve = self.curves[metric]
        return np.where(curve.sum(axis=1) > np.finfo(float).eps, read_out(metric, curve), np.nan)

    def mean_curve(self, metric: str) -> Curve:
        """Mean (thresholds,) over the sequences, each weighing the same, those that are zero throughout left out."""
        curve = self.curves[metric]
        counted = curve[curve.sum(axis=1) > np.finfo(float).eps]
        return np.asarray(counted.mean(axis=0)) if len(counted) else np.full(curve.shape[1], np.nan)

    def score(self, metric: str, where: NDArray[np.bool_] | None = None) -> float | None:
        """Mean score, or that of the sequences ``where`` (N,) holds; None where there is nothing to average."""
        if metric not in self.curves:
            return None
        if where is not None and where.sum() < MIN_SEQUENCES:
            return None
        scores = self.scores(metric) if where is None else self.scores(metric)[where]
        counted = scores[~np.isnan(scores)]
        return float(counted.mean()) if len(counted) else None
