"""Random regions of what both cameras see (section 3.2 of the CMD paper)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.mine.methods.base import Method, PairView
from pipeline.mine.proposals import Proposal, pair_rng
from pipeline.mine.settings import FOLLOWING, MineSettings

TRIES = 50
"""Draws for one more region before it is taken that none fits."""
USES = frozenset({"fraction", "fraction_of", "patches_per_pair", "max_overlap"})
Drawn = tuple[float, float, float, float]
"""x, y, w, h in RGB pixels."""


class Random(Method):
    """Regions of a fraction of the picture, apart from one another."""

    uses: ClassVar[frozenset[str]] = USES
    tube_uses: ClassVar[frozenset[str]] = USES | FOLLOWING
    pair_in_frames = 0.5

    def derive(self, pair: PairView) -> list[Proposal]:
        """Up to ``patches_per_pair`` regions; fewer where no more fit."""
        return random_regions(pair, self.settings.patches_per_pair, self.settings)

    @property
    def regions(self) -> int:
        """Regions followed at a time."""
        return self.settings.patches_per_pair

    def starts(self, pair: PairView) -> Iterator[NDArray[np.float64]]:
        """Regions from which one may be followed, without end, as they are drawn for this pair."""
        return map(np.array, _draws(pair, self.settings))


def random_regions(pair: PairView, count: int, settings: MineSettings) -> list[Proposal]:
    """Up to ``count`` regions of the configured fraction of the picture, apart from one another.

    Fewer are returned where no more fit under ``max_overlap``.
    """
    drawn = _draws(pair, settings)
    chosen: list[Drawn] = []
    for _ in range(count):
        apart = (x for x in islice(drawn, TRIES) if all(_overlap(x, other) <= settings.max_overlap for other in chosen))
        region = next(apart, None)
        if region is None:
            break
        chosen.append(region)
    return [Proposal(np.array(region)) for region in chosen]


def _draws(pair: PairView, settings: MineSettings) -> Iterator[Drawn]:
    """Regions of the configured fraction of the picture, without end; none where there is no room.

    They keep one region's size away from the border as far as the common area leaves them at least half their freedom.
    """
    area = pair.common
    share = settings.fraction if settings.fraction_of == "side" else math.sqrt(settings.fraction)
    region = np.minimum(share * np.array(pair.size, np.float64), area[2:])
    if region.min() < 1:
        return
    rng = pair_rng(settings.seed, pair.pair_id)
    slack = area[2:] - region
    margin = np.minimum(region, slack / 4)
    (left, top), (across, down) = (area[:2] + margin).tolist(), (slack - 2 * margin).tolist()
    width, height = region.tolist()
    while True:
        yield left + rng.random() * across, top + rng.random() * down, width, height


def _overlap(one: Drawn, other: Drawn) -> float:
    """IoU of two regions of one pair, which are of one size."""
    (x, y, width, height), (left, top, _, _) = one, other
    shared = max(0.0, width - abs(x - left)) * max(0.0, height - abs(y - top))
    return shared / (2 * width * height - shared)
