"""Whether a region teaches anything: something in it moves against the background, or it differs from its surroundings.

*Motion*: how far the corners of the region have gone beside the median way of a ring around it, through a window of
pictures: the 80th percentile, as a share of the region's side sqrt(w h). *Contrast*: by how many grey levels the
region's histogram must be moved to become that of the ring (the earth mover's distance, in one dimension the area
between the cumulative histograms). A region that has neither is a piece of empty wall, road or sky.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.mine.tubes.regions.flow import Box, Grey, part_of, side_of

MIN_MOTION = 0.05
MIN_CONTRAST = 10.0
_BINS = 64
_FEW = 6
"""Points of a ring under which its motion is not known."""


def motion(box: Box, inner: NDArray[np.float32], ring: NDArray[np.float32]) -> float:
    """How far what is in the box has gone beside the ring, as a share of the box's side.

    Args:
        box: where it was first.
        inner: (k, n, 2) where n points of the box are in k pictures.
        ring: (k, m, 2) likewise, points around it.

    Returns:
        0 where too little of the ring was followed to tell.
    """
    if ring.shape[1] < _FEW or not inner.shape[1]:
        return 0.0
    background = np.median(ring[-1] - ring[0], axis=0)
    gone = np.linalg.norm(inner[-1] - inner[0] - background, axis=1)
    return float(np.quantile(gone, 0.8)) / side_of(box)


def contrast(grey: Grey, box: Box) -> float:
    """How far the grey levels of a box are from those around it within twice its sides, in levels (0 to 255)."""
    inner = _histogram(grey, box)
    outer = _histogram(grey, np.concatenate([box[:2] - box[2:] / 2, 2 * box[2:]])) - inner
    if inner.sum() <= 0 or outer.sum() <= 0:
        return 0.0
    apart = np.cumsum(inner / inner.sum() - outer / outer.sum())
    return float(np.abs(apart).sum()) * 256 / _BINS


def _histogram(grey: Grey, box: Box) -> NDArray[np.float32]:
    part, _ = part_of(grey, box)
    if not part.size:
        return np.zeros(_BINS, np.float32)
    return np.asarray(cv2.calcHist([part], [0], None, [_BINS], [0, 256]).reshape(-1), np.float32)
