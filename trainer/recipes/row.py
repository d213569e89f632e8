"""A row of Table 1 as a run trains it: the recipe, the base tracker and the settings, resolved against one another."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.config import recorded
from pipeline.errors import UsageError
from trainer.recipes.effects import refuse_of_other_rows
from trainer.recipes.geometry import TrackerSpec, geometry_of
from trainer.recipes.losses import Loss
from trainer.recipes.patch_kinds import of_tubes
from trainer.recipes.recipe import Module, Recipe, load_recipe, recipe_sha256
from trainer.recipes.settings import BEFORE, TrainSettings


@dataclass(frozen=True)
class Row:
    """What a run trains, of which tracker, and how fast.

    Attributes:
        recipe: the row as Table 1 has it.
        base: the base tracker's geometry, in windows of the run's size.
        spec: that geometry with the targets that the losses ask for.
        modules: the modules that are trained.
        tcl_loss: the classification loss.
        bbe_loss: the box loss.
        batch_size: pairs a step and process.
        patches: kind of the patches that it draws; None where it trains nothing.
        images: of a target that each branch sees at once.
        instants: whether the test branch sees others than the reference branch, where the shards know objects.
        rates: learning rate of each trained module, before the schedule; of ``filter_optimizer`` too, where it is not
            that of the rest of its module.
        frozen: layers of the backbone that stay as they are, statistics of their batch-norms included.
        recipe_sha256: of the recipe's file; None for one that ships, whose version is ours.
    """

    recipe: Recipe
    base: TrackerSpec
    spec: TrackerSpec
    modules: tuple[Module, ...]
    tcl_loss: Loss
    bbe_loss: Loss
    batch_size: int
    patches: str | None
    images: int
    instants: Literal["one", "two"]
    rates: dict[str, float]
    frozen: tuple[str, ...]
    recipe_sha256: str | None

    @property
    def learns_statistics(self) -> bool:
        """Whether batch-norms run on the statistics of a batch and learn them: all that are in no frozen layer."""
        return self.recipe.pretrains

    @property
    def moves_backbone(self) -> bool:
        """Whether anything of the backbone changes: ATOM's trains no parameter, but learns statistics."""
        return not set(self.base.backbone_layers) <= set(self.frozen)

    @property
    def comparing(self) -> list[Loss]:
        """Its losses that compare what the trained branch makes of TIR with what its teacher makes of RGB."""
        losses = {"tcl": self.tcl_loss, "bbe": self.bbe_loss}
        return [loss for module, loss in losses.items() if module in self.modules and loss.compares]

    @property
    def imitating(self) -> list[Loss]:
        """Its losses whose target is what the teacher answers on RGB."""
        losses = {"tcl": self.tcl_loss, "bbe": self.bbe_loss}
        return [loss for module, loss in losses.items() if module in self.modules and loss.imitates]

    def sources(self) -> dict[str, Any]:
        """Hashes of what the run takes from outside this package: a recipe file, losses; empty where nothing is."""
        losses = {"tcl": self.tcl_loss.sha256, "bbe": self.bbe_loss.sha256}
        hashes = {kind: sha256 for kind, sha256 in losses.items() if sha256}
        return recorded({"recipe_sha256": self.recipe_sha256, "loss_sha256": hashes}, BEFORE)


def resolve_row(settings: TrainSettings) -> Row:
    """The row that settings ask for.

    Raises:
        UsageError: settings that do not fit the row or one another.
    """
    recipe, base = load_recipe(settings.recipe), geometry_of(settings.tracker, settings.window)
    patches = settings.patches or recipe.patches
    modules = recipe.trained(base, settings.backbone)
    frozen = {"tracker": base.pretrain_frozen, "frozen": base.backbone_layers, "learns": ()}
    _check(settings, recipe, base, modules)
    tcl_loss, bbe_loss = settings.losses_of(base)
    refuse_of_other_rows(settings, recipe, (tcl_loss, bbe_loss))
    row = Row(
        recipe=recipe,
        base=base,
        spec=_targets_asked(settings, base, modules, (tcl_loss, bbe_loss)),
        modules=modules,
        tcl_loss=tcl_loss,
        bbe_loss=bbe_loss,
        batch_size=settings.batch(recipe, base),
        patches=patches,
        images=settings.images or (base.images if recipe.pretrains else 1),
        instants=settings.instants or ("two" if recipe.pretrains or of_tubes(patches) else "one"),
        rates=_rates(settings, recipe, base, modules),
        frozen=frozen[settings.backbone] if recipe.pretrains else base.backbone_layers,
        recipe_sha256=recipe_sha256(settings.recipe),
    )
    if row.comparing and (recipe.branch == "both" or not recipe.distils or settings.feed != "pairs"):
        raise UsageError(
            f"loss {row.comparing[0].name}: it compares TIR with RGB in the window of the one branch that is trained, "
            f"and recipe {recipe.name} with feed={settings.feed} has no such: take b1, b2 or c1 with feed=pairs"
        )
    if row.imitating and not recipe.answers:
        raise UsageError(
            f"loss {row.imitating[0].name}: its target is what the teacher answers on RGB where both branches see TIR, "
            f"and recipe {recipe.name} is fed otherwise: take k3"
        )
    if recipe.answers and len(row.imitating) < len(modules):
        raise UsageError(f"recipe {recipe.name} learns its teacher's answers, not boxes: leave losses as they are")
    return row


def _targets_asked(
    settings: TrainSettings, base: TrackerSpec, modules: Collection[Module], losses: tuple[Loss, Loss]
) -> TrackerSpec:
    """A base tracker's geometry with the targets that a run asks for under its (TCL, BBE) losses."""
    takes = dict(zip(("tcl", "bbe"), (loss.takes for loss in losses)))
    return base.taught(modules, takes, nearest=settings.thin_targets == "nearest", foreign=settings.other_scenes)


def _rates(settings: TrainSettings, recipe: Recipe, base: TrackerSpec, modules: tuple[Module, ...]) -> dict[str, float]:
    """The learning rate of each trained module, and of the filter optimiser where it has its own."""
    rates: dict[str, float] = {
        module: getattr(settings.rates, module) or recipe.rate(module, base) for module in modules
    }
    if "tcl" in modules and recipe.branch != "test" and base.pretrain_optimizer is not None:
        published = rates["tcl"] * base.pretrain_optimizer if recipe.rates == "tracker" else None
        if own := settings.rates.filter_optimizer or published:
            rates["filter_optimizer"] = own
    return {name: rate * settings.rate_scale for name, rate in rates.items()}


def _check(settings: TrainSettings, recipe: Recipe, base: TrackerSpec, modules: tuple[Module, ...]) -> None:
    """Refuse a row that the tracker has not, or of which nothing is left to train."""
    name = recipe.name
    if "tcl" in recipe.trains and "tcl" not in modules and recipe.base != "any":
        raise UsageError(
            f"recipe {name} trains a classifier, {settings.tracker} has none: use its rows (--list-recipes)"
        )
    if recipe.trains_shared and not base.shared:
        raise UsageError(
            f"recipe {name} trains what {settings.tracker}'s branches share, and they share nothing: take c1"
        )
    if recipe.trains and not modules:
        raise UsageError(f"setting backbone: recipe {name} trains nothing else of {settings.tracker}")
