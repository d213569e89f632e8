"""Stage 1: the matrix of every pair, a score, or the reason why there is none."""

from pipeline.align.result import AlignResult
from pipeline.align.settings import AlignConfig, AlignSettings
from pipeline.align.stage import run

__all__ = ["AlignConfig", "AlignResult", "AlignSettings", "run"]
