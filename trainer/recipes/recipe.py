"""Recipes: the rows of the paper's Table 1 as data."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from pipeline.errors import UsageError
from trainer.recipes.base_trackers import TrackerSpec

Module = Literal["bbe", "tcl", "backbone"]
Branch = Literal["reference", "test", "both"]
Fed = Literal["rgb", "tir", "rgb-tir", "tir-rgb"]

PAIRED_FEEDS = {("tir", "rgb"), ("rgb", "tir"), ("rgb-tir", "tir-rgb")}
"""What the (reference, test) branch of a row that distils may be fed."""


class Recipe(BaseModel):
    """One row of Table 1.

    Attributes:
        name: the row.
        base: which base tracker the row belongs to; ``any`` fits all.
        trains: module -> the branch of it that is trained; empty for a row that only puts weights together.
        reference: what the reference branch is fed; ``rgb-tir`` with ``tir-rgb`` on the other one is a mix.
        test: what the test branch is fed.
        patches: mining method of the shards the row wants; None where it trains nothing.
        starts_from: rows whose result it starts from; ``a1`` is the base tracker itself.
        rates: learning rate of each trained module; ``tracker`` is what the base tracker was trained with.
        paper: S, P and NP that the paper reports on LSOTB-TIR, in %; for ATOM the gain over ATOM.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    base: Literal["dimp", "atom", "any"]
    trains: dict[Module, Branch]
    reference: Fed
    test: Fed
    patches: Literal["center", "random", "detection"] | None = None
    starts_from: tuple[str, ...]
    rates: dict[Module, float] | Literal["tracker"]
    paper: dict[Literal["S", "P", "NP"], float]

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if self.rates != "tracker" and set(self.rates) != set(self.trains):
            raise ValueError(f"rates name {sorted(self.rates)}, trains name {sorted(self.trains)}")
        if bool(self.trains) != bool(self.patches):
            raise ValueError("patches go with a row that trains something, and only with one")
        if len(set(self.trains.values())) > 1:
            raise ValueError("the modules of a row are trained on the same branch")
        if "backbone" in self.trains and (self.reference, self.test) != ("rgb", "rgb"):
            raise ValueError("the backbone is trained on RGB alone")
        if self.trains and "backbone" not in self.trains and (self.reference, self.test) not in PAIRED_FEEDS:
            raise ValueError(f"feeding {self.reference} to reference and {self.test} to test is no row of Table 1")
        return self

    @property
    def mixed(self) -> bool:
        """Whether both modalities enter both branches."""
        return self.reference == "rgb-tir"

    @property
    def branch(self) -> Branch:
        """The branch that is trained; ``both`` where nothing is."""
        return next(iter(self.trains.values()), "both")

    def fits(self, spec: TrackerSpec) -> bool:
        """Whether the row is one of a base tracker's."""
        return self.base == "any" or (self.base == "dimp") == spec.classifier

    def trained(self, spec: TrackerSpec) -> tuple[Module, ...]:
        """The modules that the row trains of a base tracker: ATOM has no classifier that is trained offline."""
        return tuple(module for module in self.trains if module != "tcl" or spec.classifier)

    def rate(self, module: Module, spec: TrackerSpec) -> float:
        """The learning rate of a trained module."""
        return spec.pretrain_rates[module] if self.rates == "tracker" else self.rates[module]


def recipe_names() -> list[str]:
    """Names of the recipes that ship: Table 1 from top to bottom, every row after those it starts from."""
    dimp = ["pretrain", "a1", "b1", "b2", "b3", "c1", "d1", "d2", "d3", "d4", "d5"]
    return [*dimp, "atom_b1", "atom_b2", "atom_b3", "atom"]


def load_recipe(name: str) -> Recipe:
    """Load a shipped recipe.

    Raises:
        UsageError: there is none of that name, or a key in it is unknown or wrong.
    """
    if name not in recipe_names():
        raise UsageError(f"no recipe {name!r}: there are {', '.join(recipe_names())}, and all")
    text = (files("trainer.recipes.table1") / f"{name}.yaml").read_text(encoding="utf-8")
    return parse_recipe(text, name)


def parse_recipe(text: str, name: str) -> Recipe:
    """Read a recipe from YAML.

    Raises:
        UsageError: it does not fit; the message names the recipe and the key.
    """
    try:
        content: Any = yaml.safe_load(text)
        return Recipe.model_validate(content)
    except yaml.YAMLError as error:
        raise UsageError(f"recipe {name}: not valid YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "recipe"
        raise UsageError(f"recipe {name}: {key}: {first['msg']}") from error
