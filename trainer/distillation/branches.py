"""Which parameters a branch owns, and so which of them a row trains (Table 1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn

from trainer.recipes.recipe import Branch, Module, Recipe
from trainer.recipes.row import Row
from trainer.recipes.settings import TrainSettings

REFERENCE_BBE = ("conv3_1r", "conv4_1r", "fc3_1r", "fc34_3r", "fc34_4r")
TEST_BBE = ("conv3_1t", "conv3_2t", "conv4_1t", "conv4_2t", "fc3_rt", "fc4_rt", "iou_predictor")
SCORING_BBE = ("fc3_rt", "fc4_rt", "iou_predictor")
"""Layers after the modulated map: Eq. 3 replaces them by psi, so under it alone they get no gradient."""
REFERENCE_TCL = ("filter_initializer", "filter_optimizer")
SHARED_TCL = "feature_extractor"
BACKBONE_PREFIX = "feature_extractor."
BACKBONE_LAYERS = ("conv1", "bn1", "layer1", "layer2", "layer3")
"""What of the backbone runs; layer4 and fc are carried along."""


def parts(module: Module, branch: Branch) -> tuple[str, ...]:
    """Prefixes of what a branch of a module owns; the classifier's features serve both branches."""
    if module == "backbone":
        return tuple(f"{BACKBONE_PREFIX}{part}." for part in BACKBONE_LAYERS)
    if module == "bbe":
        own = (REFERENCE_BBE if branch != "test" else ()) + (TEST_BBE if branch != "reference" else ())
        return tuple(f"bb_regressor.{part}." for part in own)
    own = (REFERENCE_TCL if branch != "test" else ()) + (SHARED_TCL,)
    return tuple(f"classifier.{part}." for part in own)


def trained_names(net: nn.Module, row: Row, settings: TrainSettings) -> dict[str, list[str]]:
    """Names of the parameters that a row trains, by module.

    The classifier's feature extractor serves both branches; in a row that trains the reference branch alone it is
    frozen, unless ``tcl_features`` says otherwise.
    """
    frozen: list[str] = []
    if "predicted" not in row.bbe_loss.takes:
        frozen += [f"bb_regressor.{part}." for part in SCORING_BBE]
    if row.recipe.branch == "reference" and settings.tcl_features == "frozen":
        frozen.append(f"classifier.{SHARED_TCL}.")
    return {
        module: [
            name
            for name in _starting(net, parts(module, row.recipe.trains[module]))
            if not name.startswith(tuple(frozen))
        ]
        for module in row.modules
    }


def splits(recipe: Recipe, names: Iterable[str]) -> bool:
    """Whether a row trains, on one branch, something that the other branch runs too and must keep as it was."""
    return recipe.branch != "both" and any(name.startswith(f"classifier.{SHARED_TCL}.") for name in names)


def _starting(net: nn.Module, prefixes: Sequence[str]) -> list[str]:
    return [name for name, _ in net.named_parameters() if name.startswith(tuple(prefixes))]
