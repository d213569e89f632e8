"""Which settings of a run have no effect, given its row and its others: who sets one expects something of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from pipeline.config import differing, refuse_idle
from trainer.recipes.geometry import TrackerSpec, geometry_of
from trainer.recipes.losses import Loss
from trainer.recipes.recipe import Module, Recipe, load_recipe, rows_of
from trainer.recipes.settings import TrainSettings

FEATURES = ("feature_type", "feature_cache", "feature_gib")
"""How features of a frozen backbone are kept."""
OPTIONS = (
    *("shards", "epochs", "samples_per_epoch", "batch_size", "device", "loader_workers", "amp", "seed", "window"),
    *("feature_cache", "patches", "precision", "force"),
)
"""Settings that are options of the command as well."""
TRAINING = {*TrainSettings.model_fields, *OPTIONS, *FEATURES, "save_minutes"} - {
    *("recipe", "tracker", "seed", "rates", "window"),
}
"""What only training uses; beside it there are the rates. A model that is only put together has a window too."""

SPLITTING = {"shards", "held_out", "split_seed"}
"""What the row that all others start from uses: of the shards that they will see, it decides what is held out."""

MEASURING = {"batch_size", "device", "loader_workers", "jitter"}
"""What measuring batch-norm statistics uses beside the split."""
CONTROLS = ("pairs", "feed", "misalign")
"""What changes the pairs that a row is fed."""
OF_ROWS = ("teacher", "mix", "mix_pairs", "backbone", "images", *CONTROLS)
"""What ``--recipe all`` tells only to the rows that use it, as it does the rates."""


@dataclass(frozen=True)
class Asked:
    """What a run is asked to train: its settings, its row, the modules of that, and what their losses take."""

    settings: TrainSettings
    spec: TrackerSpec
    recipe: Recipe
    modules: tuple[Module, ...]
    tcl: Collection[str]
    bbe: Collection[str]

    def trains_filter(self) -> bool:
        """Whether a filter's initialiser and optimiser are trained."""
        return "tcl" in self.modules and self.recipe.branch != "test" and self.spec.pretrain_optimizer is not None

    def freezes_backbone(self) -> bool:
        """Whether the backbone stays as it is."""
        fixed = {"tracker": set(self.spec.backbone_layers) <= set(self.spec.pretrain_frozen), "frozen": True}
        return not self.recipe.pretrains or fixed.get(self.settings.backbone, False)

    def changes_backbone(self) -> bool:
        """Whether ``pretrain`` treats the backbone otherwise than the tracker's authors did."""
        if self.settings.backbone == "learns":
            return bool(self.spec.pretrain_frozen) or "backbone" not in self.spec.pretrain_rates
        return set(self.spec.pretrain_frozen) < set(self.spec.backbone_layers)

    def pairs(self) -> bool:
        """Whether it is fed the two pictures of a pair."""
        return (self.recipe.distils or self.recipe.answers) and self.settings.feed == "pairs"

    def labels_points(self) -> bool:
        """Whether a loss looks at labelled points, as NanoTrack's do."""
        return "cells" in self.tcl or "cells" in self.bbe


@dataclass(frozen=True)
class Rule:
    """Settings, who uses them, and whether a run does."""

    names: tuple[str, ...]
    by: str
    used: Callable[[Asked], bool]


RULES = (
    Rule(("rates.tcl", "tcl_loss"), "rows that train the classifier", lambda run: "tcl" in run.modules),
    Rule(("rates.filter_optimizer",), "rows that train the reference branch of DiMP's classifier", Asked.trains_filter),
    Rule(("rates.bbe", "bbe_loss", "weight"), "rows that train the IoU-net", lambda run: "bbe" in run.modules),
    Rule(("rates.backbone",), "pretrain of a backbone that learns", lambda run: "backbone" in run.modules),
    Rule(
        ("backbone",),
        "pretrain of a tracker whose authors did otherwise",
        lambda run: run.recipe.pretrains and run.changes_backbone(),
    ),
    Rule(("images",), "pretrain of DiMP and ATOM", lambda run: run.recipe.pretrains and run.spec.several),
    Rule(
        ("losses",),
        "modules whose loss tcl_loss or bbe_loss does not say",
        # In k3 they are the row's own, whatever losses of one's own learn the answers.
        lambda run: (
            ("tcl" in run.modules and not run.settings.tcl_loss)
            or ("bbe" in run.modules and not run.settings.bbe_loss)
            or (run.recipe.answers and run.settings.losses == "answers")
        ),
    ),
    Rule(("mu",), "the classifier under losses=paper, tcl_loss=l2, or one that takes it", lambda run: "mu" in run.tcl),
    Rule(("nu",), "the IoU-net under losses=paper, bbe_loss=state, or one that takes it", lambda run: "nu" in run.bbe),
    Rule(
        ("head_steps",),
        "the IoU-net under losses=paper, bbe_loss=state, or one that takes predicted_state",
        lambda run: "predicted_state" in run.bbe,
    ),
    Rule(
        ("tcl_features",),
        "rows that train the reference branch alone of a classifier whose branches share features, as DiMP's do",
        # Of a row that is about these features a tracker without them is told as one without the row.
        lambda run: (
            ("tcl" in run.modules and run.recipe.branch == "reference" and run.spec.shared) or run.recipe.trains_shared
        ),
    ),
    Rule(
        ("teacher",),
        "rows that train one branch and leave the other, and k3",
        lambda run: run.recipe.branch != "both" or run.recipe.answers,
    ),
    Rule(
        ("mix",),
        "rows that feed both modalities to a branch, with feed=pairs",
        lambda run: run.recipe.mixed and run.settings.feed == "pairs",
    ),
    Rule(
        ("mix_pairs",),
        "rows that feed both modalities to a branch, with mix=batch and feed=pairs",
        lambda run: run.recipe.mixed and run.settings.mix == "batch" and run.settings.feed == "pairs",
    ),
    Rule(
        ("feed",),
        "rows that are fed pairs; for pretrain feed=tir-tir",
        lambda run: run.recipe.distils or (run.recipe.pretrains and run.settings.feed == "tir-tir"),
    ),
    Rule(
        ("pairs",),
        "rows that are fed pairs, with feed=pairs",
        lambda run: run.pairs(),
    ),
    Rule(
        ("misalign",),
        "rows that are fed pairs, with feed=pairs and pairs=true",
        lambda run: run.pairs() and run.settings.pairs == "true",
    ),
    Rule(
        ("other_scenes",),
        "NanoTrack's classifier with losses that look at labelled points alone",
        lambda run: run.spec.foreign > 0,
    ),
    Rule(("thin_targets",), "NanoTrack under losses that look at labelled points", Asked.labels_points),
    Rule(("feature_type", "feature_gib", "precision"), "rows whose backbone is frozen", Asked.freezes_backbone),
    Rule(
        ("feature_cache",),
        "rows whose backbone is frozen, with feature_gib above 0",
        lambda run: run.freezes_backbone() and getattr(run.settings, "feature_gib", None) != 0,
    ),
    Rule(
        ("force",),
        "one row whose patches --patches does not say",
        lambda run: not run.settings.patches and run.settings.recipe != "all",
    ),
    Rule(("bn_batches",), "a1", lambda run: not run.modules),
    Rule(("step",), "gamma under 1", lambda run: run.settings.gamma < 1),
    Rule(("held_out_samples", "split_seed"), "held_out above 0", lambda run: run.settings.held_out > 0),
)


def without_effect(settings: TrainSettings) -> dict[str, str]:
    """The settings that do nothing for a run's row, under ``all`` for any of its rows -> what would use them.

    Raises:
        UsageError: there is no such row, or a loss of one's own cannot be imported.
    """
    spec = geometry_of(settings.tracker)
    losses = settings.losses_of(spec)
    if settings.recipe != "all":
        return idle_in(settings, load_recipe(settings.recipe), losses)
    first, *others = (idle_in(settings, recipe, losses) for recipe in rows_of(spec) if recipe.trains)
    return {name: by for name, by in first.items() if all(name in idle for idle in others)}


def idle_in(settings: TrainSettings, recipe: Recipe, losses: tuple[Loss, Loss]) -> dict[str, str]:
    """The settings that do nothing for a row under its (TCL, BBE) losses, by name -> what would use them."""
    if not recipe.trains:
        used = set() if recipe.starts_from else SPLITTING if getattr(settings, "shards", ()) else {"shards"}
        if not recipe.starts_from:
            used = used | {"bn_batches"} | (MEASURING if settings.bn_batches else set())
        names = (*sorted(TRAINING - used), *(f"rates.{module}" for module, _ in settings.rates))
        return dict.fromkeys(names, f"recipes that train, and {recipe.name} puts its parents together")
    base = geometry_of(settings.tracker)
    modules = recipe.trained(base, settings.backbone)
    tcl, bbe = (loss.takes if module in modules else () for module, loss in zip(("tcl", "bbe"), losses))
    spec = base.taught(modules, {"tcl": tcl, "bbe": bbe}, nearest=True, foreign=None)
    run = Asked(settings, spec, recipe, modules, tcl, bbe)
    return {name: rule.by for rule in RULES if not rule.used(run) for name in rule.names}


def refuse_without_effect(settings: TrainSettings, names: Collection[str] = ()) -> None:
    """Refuse what is set and does nothing.

    Args:
        settings: of a run; what differs from its default counts as set.
        names: settings that were typed, as ``--set`` takes them.

    Raises:
        UsageError: it does; the message names it and what would use it.
    """
    refuse_idle(_set(settings) | {*names}, without_effect(settings), OPTIONS)


def refuse_of_other_rows(settings: TrainSettings, recipe: Recipe, losses: tuple[Loss, Loss]) -> None:
    """Refuse to train a row with what ``--recipe all`` tells to other rows alone.

    Raises:
        UsageError: it is set; the message names it and what would use it.
    """
    idle = idle_in(settings, recipe, losses)
    told = {name: by for name, by in idle.items() if name in OF_ROWS or name.startswith("rates.")}
    refuse_idle(_set(settings), told, OPTIONS)


def _set(settings: TrainSettings) -> set[str]:
    """The settings that differ from their defaults, as ``--set`` takes them."""
    return differing(settings) | {f"rates.{module}" for module, rate in settings.rates if rate is not None}
