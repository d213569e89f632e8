"""What a run starts from: the base tracker's weights, or those of parent rows merged; and its frozen teacher."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.errors import DataError, UsageError
from pipeline.runtime.asked import anew
from trainer.checkpoints.model_file import WINDOW, described, model_in, weights_file
from trainer.checkpoints.run_folder import MODEL, START
from trainer.checkpoints.weights import digest, is_resnet, load_into, load_weights
from trainer.distillation.ownership import Ownership, ownership_of
from trainer.net import BranchedNet, build_network
from trainer.recipes.geometry import geometry_of
from trainer.recipes.recipe import Recipe, load_recipe
from trainer.recipes.settings import TrainConfig

log = logging.getLogger(__name__)

Weights = dict[str, Tensor]
TAUGHT = "in the beginning from a tracker's released weights, or those of --recipe pretrain"


def build_student(config: TrainConfig, recipe: Recipe, device: torch.device, *, resumed: Weights | None) -> BranchedNet:
    """The network that a run trains, with the weights that it begins or goes on with, ready to infer.

    Args:
        config: settings of the run.
        recipe: its row.
        device: where it trains.
        resumed: the run's own weights, where it is gone on with.

    Raises:
        UsageError: a file or a parent row is missing.
        DataError: weights that cannot be used.
    """
    torch.manual_seed(config.seed)
    net: BranchedNet = build_network(config.tracker)
    if resumed is not None:
        # What is frozen comes from here, whatever --init says now; what is trained is overwritten by its masters.
        load_into(net, resumed, str(config.out / MODEL))
    else:
        start_weights(net, config, recipe)
    # eval(): every row but pretrain keeps all batch-norm statistics, the backbone's first one included.
    return net.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def refuse_other_start(config: TrainConfig, recipe: Recipe, state: Mapping[str, Any]) -> None:
    """Refuse to go on with a run that began with other weights than ``--init`` names now; files that are gone say none.

    Args:
        config: settings of the run.
        recipe: its row.
        state: that was saved of it.

    Raises:
        UsageError: it did, or the files do not fit the row.
        DataError: weights that cannot be used.
    """
    files, start = [model_in(path) for path in config.init], config.out / START
    if not files or not all(file.is_file() for file in (*files, start)):
        return
    asked = build_student(config, recipe, torch.device("cpu"), resumed=None).state_dict()
    # A backbone that is not trained is left out of the start, and still what it was.
    began = (state["model"] or load_weights(config.out / MODEL)) | load_weights(start)
    if any(not value.equal(began[name]) for name, value in asked.items() if name in began):
        named = ", ".join(map(str, config.init))
        raise UsageError(f"{config.out} began with other weights than --init {named}: give those or none, or {anew()}")


def named_teacher(config: TrainConfig) -> Weights | None:
    """The weights of a teacher that is not what the run starts from."""
    return None if config.teacher == "init" else load_weights(weights_file(Path(config.teacher), "setting teacher"))


def frozen_teacher(net: BranchedNet, weights: Mapping[str, Tensor], name: str | None = None) -> BranchedNet:
    """A frozen network for the RGB side, which shares the backbone of the one that is trained.

    Args:
        net: the network that is trained.
        weights: of the teacher: complete where it has a name, else what the run began with.
        name: file or run of a teacher that is not what the run starts from.

    Raises:
        DataError: the named teacher grew from another backbone.
    """
    teacher = copy.deepcopy(net)
    if name is None:
        teacher.load_state_dict(weights, strict=False)
    else:
        load_into(teacher, weights, name)
        if digest(teacher.trunk.state_dict()) != digest(net.trunk.state_dict()):
            raise DataError(f"setting teacher: the backbone of {name} is another than that of --init")
    setattr(teacher, net.trunk_name, net.trunk)
    return teacher.requires_grad_(False).eval()


def start_weights(net: BranchedNet, config: TrainConfig, recipe: Recipe) -> None:
    """Load the weights that a run starts from.

    One ``--init`` is taken whole. Several are the recipe's parent rows: all of the first, and of each other one what
    its row trains (d1 to d5: everything of b3, the classifier of c1; b3: everything of b1, the test branch of b2). Runs
    are told apart by the recipe they say they are, plain files by their order.

    Raises:
        UsageError: a file is missing, or a parent row is; or a run is of another tracker.
        DataError: a file is damaged, of another tracker, or grew from another backbone than the first.
    """
    if not config.init:
        parents = " and ".join(recipe.starts_from)
        lacking = f", which have nothing to teach: {recipe.name} goes on from {parents}, {TAUGHT}" if parents else ""
        log.warning("no --init: starting from random weights (seed %d)%s", config.seed, lacking)
        return
    files = in_order([weights_file(path) for path in config.init], recipe)
    for path, file in zip(config.init, map(model_in, config.init)):
        if (said := described(file).get("tracker", config.tracker)) != config.tracker:
            raise UsageError(
                f"--init {path} is {said}, you asked for {config.tracker}: give --tracker {said}, or another --init"
            )
    for source, window in other_windows(config).items():
        log.warning(
            "%s has learnt in windows of %d px, this run has %d: a network takes any; --window %d is what it learnt in",
            *(source, window, geometry_of(config.tracker, config.window).size, window),
        )
    weights = load_weights(files[0])
    for file, parent in zip(files[1:], recipe.starts_from[1:]):
        row, owned = load_recipe(parent), ownership_of(config.tracker)
        merge_branch(weights, load_weights(file), row, owned, f"{files[0]} and {file}")
    load_into(net, weights, " + ".join(map(str, files)))
    if is_resnet(weights) and not recipe.pretrains:
        log.warning(
            "--init %s is a backbone alone: the heads start from random weights (seed %d), which have nothing to "
            "teach: %s goes on from %s, %s",
            *(config.init[0], config.seed, recipe.name, " and ".join(recipe.starts_from) or "a tracker", TAUGHT),
        )


def other_windows(config: TrainConfig) -> dict[str, int]:
    """The runs among ``--init`` that have learnt in search windows of another size than this run's -> that size."""
    own, here = (geometry_of(config.tracker, window).size for window in (None, config.window))
    files = {str(path): model_in(path) for path in config.init}
    told = {source: described(file) for source, file in files.items()}
    learnt = {source: each[WINDOW] or own for source, each in told.items() if each}
    return {source: window for source, window in learnt.items() if window != here}


def merge_branch(weights: Weights, other: Mapping[str, Tensor], row: Recipe, owned: Ownership, names: str) -> None:
    """Put what ``row`` trains of ``other`` in the place of the same tensors of ``weights``.

    Raises:
        DataError: the two grew from different backbones, on which neither's branches mean anything to the other's.
    """
    for name, value in weights.items():
        if name.startswith(owned.backbone) and (name not in other or not value.equal(other[name])):
            raise DataError(f"{names}: their backbones differ ({name}): put together runs that began from one a1")
    prefixes = tuple(prefix for module, branch in row.trains.items() for prefix in owned.parts(module, branch))
    weights.update({name: value for name, value in other.items() if name.startswith(prefixes)})


def in_order(files: Sequence[Path], recipe: Recipe) -> list[Path]:
    """Weights files in the order of the recipe's parent rows.

    Raises:
        UsageError: their number does not fit, or a run is of no parent row; the message names what is missing.
    """
    parents = recipe.starts_from
    told = [described(file).get("recipe") for file in files]
    needed = " and ".join(parents) or "one base tracker"
    if len(files) == 1:
        # Taken whole: the base tracker, one parent, or parents that were merged already.
        if told[0] in parents and len(parents) > 1:
            missing = ", ".join(parent for parent in parents if parent != told[0])
            raise UsageError(f"recipe {recipe.name} starts from {needed}: --init for {missing} is missing")
        return list(files)
    if len(files) != len(parents):
        raise UsageError(f"recipe {recipe.name} starts from {needed}: give one --init for each, or one in all")
    by_row = {row: file for row, file in zip(told, files) if row in parents}
    unnamed = iter([file for row, file in zip(told, files) if row is None])
    ordered = [by_row.get(parent) or next(unnamed, None) for parent in parents]
    missing = ", ".join(parent for parent, file in zip(parents, ordered) if file is None)
    if missing:
        given = ", ".join(str(row) for row in told if row is not None)
        raise UsageError(f"recipe {recipe.name} starts from {needed}: {missing} is missing, got runs of {given}")
    return [file for file in ordered if file is not None]
