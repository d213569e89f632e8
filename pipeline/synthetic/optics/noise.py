"""Seeded random streams and smooth noise: the raw material of every surface."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Reals = NDArray[np.floating[Any]]


class Draw(IntEnum):
    """What a random stream of a sequence is for; its key is (kind, index, draw) and, where there are many, a number."""

    SCENE = 0
    BACKDROP = 1
    THERMAL = 2
    RIG = 3
    PLAY = 4
    RGB_NOISE = 5
    TIR_NOISE = 6
    RGB_SHEET = 7
    TARGET = 8
    FIXTURE = 9
    DETECTED = 10


def words(seed: int, *key: int) -> list[int]:
    """The 32-bit words that a stream grows from, others for any other seed and key.

    NumPy writes a large seed as several words and takes missing words for 0, so that (seed, key) as such is not one to
    one: 5 + 2**32 with the key (0, 1) would be 5 with (1, 0, 1), and a key would be itself with a 0 behind. So the seed
    has two words always, and the key's length stands before it.

    Args:
        seed: from -2**63 on, below 2**63.
        key: numbers from 0 on, below 2**32.

    Raises:
        ValueError: one is not.
    """
    if not -(2**63) <= seed < 2**63 or not all(0 <= number < 2**32 for number in key):
        raise ValueError(f"a stream of seed {seed} and key {key}: out of range")
    low, high = seed % 2**32, seed % 2**64 // 2**32
    return [low, high, len(key), *key]


def stream(seed: int, *key: int) -> np.random.Generator:
    """A generator that depends on the seed and the key alone, so any worker can make any frame; see :func:`words`."""
    return np.random.default_rng(words(seed, *key))


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
