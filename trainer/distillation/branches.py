"""Which parameters a branch owns, and so which of them a row trains (Table 1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from trainer.net import TrackingNet
from trainer.recipes.geometry import BACKBONE_LAYERS
from trainer.recipes.recipe import Branch, Module, Recipe
from trainer.recipes.row import Row
from trainer.recipes.settings import TrainSettings

REFERENCE_BBE = ("conv3_1r", "conv4_1r", "fc3_1r", "fc34_3r", "fc34_4r")
TEST_BBE = ("conv3_1t", "conv3_2t", "conv4_1t", "conv4_2t", "fc3_rt", "fc4_rt", "iou_predictor")
SCORING_BBE = ("fc3_rt", "fc4_rt", "iou_predictor")
"""Layers after the modulated map: Eq. 3 replaces them by psi, so under it alone they get no gradient."""
OPTIMIZER = "filter_optimizer"
REFERENCE_TCL = ("filter_initializer", OPTIMIZER)
SHARED_TCL = "feature_extractor"
BACKBONE_PREFIX = "feature_extractor."


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
    """Names of the parameters that a row trains, by module; the filter optimiser's on its own where its rate is.

    The classifier's feature extractor serves both branches; in a row that trains the reference branch alone it is
    frozen, unless ``tcl_features`` says otherwise.
    """
    frozen = _frozen_backbone(row)
    if "predicted" not in row.bbe_loss.takes:
        frozen += [f"bb_regressor.{part}." for part in SCORING_BBE]
    if row.recipe.branch == "reference" and settings.tcl_features == "frozen":
        frozen.append(f"classifier.{SHARED_TCL}.")
    groups = {
        module: [
            name
            for name in _starting(net, parts(module, row.recipe.trains[module]))
            if not name.startswith(tuple(frozen))
        ]
        for module in row.modules
    }
    own: dict[str, list[str]] = {}
    if OPTIMIZER in row.rates:
        own[OPTIMIZER] = _starting(net, [f"classifier.{OPTIMIZER}."])
        groups["tcl"] = [name for name in groups["tcl"] if name not in own[OPTIMIZER]]
    return groups | own


def set_modes(net: TrackingNet, row: Row) -> None:
    """Put a network into the mode that a row trains in: batch-norms that learn statistics run on those of the batch."""
    net.train(row.learns_statistics)
    if not row.moves_backbone:
        net.feature_extractor.eval()
    for layer in row.frozen:
        net.feature_extractor.get_submodule(layer).eval()


def learnt_statistics(net: nn.Module, row: Row) -> dict[str, Tensor]:
    """The buffers that change while a row trains: statistics of the batch-norms that learn them."""
    frozen = tuple(_frozen_backbone(row))
    buffers = net.named_buffers() if row.learns_statistics else ()
    return {name: value for name, value in buffers if not name.startswith(frozen)}


def _frozen_backbone(row: Row) -> list[str]:
    """Prefixes of the layers of the backbone that stay as they are."""
    return [f"{BACKBONE_PREFIX}{layer}." for layer in row.frozen]


def splits(recipe: Recipe, names: Iterable[str]) -> bool:
    """Whether a row trains, on one branch, something that the other branch runs too and must keep as it was."""
    return recipe.branch != "both" and any(name.startswith(f"classifier.{SHARED_TCL}.") for name in names)


def _starting(net: nn.Module, prefixes: Sequence[str]) -> list[str]:
    return [name for name, _ in net.named_parameters() if name.startswith(tuple(prefixes))]
