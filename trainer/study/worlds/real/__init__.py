"""The real world of a study: the user's aligned pairs, and the user's thermal sequences with truth."""

from trainer.study.worlds.real.world import real_world

__all__ = ["real_world"]
