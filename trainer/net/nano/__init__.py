"""NanoTrack V2: a siamese network of 0.33 million parameters, with the state-dict keys of its authors' files."""

from __future__ import annotations

from trainer.net.nano.grid import boxes, points
from trainer.net.nano.network import HALVES, HalfName, NanoNet, nanotrack_v2

__all__ = ["HALVES", "HalfName", "NanoNet", "boxes", "nanotrack_v2", "points"]
