"""Trackers that learn nothing: what a figure of a real tracker is worth is told by theirs on the same sequences."""

from trainer.trackers.yardsticks.start_box import StartBox
from trainer.trackers.yardsticks.template import Template

__all__ = ["StartBox", "Template"]
