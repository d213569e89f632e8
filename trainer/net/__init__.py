"""The networks of the trackers: same numbers and state-dict keys as pytracking's, plain torch."""

from __future__ import annotations

from typing import Literal, overload

from trainer.net.atom import AtomNet
from trainer.net.dimp import CONFIGS, DimpNet

__all__ = ["TRACKERS", "AtomNet", "DimpNet", "build_network"]

TRACKERS = (*CONFIGS, "atom")
"""Names that :func:`build_network` knows."""


@overload
def build_network(name: Literal["atom"]) -> AtomNet: ...
@overload
def build_network(name: Literal["dimp18", "dimp50", "superdimp"]) -> DimpNet: ...
@overload
def build_network(name: str) -> AtomNet | DimpNet: ...


def build_network(name: str) -> AtomNet | DimpNet:
    """A network with random weights (torch's global generator), in train mode.

    Args:
        name: one of :data:`TRACKERS`.

    Raises:
        ValueError: no such tracker.
    """
    if name == "atom":
        return AtomNet()
    if name not in CONFIGS:
        raise ValueError(f"unknown tracker {name!r}: choose one of {', '.join(TRACKERS)}")
    return DimpNet(CONFIGS[name])
