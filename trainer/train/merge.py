"""Rows that train nothing: the base tracker as it is (a1), and two runs put together (b3)."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from pipeline.errors import UsageError
from trainer import DISTRIBUTION
from trainer.checkpoints.model_file import LEARNT, learnt_ranges, tracker_of, weights_file
from trainer.checkpoints.run_folder import MODEL, RUN, RunFolder
from trainer.checkpoints.weights import load_into, load_weights
from trainer.net import build_network
from trainer.recipes.recipe import load_recipe
from trainer.recipes.settings import TrainConfig
from trainer.train.initial_weights import Weights, compose, start_weights


def merge_parents(config: TrainConfig) -> dict[str, Any]:
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
    summary = {"recipe": recipe.name, "tracker": config.tracker, "from": ", ".join(map(str, config.init)) or "seed"}
    if config.dry_run:
        return summary | {"writes": config.out / MODEL}
    folder = RunFolder(config.out, resume=config.resume)
    meta = {
        "tracker": config.tracker,
        "recipe": recipe.name,
        LEARNT: learnt_ranges(list(map(weights_file, config.init))),
    }
    _write(folder, net.state_dict(), meta, config.model_dump(mode="json"))
    return summary | {"model": folder.path / MODEL}


def merge(reference: Path, test: Path, out: Path, tracker: str | None = None) -> dict[str, Any]:
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
    compose(weights, load_weights(files[1]), load_recipe("b2"), names)
    load_into(build_network(tracker), weights, names)
    meta = {"tracker": tracker, "recipe": "atom_b3" if tracker == "atom" else "b3", LEARNT: learnt_ranges(files)}
    folder = RunFolder(out, resume=False)
    _write(folder, weights, meta, {"reference": str(reference), "test": str(test)})
    return {"recipe": meta["recipe"], "tracker": tracker, "model": folder.path / MODEL}


def _write(folder: RunFolder, weights: Weights, meta: dict[str, Any], settings: dict[str, Any]) -> None:
    made = {"recipe": meta["recipe"], "settings": settings, "versions": {"cmd-tir": version(DISTRIBUTION)}}
    folder.write_json(RUN, made)
    folder.save_model(weights, meta | {"epoch": 0, "shards": None})
