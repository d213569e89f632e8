"""The networks of the trackers: same numbers and state-dict keys as pytracking's, plain torch."""

from __future__ import annotations

from trainer.base_trackers import base_tracker
from trainer.net.atom import AtomNet
from trainer.net.base import BranchedNet, TrackingNet
from trainer.net.dimp import DimpNet

__all__ = ["AtomNet", "BranchedNet", "DimpNet", "TrackingNet", "build_network"]


def build_network(name: str) -> BranchedNet:
    """A network with random weights (torch's global generator), in train mode.

    Args:
        name: one of :data:`~trainer.base_trackers.BASE_TRACKERS`.

    Raises:
        ValueError: no such tracker.
    """
    net: BranchedNet = base_tracker(name).load("network")()
    return net
