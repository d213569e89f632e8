"""Tracking with NanoTrack V2: by the rules of its authors' PyTorch code, or by those of OpenCV's TrackerNano.

The network is the same; of what is done with its answer nearly everything differs, see :class:`~.rules.Rules`.
"""

from trainer.trackers.nano.engine import NanoEngine

__all__ = ["NanoEngine"]
