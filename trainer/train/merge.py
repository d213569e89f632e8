"""Rows that train nothing: the base tracker as it is (a1), and two runs merged (b3)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from pipeline.config import OnExisting, recorded
from pipeline.errors import UsageError
from pipeline.files.json_text import read_json
from pipeline.runtime.asked import MADE_BY, keep_settings, made_by
from pipeline.runtime.output import refuse_existing, refuse_other
from trainer.checkpoints.model_file import (
    LEARNT,
    WINDOW,
    described,
    hashes_of,
    learnt_ranges,
    tracker_of,
    weights_file,
    window_of,
)
from trainer.checkpoints.run_folder import IDENTITY, MODEL, RUN, SPLIT, RunFolder
from trainer.checkpoints.weights import digest, load_into, load_weights
from trainer.data.shards import open_source
from trainer.data.split.apply import split_source
from trainer.data.split.record import Split, refuse_other_settings
from trainer.data.split.relatives import inherited
from trainer.distillation.batch_statistics import BATCH, identity_of, measure_on
from trainer.distillation.ownership import ownership_of
from trainer.net import build_network
from trainer.recipes.geometry import geometry_of
from trainer.recipes.recipe import Recipe, load_recipe, merging_recipe, recipe_sha256
from trainer.recipes.settings import BEFORE, TrainConfig
from trainer.train.initial_weights import Weights, merge_branch, other_windows, start_weights

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MergedRow:
    """What a merge left, or would leave.

    Attributes:
        recipe: the row.
        tracker: the base tracker.
        model: the weights.
        source: the files that they come from, as people read it; empty where they were named one by one.
        written: whether the model is there: a dry run writes none.
        files: all that lies there of what the command makes: files, and folders of what lies deeper.
    """

    recipe: str
    tracker: str
    model: Path
    source: str = ""
    written: bool = True
    files: tuple[Path, ...] = ()

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
    config = config.model_copy(update={"window": _window(config, recipe)})
    torch.manual_seed(config.seed)
    net = build_network(config.tracker)
    start_weights(net, config, recipe)
    source, split = ", ".join(map(str, config.init)) or "seed", _split_for(config, recipe)
    merged = MergedRow(recipe.name, config.tracker, config.out / MODEL, source, written=not config.dry_run)
    if config.bn_batches and not config.shards:
        raise UsageError("--set bn_batches: statistics are measured on the TIR of shards: give --shards")
    if config.bn_batches:
        config.refuse_few(config.batch_size or BATCH, geometry_of(config.tracker))
    if config.dry_run:
        return merged
    learnt, identity, folder = learnt_ranges(list(map(weights_file, config.init))), {}, RunFolder(config.out)
    if config.bn_batches and split:
        identity = identity_of(net, config, split)
        if _is_measured(folder, config.on_existing, identity):
            log.info("%s is finished and kept", folder.path)
            return replace(merged, files=folder.files())
        learnt = measure_on(net, config, split)
    meta = {
        "tracker": config.tracker,
        "recipe": recipe.name,
        LEARNT: learnt,
        **_learnt_in(config.window),
    }
    made = _description(recipe.name, config.record(), config.init, recipe_sha256(config.recipe))
    made |= recorded({"other_windows": other_windows(config), IDENTITY: identity}, BEFORE | {IDENTITY: {}})
    _write(folder, net.state_dict(), meta, made, split, config.on_existing)
    return replace(merged, files=folder.files())


def _is_measured(folder: RunFolder, on_existing: OnExisting, identity: dict[str, Any]) -> bool:
    """Whether a folder holds the very statistics; one that does not say on what they were measured is measured again.

    Raises:
        UsageError: it holds others, or, under ``fail``, anything.
    """
    existing = folder.existing()
    if existing and on_existing == "fail":
        refuse_existing(folder.path, existing[0].name)
    if on_existing == "overwrite" or not (folder.path / MODEL).is_file() or not described(folder.path / MODEL):
        return False
    run: dict[str, Any] = read_json(folder.path / RUN)
    began = run.get(IDENTITY)
    if began:
        refuse_other(folder.path, began, identity, {})
    return bool(began)


def _split_for(config: TrainConfig, recipe: Recipe) -> Split | None:
    """What a row that trains nothing hands on: its parents' split; the one that all start from, also that of shards.

    Raises:
        UsageError: its parents disagree, or were split with other settings.
    """
    source = open_source(config.shards) if config.shards and not recipe.starts_from else None
    found = inherited(config.init, source)
    if found and source:
        refuse_other_settings(*found, config.held_out, config.split_seed)
    known = found[1] if found else None
    return split_source(source, config.held_out, config.split_seed, known) if source else known


def merge_runs(
    reference: Path, test: Path, out: Path, tracker: str | None = None, on_existing: OnExisting = "resume"
) -> MergedRow:
    """Write a run with everything of ``reference``, but the test branch of the box module of ``test`` (row b3).

    Args:
        reference: weights file or run, as of row b1.
        test: likewise, as of row b2.
        out: the folder to make.
        tracker: the base tracker; None takes what the runs say.
        on_existing: what to do with a run that the folder holds.

    Raises:
        UsageError: a file is missing, or the folder is taken.
        DataError: weights that cannot be used, or of different trackers.
    """
    files = [weights_file(reference, "--reference"), weights_file(test, "--test")]
    tracker, window = tracker_of(files, tracker), window_of(files)
    weights, names = load_weights(files[0]), f"{files[0]} and {files[1]}"
    merge_branch(weights, load_weights(files[1]), load_recipe("b2"), ownership_of(tracker), names)
    load_into(build_network(tracker), weights, names)
    row = merging_recipe(geometry_of(tracker)).name
    meta = {"tracker": tracker, "recipe": row, LEARNT: learnt_ranges(files), **_learnt_in(window)}
    made = _description(row, {"reference": str(reference), "test": str(test)}, [reference, test])
    found = inherited([reference, test])
    _write(RunFolder(out), weights, meta, made, found[1] if found else None, on_existing)
    return MergedRow(row, tracker, out / MODEL, files=RunFolder(out).files())


def _window(config: TrainConfig, recipe: Recipe) -> int | None:
    """The search window that a row's model is of: its parents', or what is asked for where there are none.

    Raises:
        UsageError: the parents are of different ones, or of another than is asked for; the tracker has no such.
    """
    # Refuses a window that the base tracker cannot have.
    geometry_of(config.tracker, config.window)
    if not recipe.starts_from:
        return config.other_window
    files = [weights_file(path) for path in config.init]
    if config.window and any(window != config.window for window in other_windows(config).values()):
        raise UsageError(f"--window {config.window}: {recipe.name} has the window of its parents: leave it out")
    return window_of(files) or config.other_window


def _learnt_in(window: int | None) -> dict[str, Any]:
    """What ``model.json`` says of a window; nothing where it is the base tracker's own."""
    return recorded({WINDOW: window}, BEFORE)


def _description(
    recipe: str, settings: dict[str, Any], init: Sequence[Path], sha256: str | None = None
) -> dict[str, Any]:
    """Content of ``run.json``."""
    made = {"recipe": recipe, "settings": settings, MADE_BY: made_by({"init": hashes_of(init)}, torch)}
    return made | recorded({"recipe_sha256": sha256}, BEFORE)


def _write(
    folder: RunFolder,
    weights: Weights,
    meta: dict[str, Any],
    made: dict[str, Any],
    split: Split | None,
    on_existing: OnExisting,
) -> None:
    """Write a run, unless the folder holds the very same.

    Raises:
        UsageError: it holds another.
    """
    with folder.held():
        folder.claim(on_existing)
        if folder.existing() and _is_there(folder, weights, meta):
            log.info("%s is finished and kept", folder.path)
            return
        keep_settings(folder.path)
        if split:
            folder.write_json(SPLIT, split.record())
        folder.write_json(RUN, made)
        folder.save_model(weights, meta | {"epoch": 0, "shards": None})


def _is_there(folder: RunFolder, weights: Weights, meta: dict[str, Any]) -> bool:
    """Whether a folder holds this model; False where it was left unfinished.

    Raises:
        UsageError: it holds something else.
    """
    model, run, told = folder.path / MODEL, folder.path / RUN, described(folder.path / MODEL)
    if not told or not model.is_file():
        if not run.is_file() or read_json(run).get("recipe") != meta["recipe"]:
            refuse_existing(folder.path, folder.existing()[0].name)
        return False
    then, now = ({key: each.get(key) for key in ("tracker", "recipe", WINDOW)} for each in (told, meta))
    refuse_other(folder.path, then | {"weights": digest(load_weights(model))}, now | {"weights": digest(weights)}, {})
    return True
