"""Stage 2: paired patches from aligned pairs, in shards."""

from pipeline.mine.result import MineResult
from pipeline.mine.settings import MineConfig, MineSettings
from pipeline.mine.stage import run

__all__ = ["MineConfig", "MineResult", "MineSettings", "run"]
