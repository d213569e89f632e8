"""A row of Table 1 as a run trains it: the recipe, the base tracker and the settings, resolved against one another."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from pipeline.errors import UsageError
from trainer.recipes.base_trackers import TRACKERS, TrackerSpec
from trainer.recipes.recipe import Module, Recipe, load_recipe
from trainer.recipes.settings import TrainSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """What a run trains, of which tracker, and how fast.

    Attributes:
        recipe: the row as Table 1 has it.
        base: the base tracker's geometry.
        spec: that geometry with the proposals that the box loss asks for.
        modules: the modules that are trained.
        losses: the classification and the box loss.
        batch_size: pairs a step and process.
        rates: learning rate of each trained module, before the schedule.
    """

    recipe: Recipe
    base: TrackerSpec
    spec: TrackerSpec
    modules: tuple[Module, ...]
    losses: tuple[str, str]
    batch_size: int
    rates: dict[str, float]


def resolve_row(settings: TrainSettings) -> Row:
    """The row that settings ask for.

    Raises:
        UsageError: settings that do not fit the row or one another.
    """
    recipe, base = load_recipe(settings.recipe), TRACKERS[settings.tracker]
    modules, losses = recipe.trained(base), settings.loss_of(base)
    _check(settings, recipe, modules)
    return Row(
        recipe=recipe,
        base=base,
        # Proposals come from a mixture exactly where the loss needs their densities.
        spec=replace(base, mixture=losses[1] == "kl"),
        modules=modules,
        losses=losses,
        batch_size=settings.batch(recipe, base),
        rates={module: getattr(settings.rates, module) or recipe.rate(module, base) for module in modules},
    )


def _check(settings: TrainSettings, recipe: Recipe, modules: tuple[Module, ...]) -> None:
    """Refuse settings that this row has no use for."""
    name = recipe.name
    if "tcl" in recipe.trains and "tcl" not in modules and "backbone" not in modules:
        raise UsageError(
            f"recipe {name} trains a classifier, {settings.tracker} has none: use its rows (--list-recipes)"
        )
    idle = [module for module in settings.rates.model_fields_set if module not in modules]
    if idle:
        raise UsageError(f"setting rates.{idle[0]}: recipe {name} does not train it")
    if settings.teacher != "init" and recipe.branch == "both":
        raise UsageError(f"setting teacher: recipe {name} trains both branches, neither is a fixed teacher")
    if not recipe.mixed and (settings.mix, settings.mix_pairs) != ("batch", "twice"):
        raise UsageError(f"setting mix: recipe {name} feeds one modality to a branch")
    if settings.jitter == "none":
        log.warning("jitter is off: every window is centred on its box, and a bias alone can learn the targets")
