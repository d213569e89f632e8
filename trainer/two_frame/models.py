"""Checkpoints of one base tracker as networks, of which those that have one backbone share it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from pipeline.errors import UsageError
from trainer.checkpoints.model_file import window_of
from trainer.checkpoints.weights import digest
from trainer.features import FrozenBackbone, make_store
from trainer.net import BranchedNet
from trainer.recipes.geometry import TrackerSpec, geometry_of
from trainer.trackers.model import Model, find_model, load_network

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Entrant:
    """A network that is measured.

    Attributes:
        name: of its checkpoint; None where that has none.
        model: what the checkpoint says.
        net: the network, without gradients.
        backbone: of it, and of all others whose backbone is the same.
    """

    name: str | None
    model: Model
    net: BranchedNet
    backbone: FrozenBackbone


def find_models(
    checkpoints: Sequence[tuple[str | None, Path]], tracker: str | None, window: int | None
) -> tuple[list[Model], TrackerSpec]:
    """What checkpoints say they are, and the geometry of the windows that they are shown.

    Args:
        checkpoints: (name, run folder or file) each.
        tracker: the base tracker; None takes what the runs say.
        window: side of the search window, pixels; None is what they learnt in.

    Raises:
        UsageError: one is not there, they are of several trackers, or have learnt in several windows and none is given,
            or their tracker has none of that size.
        DataError: the description of one is damaged.
    """
    models = [find_model(path, tracker, "CHECKPOINT") for _, path in checkpoints]
    trackers = {str(path): model.tracker for (_, path), model in zip(checkpoints, models)}
    if len(set(trackers.values())) > 1:
        told = ", ".join(f"{path}: {name}" for path, name in trackers.items())
        raise UsageError(f"checkpoints of several base trackers ({told}): measure each kind in a call of its own")
    name = models[0].tracker
    spec = geometry_of(name, window or window_of([model.file for model in models if model.file]))
    for file, model in zip(trackers, models):
        learnt_in = geometry_of(name, model.window).size
        if learnt_in != spec.size:
            log.warning("warning: %s has learnt in windows of %d px and is shown %d", file, learnt_in, spec.size)
    return models, spec


def load_entrants(
    checkpoints: Sequence[tuple[str | None, Path]], models: Sequence[Model], device: torch.device, cache: Path | None
) -> list[Entrant]:
    """Load the networks of checkpoints.

    Args:
        checkpoints: (name, run folder or file) each.
        models: what each says it is.
        device: where they run.
        cache: folder in which the features of backbones are kept.

    Raises:
        UsageError: one is a bare backbone, or the folder cannot be made.
        DataError: weights that cannot be used.
    """
    store = make_store(cache, None) if cache else None
    backbones: dict[str, FrozenBackbone] = {}
    entrants: list[Entrant] = []
    for (name, path), model in zip(checkpoints, models):
        try:
            net = load_network(model.tracker, model.file or path)
        except ValueError as error:
            raise UsageError(str(error)) from error
        net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        weights = net.trunk.state_dict()
        known = digest(weights)
        if known not in backbones:
            backbones[known] = FrozenBackbone(net, weights, store)
        # One backbone in memory, however many branches are on it.
        setattr(net, net.trunk_name, backbones[known].net.trunk)
        entrants.append(Entrant(name, model, net, backbones[known]))
    return entrants
