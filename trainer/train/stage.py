"""What ``cmd-train`` does: one row of Table 1 or all of them, for real or as a rehearsal."""

from __future__ import annotations

from typing import Any

from trainer.recipes.recipe import load_recipe
from trainer.recipes.settings import TrainConfig
from trainer.train import dry_run, loop, merge, recipe_graph

Table = list[tuple[object, ...]]


def run(config: TrainConfig) -> Table:
    """Run what the settings ask for; return what to print.

    Raises:
        UsageError: settings that do not fit.
        DataError: shards or weights that cannot be used.
    """
    if config.recipe == "all":
        steps = recipe_graph.plan_rows(config) if config.dry_run else recipe_graph.train_rows(config, train_one)
        return [("recipe", "state", "", ""), *((s.recipe.name, s.state, s.why, _size(s)) for s in steps)]
    if config.dry_run and load_recipe(config.recipe).trains:
        return list(dry_run.rehearse(config))
    return list(train_one(config).items())


def train_one(config: TrainConfig) -> dict[str, Any]:
    """Run one row."""
    return loop.train_row(config) if load_recipe(config.recipe).trains else merge.merge_parents(config)


def _size(step: recipe_graph.Step) -> str:
    if step.config is None or not step.recipe.trains:
        return ""
    return f"{step.config.epochs} epochs of {step.config.samples_per_epoch:,}"
