"""Tracking: DiMP-18, DiMP-50, SuperDiMP and ATOM, from a first box to a box a frame."""

from __future__ import annotations

from trainer.tracking.localize import localize
from trainer.tracking.patch import sample_patch
from trainer.tracking.tracker import Tracker

__all__ = ["Tracker", "localize", "sample_patch"]
