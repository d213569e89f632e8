"""What ``cmd-train`` does: one row of Table 1 or all of them, for real or as a dry run."""

from __future__ import annotations

from trainer.recipes.effects import refuse_without_effect
from trainer.recipes.recipe import load_recipe
from trainer.recipes.settings import TrainConfig
from trainer.train.dry_run import DryRun, dry_run
from trainer.train.loop import TrainedRow, train_row
from trainer.train.merge import MergedRow, merge_parents
from trainer.train.table import TrainedTable, checked_rows, train_rows

Trained = TrainedRow | MergedRow | DryRun | TrainedTable
"""Each has ``rows()``, what the command prints."""


def run(config: TrainConfig) -> Trained:
    """Run what the settings ask for.

    Raises:
        UsageError: settings that do not fit, or a setting that would have no effect.
        DataError: shards or weights that cannot be used.
    """
    refuse_without_effect(config)
    if config.recipe == "all":
        return checked_rows(config) if config.dry_run else train_rows(config, train_one)
    if config.dry_run and load_recipe(config.recipe).trains:
        return dry_run(config)
    return train_one(config)


def train_one(config: TrainConfig) -> TrainedRow | MergedRow:
    """Run one row."""
    return train_row(config) if load_recipe(config.recipe).trains else merge_parents(config)
