"""Recipes: the rows of the paper's Table 1 as data."""

from __future__ import annotations

import functools
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from pipeline.config import recorded
from pipeline.errors import UsageError, did_you_mean, first_fault
from pipeline.files.hashing import file_sha256
from pipeline.files.yaml_text import parse_yaml
from trainer.recipes.geometry import TrackerSpec
from trainer.recipes.patch_kinds import PatchKind

Module = Literal["bbe", "tcl", "backbone"]
Branch = Literal["reference", "test", "both"]
Fed = Literal["rgb", "tir", "rgb-tir", "tir-rgb"]

NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
"""YAML's words for no value; the files are read as text alone."""
PAIRED_FEEDS = {("tir", "rgb"), ("rgb", "tir"), ("rgb-tir", "tir-rgb")}
"""What the (reference, test) branch of a row that distils may be fed."""


class Recipe(BaseModel):
    """One row of Table 1.

    Attributes:
        name: the row.
        base: which base tracker the row belongs to; ``any`` fits all.
        trains: module -> the branch of it that is trained; empty for a row that only merges weights.
        reference: what the reference branch is fed; ``rgb-tir`` with ``tir-rgb`` on the other one is a mix.
        test: what the test branch is fed.
        patches: kind of the patches that the row draws (:mod:`.patch_kinds`), of a method that ships or one's own; None
            where it trains nothing.
        starts_from: rows whose result it starts from; ``a1`` is the base tracker itself.
        rates: learning rate of each trained module; ``tracker`` is what the base tracker was trained with.
        settings: defaults of the row's own, by names of settings of a run.
        beyond: whether the paper has no such row.
        paper: S, P and NP that the paper reports on LSOTB-TIR, in %; for ATOM the gain over ATOM.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    base: Literal["dimp", "atom", "any"]
    trains: dict[Module, Branch]
    reference: Fed
    test: Fed
    patches: Annotated[
        PatchKind | None,
        BeforeValidator(lambda text: None if text in NOTHING else text),
    ] = None
    starts_from: tuple[str, ...]
    rates: dict[Module, float] | Literal["tracker"]
    settings: dict[str, str] = {}
    beyond: bool = False
    paper: dict[Literal["S", "P", "NP"], float]

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if self.rates != "tracker" and set(self.rates) != set(self.trains):
            raise ValueError(f"rates name {sorted(self.rates)}, trains name {sorted(self.trains)}")
        if own := self.settings.keys() & {"recipe", "tracker", "rates"}:
            raise ValueError(f"settings cannot name {sorted(own)[0]}")
        if bool(self.trains) != bool(self.patches):
            raise ValueError("patches go with a row that trains something, and only with one")
        if len(set(self.trains.values())) > 1:
            raise ValueError("the modules of a row are trained on the same branch")
        if "backbone" in self.trains and (self.reference, self.test) != ("rgb", "rgb"):
            raise ValueError("the backbone is trained on RGB alone")
        if self.trains and "backbone" not in self.trains and not (self.distils or self.answers):
            raise ValueError(f"feeding {self.reference} to reference and {self.test} to test is no row of Table 1")
        return self

    def record(self) -> dict[str, Any]:
        """The row as it is written down: what came later only where it has it."""
        return recorded(self.model_dump(mode="json"), {"settings": {}, "beyond": False})

    @property
    def mixed(self) -> bool:
        """Whether both modalities enter both branches."""
        return self.reference == "rgb-tir"

    @property
    def distils(self) -> bool:
        """Whether it is fed RGB on one branch and TIR on the other."""
        return (self.reference, self.test) in PAIRED_FEEDS

    @property
    def answers(self) -> bool:
        """Whether it is fed TIR on both branches, and learns what its teacher answers on RGB; no row of the paper's."""
        return (self.reference, self.test) == ("tir", "tir") and self.settings.get("losses") == "answers"

    @property
    def branch(self) -> Branch:
        """The branch that is trained; ``both`` where nothing is."""
        return next(iter(self.trains.values()), "both")

    def fits(self, spec: TrackerSpec) -> bool:
        """Whether the row is one of a base tracker's: ATOM's have no classifier, NanoTrack's shares no features."""
        if self.trains_shared and not spec.shared:
            return False
        return self.base == "any" or (self.base == "dimp") == spec.classifier

    @property
    def trains_shared(self) -> bool:
        """Whether the row is of its own that it trains the features that the classifier's branches share."""
        return self.settings.get("tcl_features") == "trained"

    @property
    def pretrains(self) -> bool:
        """Whether the row trains a base tracker itself, not a branch of one."""
        return "backbone" in self.trains

    def trained(self, spec: TrackerSpec, backbone: str = "tracker") -> tuple[Module, ...]:
        """The modules that the row trains of a base tracker: ATOM has no classifier that is trained offline.

        With the base tracker's rates it is what that was trained of itself: of ATOM's backbone nothing. ``backbone`` is
        the setting.
        """
        missing = {"tcl"} if not spec.classifier else set()
        if self.rates == "tracker":
            missing |= self.trains.keys() - spec.pretrain_rates.keys()
        if backbone != "tracker":
            missing = missing - {"backbone"} if backbone == "learns" else missing | {"backbone"}
        return tuple(module for module in self.trains if module not in missing)

    def rate(self, module: Module, spec: TrackerSpec) -> float:
        """The learning rate of a trained module; a backbone that had none of its own learns as the box branch did."""
        if self.rates != "tracker":
            return self.rates[module]
        return spec.pretrain_rates.get(module, spec.pretrain_rates["bbe"])


def recipe_names() -> list[str]:
    """Names of the recipes that ship, every one after those it starts from."""
    return list(_shipped())


def load_recipe(name: str) -> Recipe:
    """A shipped recipe by its name, or one's own by its file.

    Raises:
        UsageError: there is none of that name, the file cannot be read, or a key in it is unknown or wrong.
    """
    shipped = _shipped()
    if name in shipped:
        return shipped[name]
    if not _is_file_name(name):
        meant = did_you_mean(name, shipped)
        raise UsageError(f"no recipe {name!r}: {meant}there are {', '.join(shipped)}, and all, or give a FILE.yaml")
    recipe = read_recipe(Path(name), name)
    if recipe.name in shipped or recipe.name == "all":
        raise UsageError(f"recipe {name}: name: {recipe.name} is taken by a recipe that ships: choose another")
    # Of every parent but the first it is taken what that parent's row trains.
    if unknown := [parent for parent in recipe.starts_from[1:] if parent not in shipped]:
        raise UsageError(f"recipe {name}: starts_from: {unknown[0]} is none of {', '.join(shipped)}: merge by hand")
    return recipe


def rows_of(spec: TrackerSpec) -> list[Recipe]:
    """The rows of a base tracker, as they ship: those of Table 1, then those of tubes; not ``pretrain`` and ``k3``."""
    return [recipe for recipe in _shipped().values() if recipe.fits(spec) and not (recipe.pretrains or recipe.answers)]


def recipe_sha256(name: str) -> str | None:
    """SHA-256 of a recipe's file; None for one that ships, whose version is ours."""
    return file_sha256(Path(name)) if name not in _shipped() and _is_file_name(name) else None


def merging_recipe(spec: TrackerSpec) -> Recipe:
    """The shipped row of a base tracker that merges its two trained branches, as b3 does."""
    merging = [recipe for recipe in _shipped().values() if len(recipe.starts_from) == 2 and not recipe.trains]
    return next(recipe for recipe in merging if recipe.fits(spec))


def read_recipe(file: Path | Traversable, name: str) -> Recipe:
    """Read a recipe from a YAML file.

    Raises:
        UsageError: it cannot be read or does not fit; the message names the recipe and the key.
    """
    try:
        return Recipe.model_validate(parse_yaml(file, f"recipe {name}"))
    except ValidationError as error:
        fault = first_fault(error)
        raise UsageError(f"recipe {name}: {fault.key or 'recipe'}: {fault.message}") from error


@functools.cache
def _shipped() -> dict[str, Recipe]:
    """Every recipe that ships, a file each: what makes a teacher, rows of any tracker, of DiMP, of ATOM, others."""
    shipped = [file for file in files("trainer.recipes.table1").iterdir() if file.name.endswith(".yaml")]
    recipes = {recipe.name: recipe for recipe in (read_recipe(file, file.name) for file in shipped)}
    placed: dict[str, Recipe] = {}

    def place(recipe: Recipe) -> None:
        for parent in recipe.starts_from:
            place(recipes[parent])
        placed.setdefault(recipe.name, recipe)

    order = ("any", "dimp", "atom")
    for recipe in sorted(recipes.values(), key=lambda r: (not r.pretrains, r.beyond, order.index(r.base), r.name)):
        place(recipe)
    return placed


def _is_file_name(name: str) -> bool:
    return Path(name).suffix in (".yaml", ".yml")
