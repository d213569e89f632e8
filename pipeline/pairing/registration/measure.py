"""The parts of the score: what the correlation surfaces say of a matrix, whoever found it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.pairing.registration.blocks import Surfaces

Array = NDArray[np.float64]

_NEAR = 1.5
_APART = 3.0


def recentred(surfaces: Surfaces, predicted: Array, span: int) -> NDArray[np.float32]:
    """(n, 2 span + 1, 2 span + 1) surfaces sampled, bilinearly, around each block's predicted displacement (n, 2)."""
    side = 2 * surfaces.reach + 1
    wanted = predicted.T[:, :, None] + np.arange(-span, span + 1) + surfaces.reach
    apart = np.clip(wanted, 0, side - 1)[..., None] - np.arange(side)
    across, down = np.maximum(1 - np.abs(apart), 0)
    return np.asarray(down @ surfaces.values @ across.transpose(0, 2, 1), dtype=np.float32)


def surface_scores(surfaces: Surfaces, predicted: Array) -> dict[str, float]:
    """Scores of a displacement field.

    Args:
        surfaces: of n blocks.
        predicted: (n, 2) displacement that the matrix gives each block, pixels of the level.

    Returns:
        ``ncc``: mean correlation of the blocks at the matrix; ``contrast``: how far that stands above the best that a
        common shift elsewhere would give, as a share; ``peak``: the same in standard deviations of the other shifts;
        ``agreement``: share of blocks whose own best displacement is the matrix's, to 1.5 pixels.
    """
    if not len(surfaces.values):
        return {"ncc": 0.0, "contrast": 0.0, "peak": 0.0, "agreement": 0.0}
    span = surfaces.reach - 1
    around = recentred(surfaces, predicted, span)
    share = surfaces.weights / surfaces.weights.sum()
    total = np.tensordot(share, around, axes=1)
    axis = np.arange(-span, span + 1)
    far = np.hypot(axis[:, None], axis) > _APART
    here = float(total[span, span])
    best = around.reshape(len(around), -1).argmax(axis=1)
    off = np.hypot(best % axis.size - span, best // axis.size - span)
    return {
        "ncc": here,
        "contrast": here - float(total[far].max()),
        "peak": (here - float(total[far].mean())) / max(float(total[far].std()), 0.005),
        "agreement": float(share @ (off <= _NEAR)),
    }
