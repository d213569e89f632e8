"""The parameters of the trackers under the names of their authors, with their defaults."""

from trainer.trackers.parameters.defaults import ATOM, DIMP, NANOTRACK_V2, SUPERDIMP, resolve

__all__ = ["ATOM", "DIMP", "NANOTRACK_V2", "SUPERDIMP", "resolve"]
