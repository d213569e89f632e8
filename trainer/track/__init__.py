"""Stage 4: boxes of a tracker in every sequence of a data set."""

from trainer.track.stage import run

__all__ = ["run"]
