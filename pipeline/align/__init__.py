"""Stage 1: the matrix of every pair, a score, or the reason why there is none."""

from pipeline.align.stage import run

__all__ = ["run"]
