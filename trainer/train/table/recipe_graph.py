"""``--recipe all``: the rows of Table 1 in order, each from the results of its parents."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass

from pipeline.runtime.asked import keep_settings
from pipeline.runtime.progress import Course
from trainer.data.shards import asked_for, of_kind
from trainer.recipes.effects import CONTROLS, idle_in
from trainer.recipes.geometry import geometry_of
from trainer.recipes.patch_kinds import mined_with
from trainer.recipes.recipe import Recipe, rows_of
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import TrainConfig
from trainer.train.table.ahead import refuse_ahead
from trainer.train.table.state import state_of

log = logging.getLogger(__name__)
OF_PAIRS = ("patches", "mix", "mix_pairs", *CONTROLS)
"""Settings of what is fed that some rows have no use for."""
LABELS = {"name", "patches", "beyond", "paper"}
"""What of two recipes may differ where one is the other on other patches."""


@dataclass(frozen=True)
class Step:
    """One row of the graph.

    Attributes:
        recipe: the row.
        config: its settings; None where it is left out.
        state: ``done``, ``to do``, ``to resume`` or ``left out``.
        why: the reason for leaving it out, or what it starts from.
    """

    recipe: Recipe
    config: TrainConfig | None
    state: str
    why: str

    @property
    def samples(self) -> int:
        """How many are to be trained on; 0 where nothing is, or was already."""
        if self.config is None or not self.recipe.trains or self.state == "done":
            return 0
        return self.config.epochs * self.config.samples_per_epoch

    def size(self) -> str:
        """How much is trained, as people read it; empty where nothing is."""
        if self.config is None or not self.recipe.trains:
            return ""
        return f"{self.config.epochs} epochs of {self.config.samples_per_epoch:,}"


@dataclass(frozen=True)
class TrainedTable:
    """All rows of a base tracker: those of Table 1, then those of tubes.

    Each comes after its parents, and says how far it is.
    """

    steps: tuple[Step, ...]

    def rows(self) -> list[tuple[object, ...]]:
        """What the command prints."""
        return [("recipe", "state", "", ""), *((s.recipe.name, s.state, s.why, s.size()) for s in self.steps)]


def plan_rows(config: TrainConfig) -> TrainedTable:
    """The rows of the base tracker, each after its parents; ``pretrain`` is asked for by its own name.

    Raises:
        UsageError: the runs in the folder were made with other settings, a loss compares what no row is fed, or no
            shards are of the patches that are asked for.
        DataError: a folder of shards has no readable index.
    """
    spec = geometry_of(config.tracker)
    steps: dict[str, Step] = {}
    losses = config.losses_of(spec)
    if config.patches:
        asked_for(config.shards, config.patches)
    for recipe in rows_of(spec):
        idle = idle_in(config, recipe, losses)
        compared = [
            loss.name for module, loss in zip(("tcl", "bbe"), losses) if loss.compares and module in recipe.trains
        ]
        steps[recipe.name] = _step(config, recipe, steps, idle, compared)
    return TrainedTable(tuple(steps.values()))


def checked_rows(config: TrainConfig) -> TrainedTable:
    """The rows, of which none would be refused when its turn comes.

    Raises:
        CmdTirError: one would, by its settings, its teacher or its shards; or what :func:`plan_rows` raises.
    """
    table = plan_rows(config)
    first = config.out / table.steps[0].recipe.name
    starts = (first,) if table.steps[0].state == "done" else config.init
    waiting = [step.config for step in table.steps if step.config and step.recipe.trains and step.state == "to do"]
    refuse_ahead(config, starts, waiting, first)
    return table


def train_rows(config: TrainConfig, train: Callable[[TrainConfig], object]) -> TrainedTable:
    """Run every row that is not done; return how far each is then.

    Args:
        config: settings of all rows; ``out`` holds a folder a row.
        train: runs one row.
    """
    steps = checked_rows(config).steps
    config.out.mkdir(parents=True, exist_ok=True)
    keep_settings(config.out)
    course = Course(sum(each.samples for each in steps))
    for number, each in enumerate(steps, 1):
        if each.state == "left out":
            log.warning("%s is left out: %s", each.recipe.name, each.why)
        elif each.state == "done" and each.recipe.trains:
            log.info("%s is done and kept", each.recipe.name)
        elif each.config:
            log.info("%s: row %d of %d, %s", each.recipe.name, number, len(steps), each.why)
            with course.piece(each.samples):
                train(each.config)
    return plan_rows(config.model_copy(update={"on_existing": "resume"}))


def _step(
    config: TrainConfig, recipe: Recipe, before: dict[str, Step], idle: Collection[str], compared: list[str]
) -> Step:
    """One row; ``compared`` are its losses that compare the modalities, which only one trained branch can."""
    wanted = (config.patches or recipe.patches) if recipe.patches else None
    if config.patches and wanted and (same := _same_but_for_patches(recipe, before)):
        return Step(recipe, None, "left out", f"with --patches {wanted} it is {same}")
    missing = [parent for parent in recipe.starts_from if before[parent].state == "left out"]
    if missing:
        return Step(recipe, None, "left out", f"{', '.join(missing)} is left out, and it starts from that")
    # The row that all start from sees every shard, and decides once for all what is held out.
    every = () if recipe.starts_from else config.shards
    shards = of_kind(config.shards, wanted) if wanted else every
    out = config.out / recipe.name
    parents = tuple(config.out / parent for parent in recipe.starts_from)
    # Rates, a teacher and a mix are told only to the rows that have a use for them.
    rates = {module: rate for module, rate in config.rates if rate is not None and f"rates.{module}" not in idle}
    teacher = config.teacher if "teacher" not in idle else "init"
    own = {
        "recipe": recipe.name,
        "out": out,
        "init": parents or config.init,
        "shards": shards,
        "rates": rates,
        "teacher": str(config.out / "a1") if teacher == "a1" else teacher,
    }
    own |= {name: TrainConfig.model_fields[name].default for name in OF_PAIRS if name in idle}
    # What nobody set is left to the row, which may have a default of its own.
    settings = TrainConfig.model_validate(config.model_dump(exclude_unset=True) | own)
    if compared and recipe.branch == "both":
        return Step(recipe, None, "left out", f"loss {compared[0]} is for rows that train one branch")
    if compared:
        resolve_row(settings)
    state = state_of(settings, recipe)
    if state != "done" and wanted and not shards:
        return Step(recipe, None, "left out", f"no --shards were mined with {mined_with(wanted)}")
    told = " + ".join(recipe.starts_from) or ", ".join(map(str, config.init)) or f"random weights, seed {config.seed}"
    return Step(recipe, settings, state, f"from {told}")


def _same_but_for_patches(recipe: Recipe, before: dict[str, Step]) -> str | None:
    """An earlier row that differs from one in its patches alone."""
    own = recipe.model_dump(exclude=LABELS)
    return next((name for name, step in before.items() if step.recipe.model_dump(exclude=LABELS) == own), None)
