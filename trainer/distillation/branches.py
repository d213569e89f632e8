"""Which parameters a row of Table 1 trains, and what of the rest of a network changes with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from trainer.distillation.ownership import Ownership, Prefixes
from trainer.net import BranchedNet
from trainer.recipes.recipe import Recipe
from trainer.recipes.row import Row
from trainer.recipes.settings import TrainSettings


def trained_names(net: nn.Module, row: Row, settings: TrainSettings) -> dict[str, list[str]]:
    """Names of the parameters that a row trains, by module; the filter optimiser's on its own where its rate is.

    What both branches of the classifier run is frozen in a row that trains the reference branch alone, unless
    ``tcl_features`` says otherwise, and so is what a loss does not reach.
    """
    owned: Ownership = row.base.family.part("ownership")
    takes = {"tcl": row.tcl_loss.takes, "bbe": row.bbe_loss.takes}
    frozen = [*owned.layers(row.frozen)]
    for module, prefixes, names in owned.reached:
        if names.isdisjoint(takes[module]):
            frozen += prefixes
    if row.recipe.branch == "reference" and settings.tcl_features == "frozen":
        frozen += owned.shared
    groups = {
        module: [
            name
            for name in _starting(net, owned.parts(module, row.recipe.trains[module]))
            if not name.startswith(tuple(frozen))
        ]
        for module in row.modules
    }
    own = {rate: _starting(net, prefixes) for rate, prefixes in (owned.apart or {}).items() if rate in row.rates}
    taken = {name for names in own.values() for name in names}
    return {module: [name for name in names if name not in taken] for module, names in groups.items()} | own


def set_modes(net: BranchedNet, row: Row) -> None:
    """Put a network into the mode that a row trains in: batch-norms that learn statistics run on those of the batch."""
    net.train(row.learns_statistics)
    if not row.moves_backbone:
        net.trunk.eval()
    for layer in row.frozen:
        net.trunk.get_submodule(layer).eval()


def learnt_statistics(net: nn.Module, row: Row) -> dict[str, Tensor]:
    """The buffers that change while a row trains: statistics of the batch-norms that learn them."""
    frozen: Prefixes = row.base.family.part("ownership").layers(row.frozen)
    buffers = net.named_buffers() if row.learns_statistics else ()
    return {name: value for name, value in buffers if not name.startswith(frozen)}


def splits(recipe: Recipe, owned: Ownership, names: Iterable[str]) -> bool:
    """Whether a row trains, on one branch, something that the other branch runs too and must keep as it was."""
    return recipe.branch != "both" and any(name.startswith(owned.shared) for name in names)


def _starting(net: nn.Module, prefixes: Sequence[str]) -> list[str]:
    return [name for name, _ in net.named_parameters() if name.startswith(tuple(prefixes))]
