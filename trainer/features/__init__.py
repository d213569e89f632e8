"""Features of windows: what a backbone makes of them, kept and not computed again where it is frozen."""

from trainer.features.backbone import Backbone, FrozenBackbone
from trainer.features.store import make_store

__all__ = ["Backbone", "FrozenBackbone", "make_store"]
