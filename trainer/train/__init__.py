"""Stage 3: a student from shards: one row, all rows in order, or a dry run."""

from trainer.train.stage import run

__all__ = ["run"]
