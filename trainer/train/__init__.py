"""Stage 3: a student from shards: one row, all rows in order, or a dry run."""

from trainer.recipes.settings import TrainConfig
from trainer.train.dry_run import DryRun
from trainer.train.loop import TrainedRow
from trainer.train.merge import MergedRow
from trainer.train.stage import run
from trainer.train.table import TrainedTable

__all__ = ["DryRun", "MergedRow", "TrainConfig", "TrainedRow", "TrainedTable", "run"]
