"""What an answer to a window of a target at two instants starts from, and what it is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

STARTS = 2
"""Boxes of a window that refinement starts from: one at the response's peak, one beside the truth."""
DISPLACED = 0.25
"""How far the second is moved, in its own sides."""
Box = NDArray[np.float64]


def starts_of(
    reference: Box, test: Box, truth: Box, rng: np.random.Generator, noise: int
) -> dict[str, NDArray[np.float32]]:
    """What of a sample answers start from, by name.

    Args:
        reference: (4,) the reference's box in its picture.
        test: (4,) the true box in the test picture.
        truth: (4,) the same in the test window.
        rng: of the direction in which the second box is moved, and of random boxes.
        noise: random boxes beside each start.

    Returns:
        ``kept_box``, the reference's box as it lies in its picture, seen in the test window; ``displaced_box``, the
        true box moved by a quarter of its sides; ``noise`` (2, noise, 4), that starts of refinement are spread by.
    """
    moved = truth.copy()
    moved[:2] += DISPLACED * truth[2:] * rng.choice([-1, 1], 2)
    # Of each axis by itself: NanoTrack's windows are stretched.
    scale = truth[2:] / test[2:]
    kept = np.concatenate([truth[:2] + (reference[:2] - test[:2]) * scale, reference[2:] * scale])
    spread = rng.uniform(-0.5, 0.5, (STARTS, noise, 4))
    return {"kept_box": single(kept), "displaced_box": single(moved), "noise": single(spread)}


def single(value: Any) -> NDArray[np.float32]:
    """Real numbers as the network has them."""
    return np.asarray(value, np.float32)
