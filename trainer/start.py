"""What a run starts from: the base tracker's weights, or the results of parent rows put together."""

from __future__ import annotations

import logging
from pathlib import Path

from pipeline.errors import UsageError
from trainer.checkpoint import load_into, load_weights
from trainer.net import AtomNet, DimpNet
from trainer.recipe import Recipe, TrainConfig
from trainer.run_folder import MODEL

log = logging.getLogger(__name__)

MODULES = {"b": "bb_regressor.", "c": "classifier."}
"""What a parent row contributes, by the first letter of its name: rows B train the box branch, row C the classifier."""


def start_weights(net: DimpNet | AtomNet, config: TrainConfig, recipe: Recipe) -> None:
    """Load the weights that a run starts from.

    One ``--init`` is taken whole. Several are the recipe's parent rows in order: all of the first, and of each other
    one the module that its row trains (d1 to d5: the box branch of b3, the classifier of c1).

    Raises:
        UsageError: a file is missing, or their number does not fit the recipe.
        DataError: a file is damaged or of another tracker.
    """
    if not config.init:
        log.warning("no --init: starting from random weights (seed %d); a student needs a trained teacher", config.seed)
        return
    if len(config.init) not in (1, len(recipe.starts_from)):
        parents = ", ".join(recipe.starts_from)
        raise UsageError(
            f"recipe {recipe.name} starts from {parents}: give one --init, or one for each of them in order"
        )
    weights = load_weights(_file(config.init[0]))
    for path, parent in zip(config.init[1:], recipe.starts_from[1:]):
        prefix = MODULES[parent[0]]
        weights |= {name: value for name, value in load_weights(_file(path)).items() if name.startswith(prefix)}
    load_into(net, weights, " + ".join(map(str, config.init)))


def _file(path: Path) -> Path:
    """The weights file that ``--init`` means: a file, or the model of a run's folder."""
    file = path / MODEL if path.is_dir() else path
    if not file.is_file():
        raise UsageError(
            f"--init {path}: no such file: pass a checkpoint (README says where released ones are) or a run"
        )
    return file
