"""What ``cmd-train`` does: one row of Table 1 or all of them, for real or as a dry run."""

from __future__ import annotations

import functools

from trainer.recipes.effects import refuse_without_effect
from trainer.recipes.recipe import load_recipe
from trainer.recipes.settings import TrainConfig
from trainer.train.dry_run import DryRun, dry_run
from trainer.train.loop import TrainedRow, train_row
from trainer.train.merge import MergedRow, merge_parents
from trainer.train.record import Log
from trainer.train.table import TrainedTable, checked_rows, train_rows

Trained = TrainedRow | MergedRow | DryRun | TrainedTable
"""Each has ``rows()``, what the command prints."""


def run(config: TrainConfig, log: Log | None = None) -> Trained:
    """Run what the settings ask for.

    Args:
        config: settings and whereabouts.
        log: is told what TensorBoard is told: values by name, such as ``train/loss``, and their step. Of several rows
            each begins at step 0.

    Raises:
        UsageError: settings that do not fit, or a setting that would have no effect.
        DataError: shards or weights that cannot be used.
    """
    refuse_without_effect(config)
    if config.recipe == "all":
        return checked_rows(config) if config.dry_run else train_rows(config, functools.partial(train_one, log=log))
    if config.dry_run and load_recipe(config.recipe).trains:
        return dry_run(config)
    return train_one(config, log)


def train_one(config: TrainConfig, log: Log | None = None) -> TrainedRow | MergedRow:
    """Run one row."""
    return train_row(config, log) if load_recipe(config.recipe).trains else merge_parents(config)
