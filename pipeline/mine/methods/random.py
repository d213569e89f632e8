"""Random regions of what both cameras see (section 3.2 of the CMD paper)."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from pipeline.mine.methods.base import Method, PairView
from pipeline.mine.proposals import Proposal, pair_rng
from pipeline.mine.settings import MineSettings

TRIES = 50
"""Draws for one more region before it is taken that none fits."""
USES = frozenset({"fraction", "fraction_of", "patches_per_pair", "max_overlap"})


class Random(Method):
    """Regions of a fraction of the picture, apart from one another."""

    uses: ClassVar[frozenset[str]] = USES

    def derive(self, pair: PairView) -> list[Proposal]:
        """Up to ``patches_per_pair`` regions; fewer where no more fit."""
        return random_regions(pair, self.settings.patches_per_pair, self.settings)


def random_regions(pair: PairView, count: int, settings: MineSettings) -> list[Proposal]:
    """Up to ``count`` regions of the configured fraction of the picture, apart from one another.

    They keep one region's size away from the border as far as the common area leaves them at least half their freedom.
    Fewer are returned where no more fit under ``max_overlap``.
    """
    area = pair.common
    share = settings.fraction if settings.fraction_of == "side" else math.sqrt(settings.fraction)
    region = np.minimum(share * np.array(pair.size, np.float64), area[2:])
    if region.min() < 1:
        return []
    rng = pair_rng(settings.seed, pair.pair_id)
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
