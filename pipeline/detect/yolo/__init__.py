"""YOLO through ultralytics: its weights read safely, its network run one thread a picture."""

from __future__ import annotations

__all__: list[str] = []
"""Nothing: what a module here hands on is imported from it, so that only who needs torch loads it."""
