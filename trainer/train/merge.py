"""Rows that train nothing: the base tracker as it is (a1), and two runs merged (b3)."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from pipeline.config import recorded
from pipeline.errors import UsageError
from trainer import DISTRIBUTION
from trainer.checkpoints.model_file import LEARNT, learnt_ranges, tracker_of, weights_file
from trainer.checkpoints.run_folder import MODEL, RUN, RunFolder
from trainer.checkpoints.weights import load_into, load_weights
from trainer.net import build_network
from trainer.recipes.geometry import geometry_of
from trainer.recipes.recipe import load_recipe, merging_recipe, recipe_sha256
from trainer.recipes.settings import BEFORE, TrainConfig
from trainer.train.initial_weights import Weights, merge_branch, start_weights


@dataclass(frozen=True)
class MergedRow:
    """What a merge left, or would leave.

    Attributes:
        recipe: the row.
        tracker: the base tracker.
        model: the weights.
        source: the files that they come from, as people read it; empty where they were named one by one.
        written: whether the model is there: a dry run writes none.
    """

    recipe: str
    tracker: str
    model: Path
    source: str = ""
    written: bool = True

    def rows(self) -> list[tuple[object, ...]]:
        """What the command prints."""
        source = [("from", self.source)] if self.source else []
        model = ("model" if self.written else "writes", self.model)
        return [("recipe", self.recipe), ("tracker", self.tracker), *source, model]


def merge_parents(config: TrainConfig) -> MergedRow:
    """Write the model of a row that trains nothing, made of its parents.

    Raises:
        UsageError: a parent is missing, or the folder is taken.
        DataError: weights that cannot be used.
    """
    recipe = load_recipe(config.recipe)
    if recipe.starts_from and not config.init:
        raise UsageError(f"recipe {recipe.name} only puts {' and '.join(recipe.starts_from)} together: give --init")
    torch.manual_seed(config.seed)
    net = build_network(config.tracker)
    start_weights(net, config, recipe)
    source = ", ".join(map(str, config.init)) or "seed"
    merged = MergedRow(recipe.name, config.tracker, config.out / MODEL, source, written=not config.dry_run)
    if config.dry_run:
        return merged
    folder = RunFolder(config.out, resume=config.resume)
    meta = {
        "tracker": config.tracker,
        "recipe": recipe.name,
        LEARNT: learnt_ranges(list(map(weights_file, config.init))),
    }
    _write(folder, net.state_dict(), meta, config.record(), recipe_sha256(config.recipe))
    return merged


def merge_runs(reference: Path, test: Path, out: Path, tracker: str | None = None) -> MergedRow:
    """Write a run with everything of ``reference``, but the test branch of the box module of ``test`` (row b3).

    Args:
        reference: weights file or run, as of row b1.
        test: likewise, as of row b2.
        out: the folder to make.
        tracker: the base tracker; None takes what the runs say.

    Raises:
        UsageError: a file is missing, or the folder is taken.
        DataError: weights that cannot be used, or of different trackers.
    """
    files = [weights_file(reference, "--reference"), weights_file(test, "--test")]
    tracker = tracker_of(files, tracker)
    weights, names = load_weights(files[0]), f"{files[0]} and {files[1]}"
    merge_branch(weights, load_weights(files[1]), load_recipe("b2"), names)
    load_into(build_network(tracker), weights, names)
    row = merging_recipe(geometry_of(tracker)).name
    meta = {"tracker": tracker, "recipe": row, LEARNT: learnt_ranges(files)}
    folder = RunFolder(out, resume=False)
    _write(folder, weights, meta, {"reference": str(reference), "test": str(test)})
    return MergedRow(row, tracker, folder.path / MODEL)


def _write(
    folder: RunFolder, weights: Weights, meta: dict[str, Any], settings: dict[str, Any], sha256: str | None = None
) -> None:
    made = {"recipe": meta["recipe"], "settings": settings, "versions": {"cmd-tir": version(DISTRIBUTION)}}
    made |= recorded({"recipe_sha256": sha256}, BEFORE)
    with folder.held():
        folder.write_json(RUN, made)
        folder.save_model(weights, meta | {"epoch": 0, "shards": None})
