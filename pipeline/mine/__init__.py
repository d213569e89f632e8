"""Stage 2: paired patches from aligned pairs, in shards."""

from pipeline.mine.stage import run

__all__ = ["run"]
