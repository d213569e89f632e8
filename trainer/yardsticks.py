"""The yardsticks: trackers that learn nothing, beside whose figures those of a real one stand. Nothing is imported."""

from __future__ import annotations

YARDSTICKS = {"start-box": "trainer.trackers.yardsticks:StartBox", "template": "trainer.trackers.yardsticks:Template"}
"""Name -> the :class:`~trainer.trackers.engine.Follower` of that name."""
