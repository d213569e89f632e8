"""Recipes: the rows of the paper's Table 1 as data, and the settings of one run."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.errors import UsageError
from trainer.trackers import TrackerName

Module = Literal["tcl", "bbe"]
Branch = Literal["reference", "test", "both"]
Fed = Literal["rgb", "tir", "rgb-tir", "tir-rgb"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Recipe(_Frozen):
    """One row of Table 1.

    Attributes:
        name: the row.
        trains: module -> the branch of it that is trained.
        reference: what the reference branch is fed; ``rgb-tir`` with ``tir-rgb`` on the other one means that every pair
            enters twice, once each way round.
        test: what the test branch is fed.
        patches: mining method of the shards the row wants.
        starts_from: rows whose result it starts from; ``a1`` is the base tracker itself.
        rates: learning rate of each trained module.
        paper: S, P and NP that the paper reports on LSOTB-TIR, in %.
    """

    name: str
    trains: dict[Module, Branch] = Field(min_length=1)
    reference: Fed
    test: Fed
    patches: Literal["center", "random", "detection"]
    starts_from: tuple[str, ...]
    rates: dict[Module, float]
    paper: dict[Literal["S", "P", "NP"], float]

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if set(self.rates) != set(self.trains):
            raise ValueError(f"rates name {sorted(self.rates)}, trains name {sorted(self.trains)}")
        if (self.reference, self.test) not in {("tir", "rgb"), ("rgb", "tir"), ("rgb-tir", "tir-rgb"), ("rgb", "rgb")}:
            raise ValueError(f"feeding {self.reference} to reference and {self.test} to test is no row of Table 1")
        return self

    @property
    def mixed(self) -> bool:
        """Whether every pair enters twice, with the modalities swapped."""
        return self.reference == "rgb-tir"


class Rates(_Frozen):
    """Learning rates that override the recipe's; None keeps the recipe's."""

    tcl: float | None = Field(default=None, gt=0)
    bbe: float | None = Field(default=None, gt=0)


class TrainConfig(_Frozen):
    """Settings of one run; the defaults are the paper's.

    Attributes:
        shards: folders that ``cmd-prep mine`` wrote.
        recipe: a row of Table 1.
        tracker: the base tracker.
        init: weights to start from; none starts from seeded random weights. A resumed run has its own already.
        out: the run's folder.
        epochs: passes of ``samples_per_epoch`` draws.
        samples_per_epoch: pairs drawn an epoch.
        batch_size: pairs a step.
        device: torch device, or ``auto``.
        loader_workers: processes that read shards; 0 reads in the training process.
        seed: every draw is a function of (seed, epoch, draw, branch).
        rates: learning rates that replace the recipe's.
        gamma: the rates are multiplied by it every ``step`` epochs.
        step: epochs between two such steps.
        losses: ``tracker`` is the base tracker's own (LBHinge, IoU); ``paper`` is Eq. 2 and 3 to the letter.
        weight: lambda of Eq. 1, before L_BBE.
        mu: weight of the filter's squared norm in Eq. 2.
        nu: weight of the trained parameters' squared norm in Eq. 3.
        jitter: ``tracker`` is the base tracker's; ``none`` centres every window, which a bias alone can learn.
        held_out: share of the sequences that is kept out of training and measured after every epoch.
        held_out_samples: draws of that measurement; 0 leaves it out.
        split_seed: which sequences are held out is a function of it and of the sequence's name alone.
        head_steps: steps in which psi of Eq. 3 is fitted on RGB alone before it is frozen (losses ``paper``).
        resume: go on from ``out/state.pt``.
    """

    shards: tuple[Path, ...] = Field(min_length=1)
    recipe: str
    tracker: TrackerName = "dimp50"
    init: tuple[Path, ...] = ()
    out: Path
    epochs: int = Field(default=50, ge=1)
    samples_per_epoch: int = Field(default=26_000, ge=1)
    batch_size: int = Field(default=5, ge=1)
    device: str = "auto"
    loader_workers: int = Field(default=2, ge=0)
    seed: int = Field(default=0, ge=0, lt=2**32)
    rates: Rates = Rates()
    gamma: float = Field(default=0.5, gt=0, le=1)
    step: int = Field(default=15, ge=1)
    losses: Literal["tracker", "paper"] = "tracker"
    weight: float = Field(default=1.0, ge=0)
    mu: float = Field(default=0.0, ge=0)
    nu: float = Field(default=0.0, ge=0)
    jitter: Literal["tracker", "none"] = "tracker"
    held_out: float = Field(default=0.1, ge=0, lt=1)
    held_out_samples: int = Field(default=200, ge=0)
    split_seed: int = Field(default=0, ge=0, lt=2**32)
    head_steps: int = Field(default=400, ge=1)
    resume: bool = False

    def decisive(self) -> dict[str, Any]:
        """The settings that a resumed run must share with the run it goes on from, as JSON."""
        free = {"out", "device", "loader_workers", "resume", "epochs", "shards", "init"}
        return self.model_dump(mode="json", exclude=free)


def recipe_names() -> list[str]:
    """Names of the recipes that ship, sorted."""
    entries = files("trainer.recipes").iterdir()
    return sorted(entry.name.removesuffix(".yaml") for entry in entries if entry.name.endswith(".yaml"))


def load_recipe(name: str) -> Recipe:
    """Load a shipped recipe.

    Raises:
        UsageError: there is none of that name, or a key in it is unknown or wrong.
    """
    if name not in recipe_names():
        raise UsageError(f"no recipe {name!r}: there are {', '.join(recipe_names())}")
    text = (files("trainer.recipes") / f"{name}.yaml").read_text(encoding="utf-8")
    return parse_recipe(text, name)


def parse_recipe(text: str, name: str) -> Recipe:
    """Read a recipe from YAML.

    Raises:
        UsageError: it does not fit; the message names the recipe and the key.
    """
    try:
        return Recipe.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise UsageError(f"recipe {name}: not valid YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "recipe"
        raise UsageError(f"recipe {name}: {key}: {first['msg']}") from error


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
    try:
        return TrainConfig.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        fields = Rates.model_fields if first["loc"][0] == "rates" else TrainConfig.model_fields
        hint = f" (known settings: {', '.join(sorted(fields))})" if first["type"] == "extra_forbidden" else ""
        raise UsageError(f"setting {key}: {first['msg']}, got {first['input']!r}{hint}") from error


def _scalar(text: str) -> Any:
    """A value as YAML reads it, and ``1e-6`` as the number that people mean by it."""
    try:
        return float(text) if not text.lstrip("+-").isdigit() else int(text)
    except ValueError:
        return yaml.safe_load(text)
