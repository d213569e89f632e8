"""What the result of a run depends on, and where it runs: all that the command line and ``--set`` may say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from pipeline.config import OnExisting, Settings, recorded
from pipeline.errors import UsageError, did_you_mean, first_fault
from trainer.base_trackers import BASE_TRACKERS
from trainer.recipes.geometry import TrackerName, TrackerSpec, geometry_of
from trainer.recipes.losses import Loss, load_loss
from trainer.recipes.recipe import Recipe, load_recipe
from trainer.recipes.setting_groups import FeedSettings, HeldOutSettings, LossSettings, Rates, StepSettings

M = TypeVar("M", bound=BaseModel)
RESULTS = 1
"""Raised by a change that alters what equal settings give, so that no run is gone on with by another method."""
BEFORE: dict[str, Any] = {
    "results": 1,
    "recipe_sha256": None,
    "loss_sha256": {},
    "last_batch": "kept",
    "backbone": "tracker",
    "rate_scale": 1.0,
    "pretraining": "one rate a module, all of the backbone",
    "window": None,
    "other_windows": {},
    "images": 1,
    "instants": "one",
    "flips": "together",
    "split": None,
    "pairs": "true",
    "feed": "pairs",
    "misalign": 0.0,
    "bn_batches": 0,
    "redraw": True,
    "other_scenes": None,
    "thin_targets": "nearest",
    "feature_type": "float32",
    "precision": "float32",
}
"""What came into ``run.json`` and the identity of a run after 0.1 -> what it was before there was a name for it."""


RESOLVED = {"images", "instants", "patches"}
"""Settings whose default is the row's or the shards': what they come to is what counts."""


class TrainSettings(StepSettings, LossSettings, FeedSettings, HeldOutSettings):
    """What the result depends on, beside shards and weights, whose content counts; the defaults are the paper's.

    Attributes:
        recipe: a row of Table 1, or ``all``.
        tracker: the base tracker.
    """

    recipe: str
    tracker: TrackerName = "dimp50"

    @model_validator(mode="before")
    @classmethod
    def _row_s_own(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Defaults of the row's own; one with the base tracker's rates takes from there what goes with them."""
        name, tracker = (str(given.get(key, default)) for key, default in (("recipe", "all"), ("tracker", "dimp50")))
        if name == "all" or tracker not in BASE_TRACKERS:
            return given
        recipe, spec, own = load_recipe(name), geometry_of(tracker), {}
        if recipe.rates == "tracker":
            own = {"samples_per_epoch": spec.pretrain_samples, "gamma": spec.pretrain_gamma}
        return own | recipe.settings | given

    def identity(self) -> dict[str, Any]:
        """The settings that a resumed run must share with the run it goes on from, as JSON."""
        settings = self.model_dump(mode="json", include=TrainSettings.model_fields.keys() - RESOLVED)
        return recorded(settings | {"results": RESULTS, "window": self.other_window}, BEFORE)

    @property
    def other_window(self) -> int | None:
        """Side of the search window where it is not the base tracker's own, which is as if none were given."""
        return None if self.window == geometry_of(self.tracker).size else self.window

    @property
    def bbe_weight(self) -> float:
        """Lambda of Eq. 1."""
        return self.weight

    def decay(self, epoch: int) -> float:
        """Factor on the learning rates in an epoch: the scheduler's gamma, once more after each of its step sizes."""
        return self.gamma ** (epoch // self.step)

    def batch(self, recipe: Recipe, spec: TrackerSpec) -> int:
        """Pairs a step.

        Raises:
            UsageError: too few for the batch-norms whose statistics ``pretrain`` learns.
        """
        if "backbone" not in recipe.trains:
            return self.batch_size or spec.batch
        size = self.batch_size or spec.pretrain_batch
        self.refuse_few(size, spec)
        return size

    def refuse_few(self, size: int, spec: TrackerSpec) -> None:
        """Refuse a batch that is too small for the statistics of batch-norms, of which an IoU-net has some on 1x1 maps.

        Raises:
            UsageError: it is one.
        """
        if size < spec.pretrain_least:
            raise UsageError(
                f"--batch-size {size}: the batch-norms of {self.tracker} learn their statistics from a batch of "
                f"{spec.pretrain_least} at least"
            )

    def losses_of(self, spec: TrackerSpec) -> tuple[Loss, Loss]:
        """The classification and the box loss of the run.

        Raises:
            UsageError: one's own cannot be imported, or wants what there is not.
        """
        chosen = {
            "tracker": spec.own_losses,
            "paper": ("l2", "state"),
            "features": ("features", "features"),
            "answers": ("answer", "answer"),
        }
        tcl, bbe = chosen[self.losses]
        kinds = spec.family
        return (
            load_loss(kinds.tcl.registry, kinds.tcl.given, self.tcl_loss or tcl),
            load_loss(kinds.bbe.registry, kinds.bbe.given, self.bbe_loss or bbe),
        )


class TrainWhereabouts(Settings):
    """Where a run's files are, and where and how far it runs.

    Attributes:
        shards: folders that ``cmd-prep mine`` wrote; a row that trains nothing needs none.
        init: weights to start from; none starts from seeded random weights. A resumed run has its own already.
        out: the run's folder; for ``all`` the folder of the runs.
        epochs: passes of ``samples_per_epoch`` draws; a longer run begins as a shorter one.
        device: torch device, or ``auto``.
        loader_workers: processes that read shards; 0 reads in the training process.
        on_existing: what to do with a run that the folder holds: go on with it, overwrite what it made, or fail.
        force: train on shards of other patches than the row wants, where there are none of those.
        save_minutes: between two states that are saved within an epoch, so that a kill costs no more than that.
        feature_cache: folder of features of frozen backbones, which runs share; None keeps in memory those of windows
            that the run sees again.
        feature_gib: of features that are kept at most, in that folder or in memory, GiB; None is 16 or 1, 0 keeps none.
        dry_run: check, take one step in memory, print the plan, write nothing.
    """

    shards: tuple[Path, ...] = ()
    init: tuple[Path, ...] = ()
    out: Path
    epochs: int = Field(default=50, ge=1)
    device: str = "auto"
    loader_workers: int = Field(default=2, ge=0)
    on_existing: OnExisting = "resume"
    force: bool = False
    save_minutes: float = Field(default=10.0, ge=0)
    feature_cache: Path | None = None
    feature_gib: float | None = Field(default=None, ge=0)
    dry_run: bool = False


class TrainConfig(TrainSettings, TrainWhereabouts):
    """All that a run of ``cmd-train`` takes: its settings and its whereabouts."""

    def record(self) -> dict[str, Any]:
        """Both, as they are written down."""
        settings = self.model_dump(mode="json") | {"window": self.other_window}
        left = dict.fromkeys({*RESOLVED, "feature_cache", "feature_gib"})
        return recorded(settings, BEFORE | {"on_existing": "resume", "force": False, "save_minutes": 10.0} | left)


def configure(settings: dict[str, Any], overrides: tuple[str, ...]) -> TrainConfig:
    """Settings of a run, with ``key=value`` or ``group.key=value`` overrides on top.

    Raises:
        UsageError: an unknown key or a value that does not fit; the message names the key.
    """
    merged = dict(settings)
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise UsageError(f"--set {override}: expected key=value, e.g. --set rates.tcl=1e-4")
        *groups, leaf = key.split(".")
        target = merged
        for group in groups:
            inner = target.get(group)
            target[group] = dict(inner) if isinstance(inner, dict) else {}
            target = target[group]
        try:
            target[leaf] = _scalar(value)
        except yaml.YAMLError as error:
            raise UsageError(f"--set {override}: the value is neither a number nor YAML") from error
    return _validated(TrainConfig, merged)


def make_settings(settings: Mapping[str, Any]) -> TrainSettings:
    """What the result of a run depends on, by name.

    Raises:
        UsageError: an unknown key or a value that does not fit; the message names the key.
    """
    return _validated(TrainSettings, settings)


def _validated(model: type[M], settings: Mapping[str, Any]) -> M:
    try:
        return model.model_validate(settings)
    except ValidationError as error:
        fault = first_fault(error)
        hint = _known(fault.key) if fault.kind == "extra_forbidden" else ""
        raise UsageError(f"setting {fault.key}: {_plain(fault.message)}, got {fault.value!r}{hint}") from error


def _known(key: str) -> str:
    """The settings that there are beside an unknown one, the nearest first."""
    group, _, name = key.rpartition(".")
    fields = sorted(Rates.model_fields if group == "rates" else TrainConfig.model_fields)
    return f" ({did_you_mean(name, fields)}known settings: {', '.join(fields)})"


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")


def _scalar(text: str) -> Any:
    """A value as YAML reads it, and ``1e-6`` as the number that people mean by it."""
    try:
        return float(text) if not text.lstrip("+-").isdigit() else int(text)
    except ValueError:
        return yaml.safe_load(text)
