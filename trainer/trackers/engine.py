"""What follows a target for a :class:`~.sequence_tracker.SequenceTracker`: a first box, then a box a frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from pipeline.images import Rgb
from trainer.trackers.localization import Flag
from trainer.trackers.parameters.base import TrackingParams


class Outcome(NamedTuple):
    """What a tracker says of a frame."""

    box: NDArray[np.float64]
    """(4,) x, y, w, h."""
    score: float
    flag: Flag


class Follower(ABC):
    """One target in one sequence."""

    @abstractmethod
    def start(self, image: Rgb, box: ArrayLike) -> None:
        """Learn the target from the first frame (H, W, 3) and its box x, y, w, h."""

    @abstractmethod
    def update(self, image: Rgb) -> Outcome:
        """Find the target in the next frame (H, W, 3)."""


class Engine(Follower):
    """A follower by a network.

    Every engine is made of a network in eval mode whose batch-norms are folded, its parameters, the generator of all
    randomness (on the CPU) and the device where the network is.
    """

    settings: TrackingParams

    @classmethod
    def settled(cls, params: Any, device: torch.device) -> dict[str, Any]:
        """The parameters, by name, that are left to what is at hand (``auto``), as they come out on a device."""
        return {}
