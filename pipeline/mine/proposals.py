"""Pseudo boxes of one pair: center, random, or what a detector found (section 3.2 of the CMD paper).

Every box lies where both cameras see: at least :data:`MIN_COVERAGE` of it inside the TIR footprint.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline import boxes
from pipeline.mine.settings import MineSettings

MIN_COVERAGE = 0.95
TRIES = 50
NO_CLASS = -1


@dataclass(frozen=True)
class Proposal:
    """One pseudo box (4,) x, y, w, h in RGB pixels, with detector score and class (1 and -1 where there was none)."""

    box: NDArray[np.float64]
    score: float = 1.0
    category: int = NO_CLASS


def pair_rng(seed: int, pair_id: str) -> np.random.Generator:
    """Random numbers that depend on (seed, pair) alone, never on worker, order or shard size."""
    digest = hashlib.sha256(f"{seed}|{pair_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def common_area(size: tuple[int, int], quad: NDArray[np.float64]) -> NDArray[np.float64]:
    """The axis-aligned box x, y, w, h inside both the picture of ``size`` (width, height) and the TIR footprint.

    Args:
        size: of the visible picture, pixels.
        quad: (4, 2) footprint corners, clockwise from the top left; for the mild warps of a camera rig the inner
            rectangle between its corners is all but the largest one.

    Returns:
        (4,); width and height are 0 where the two do not overlap.
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad.tolist()
    left, right = max(0.0, x0, x3), min(float(size[0]), x1, x2)
    top, bottom = max(0.0, y0, y1), min(float(size[1]), y2, y3)
    return np.array([left, top, max(0.0, right - left), max(0.0, bottom - top)])


def center(area: NDArray[np.float64], fraction: float) -> list[Proposal]:
    """The centre square of the common area; its side is ``fraction`` of the short side."""
    side = fraction * min(area[2:])
    middle = area[:2] + area[2:] / 2
    return [Proposal(np.array([*(middle - side / 2), side, side]))] if side >= 1 else []


def random(
    area: NDArray[np.float64], size: tuple[int, int], count: int, settings: MineSettings, rng: np.random.Generator
) -> list[Proposal]:
    """Up to ``count`` regions of the configured fraction of the picture, apart from one another.

    They keep one region's size away from the border as far as the common area leaves them at least half their freedom.
    Fewer are returned where no more fit under ``max_overlap``.
    """
    share = settings.fraction if settings.fraction_of == "side" else math.sqrt(settings.fraction)
    region = np.minimum(share * np.array(size, np.float64), area[2:])
    if region.min() < 1:
        return []
    slack = area[2:] - region
    margin = np.minimum(region, slack / 4)
    (left, top), (across, down) = (area[:2] + margin).tolist(), (slack - 2 * margin).tolist()
    width, height = region.tolist()
    chosen: list[tuple[float, float]] = []
    for _ in range(count):
        for _ in range(TRIES):
            x, y = left + rng.random() * across, top + rng.random() * down
            if all(_overlap(x - other[0], y - other[1], width, height) <= settings.max_overlap for other in chosen):
                chosen.append((x, y))
                break
        else:
            break
    return [Proposal(np.array([x, y, width, height])) for x, y in chosen]


def _overlap(across: float, down: float, width: float, height: float) -> float:
    """IoU of two boxes of one size whose corners are ``across`` and ``down`` apart."""
    shared = max(0.0, width - abs(across)) * max(0.0, height - abs(down))
    return shared / (2 * width * height - shared)


def covered(proposals: list[Proposal], quad: NDArray[np.float64]) -> tuple[list[Proposal], list[Proposal]]:
    """Split proposals into those inside the TIR footprint and those outside it."""
    inside = [boxes.coverage(proposal.box, quad) >= MIN_COVERAGE for proposal in proposals]
    return [p for p, ok in zip(proposals, inside) if ok], [p for p, ok in zip(proposals, inside) if not ok]
