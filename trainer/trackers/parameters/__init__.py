"""The parameters of the trackers under the names of their authors, with their defaults."""

from trainer.trackers.parameters.defaults import ATOM, DIMP, SUPERDIMP, resolve

__all__ = ["ATOM", "DIMP", "SUPERDIMP", "resolve"]
