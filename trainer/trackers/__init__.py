"""Tracking: DiMP-18, DiMP-50, SuperDiMP, ATOM and yardsticks, from a first box to a box a frame."""

from __future__ import annotations

from trainer.trackers.localization import localize
from trainer.trackers.patch import sample_patch
from trainer.trackers.tracker import Tracker

__all__ = ["Tracker", "localize", "sample_patch"]
