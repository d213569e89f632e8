"""The parameters of the trackers under pytracking's names, with its defaults."""

from trainer.trackers.parameters.defaults import ATOM, DIMP, SUPERDIMP, resolve

__all__ = ["ATOM", "DIMP", "SUPERDIMP", "resolve"]
