"""What the mining methods share: a pseudo box, where one may lie, and the random numbers of a pair.

Every box lies where both cameras see: at least ``schema.MIN_COVERAGE`` of it inside the TIR footprint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline import boxes
from pipeline.shards.schema import MIN_COVERAGE, NO_TRACK

NO_CLASS = -1


@dataclass(frozen=True)
class Proposal:
    """One pseudo box.

    Attributes:
        box: (4,) x, y, w, h in RGB pixels.
        score: of the detector, 1 where there was none.
        category: class that the detector gave, -1 where there was none.
        track: number of the object, the same in all pictures of its sequence; -1 where it is not known.
    """

    box: NDArray[np.float64]
    score: float = 1.0
    category: int = NO_CLASS
    track: int = NO_TRACK


@dataclass(frozen=True)
class GivenBoxes:
    """Boxes that were settled before the shards are made, those of the pairs of one shard.

    Attributes:
        proposals: pair -> its boxes; a pair without has none.
        weights_sha256: of the detector that looked, empty where none did.
        class_names: class -> name, of what a model may have found.
    """

    proposals: Mapping[str, list[Proposal]]
    weights_sha256: str = ""
    class_names: Mapping[int, str] = field(default_factory=dict)


def pair_rng(seed: int, pair_id: str) -> np.random.Generator:
    """Random numbers that depend on (seed, pair) alone, never on worker, order or shard size."""
    digest = hashlib.sha256(f"{seed}|{pair_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def covered(proposals: list[Proposal], quad: NDArray[np.float64]) -> tuple[list[Proposal], list[Proposal]]:
    """Split proposals into those inside the TIR footprint and those outside it."""
    inside = [boxes.coverage(proposal.box, quad) >= MIN_COVERAGE for proposal in proposals]
    return [p for p, ok in zip(proposals, inside) if ok], [p for p, ok in zip(proposals, inside) if not ok]
