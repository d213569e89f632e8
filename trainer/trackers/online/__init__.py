"""Trackers whose classifier learns while they track, and whose boxes an IoU-net refines: DiMP and ATOM."""

from trainer.trackers.online.atom import AtomEngine
from trainer.trackers.online.dimp import DimpEngine

__all__ = ["AtomEngine", "DimpEngine"]
