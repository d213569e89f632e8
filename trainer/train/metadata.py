"""What a run is, resolved: the content of ``run.json`` and ``model.json``."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from trainer import DISTRIBUTION
from trainer.checkpoints.model_file import LEARNT
from trainer.train.session import Training


def describe(training: Training) -> dict[str, Any]:
    """Content of ``run.json``."""
    config = training.config
    return {
        "settings": config.model_dump(mode="json"),
        "recipe": training.recipe.model_dump(mode="json"),
        "shards": training.source.fingerprint,
        "methods": [index.method for index in training.source.indexes],
        "batch_size": training.batch_size,
        "processes": training.team.world,
        "losses": dict(zip(("tcl", "bbe"), config.loss_of(training.spec))),
        "rates": training.optimizer.rates,
        "trained": {name: list(p.shape) for name, p in training.optimizer.live.items()},
        "pairs": {"training": len(training.train_pairs), "held_out": len(training.held_pairs)},
        "device": str(training.device),
        "versions": {"cmd-tir": version(DISTRIBUTION), "torch": torch.__version__, "numpy": np.__version__},
    }


def model_meta(training: Training) -> dict[str, Any]:
    """Content of ``model.json``: what the weights beside it are."""
    config = training.config
    return {
        "tracker": config.tracker,
        "recipe": training.recipe.name,
        "epoch": training.epoch,
        "shards": training.source.fingerprint,
        LEARNT: training.source.tir_ranges,
    }
