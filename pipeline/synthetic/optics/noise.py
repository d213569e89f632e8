"""Seeded random streams and smooth noise: the raw material of every surface."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Reals = NDArray[np.floating[Any]]


def stream(seed: int, *key: int) -> np.random.Generator:
    """A generator that depends on the seed and the key alone, so any worker can make any frame."""
    return np.random.default_rng([seed % 2**64, *key])


def resize(plane: Plane, width: int, height: int, how: int = cv2.INTER_LINEAR) -> Plane:
    """Resample a plane (h, w) or (h, w, c) to (height, width)."""
    return np.asarray(cv2.resize(plane, (width, height), interpolation=how), dtype=np.float32)


def grain(rng: np.random.Generator, height: int, width: int, cell: float) -> Plane:
    """Smooth noise (height, width) of unit variance at its nodes whose blobs are ``cell`` pixels large."""
    rows, columns = max(2, round(height / cell) + 1), max(2, round(width / cell) + 1)
    nodes = rng.standard_normal((rows, columns), dtype=np.float32)
    return resize(nodes, width, height, cv2.INTER_CUBIC if cell > 1.5 else cv2.INTER_AREA)


def fractal(rng: np.random.Generator, height: int, width: int, cell: float, octaves: int = 4) -> Plane:
    """Noise (height, width) of about unit variance with equal detail at ``octaves`` scales, the largest ``cell``."""
    total = np.zeros((height, width), np.float32)
    power = 0.0
    for octave in range(octaves):
        weight = 0.6**octave
        total += weight * grain(rng, height, width, cell / 2**octave)
        power += weight**2
    return np.asarray(total / np.sqrt(power * 0.6), dtype=np.float32)


def smoothstep(x: Reals, low: float, high: float) -> Plane:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)
