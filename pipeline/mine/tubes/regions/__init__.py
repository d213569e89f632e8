"""Regions without a class, followed from picture to picture by optical flow."""

from pipeline.mine.tubes.regions.follow import Follows, follow

__all__ = ["Follows", "follow"]
