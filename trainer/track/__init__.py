"""Stage 4: boxes of a tracker in every sequence of a data set."""

from trainer.track.settings import TrackConfig
from trainer.track.stage import Tracked, run

__all__ = ["TrackConfig", "Tracked", "run"]
