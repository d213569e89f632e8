"""What is done to the pairs of a run, and which of a draw's random numbers decide it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PARTNER = 10
"""Stream of a draw's random numbers (:meth:`trainer.data.draws.Draws.rng`) that chooses another sequence."""
POLARITY = 12
"""Stream of a draw's random numbers for the polarity of the reference branch's picture; the next is the test's."""


@dataclass(frozen=True)
class PairControl:
    """What is done to the pairs.

    Attributes:
        shuffled: TIR comes from another sequence.
        misalign: length of the shift of TIR, pixels of the stored pictures.
        seed: of the shift's direction.
    """

    shuffled: bool = False
    misalign: float = 0.0
    seed: int = 0


def is_negative(rng: np.random.Generator) -> bool:
    """Whether a branch is fed dark for bright."""
    return bool(rng.random() < 0.5)
