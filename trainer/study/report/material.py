"""What a report is made of: the files of a study, as far as it went."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.errors import DataError
from pipeline.files.json_text import read_json
from pipeline.runtime.output import PLAN
from trainer.recipes.recipe import load_recipe, recipe_names
from trainer.study.judge import Arm, Scores, scores_of
from trainer.study.judge.findings import CANDIDATES, VERDICT
from trainer.study.judge.scores import A1, TEACHER_ON_RGB, TRIVIAL
from trainer.study.plan.run import PICTURES, Model
from trainer.study.results import RESULTS, ResultRow, read_results
from trainer.study.run.ledger import Ledger

ATTRIBUTES = "attributes.json"
ANSWERS = (TEACHER_ON_RGB, *TRIVIAL)
"""What a study measures and does not train."""
_ROWS = ("a1", "b1", "b2", "b3", "c1", "bc", "c1f", "d1", "d2", "d3", "d4", "d5", "t3", "k3")
_CONTROLS = (
    *("", "shuffled", "rgb-rgb", "gray", "tir-tir", "bn", "oracle"),
    *("features", "misalign-5", "misalign-10", "misalign-20"),
)


@dataclass(frozen=True)
class Material:
    """A study's files.

    Attributes:
        plan: content of ``plan.json``.
        rows: of ``results.jsonl``; empty where there is none yet.
        costs: CPU-seconds by id of a run of the plan that has ended.
        found: content of ``verdict.json``.
        attributes: names of what holds for a sequence, by sequence; from ``attributes.json``, where there is one, and
            otherwise ``day`` or ``night`` where a sequence's name has that word.
        pictures: name of a model that has results -> its pictures of test windows, in the same order for all.
    """

    plan: Mapping[str, Any]
    rows: Sequence[ResultRow]
    costs: Mapping[str, float]
    found: Mapping[str, Any]
    attributes: Mapping[str, Sequence[str]]
    pictures: Mapping[str, Sequence[Path]]

    @property
    def study(self) -> Mapping[str, Any]:
        """What decides the study's results."""
        return dict(self.plan["study"])

    @property
    def patches(self) -> str:
        """Of the chain that is judged."""
        return str(self.found["patches"])

    @property
    def verdicts(self) -> dict[str, Any]:
        """By the row that each is on, d3's first."""
        told = self.found["verdicts"]
        return {name: told[name] for name in CANDIDATES if name in told}

    @cached_property
    def scores(self) -> Scores:
        """The deciding figure on the sequences of the test."""
        return scores_of(self.rows, self.found["deciding"], self.patches)

    def models(self, test: str = "two-frame", measure: str = "", patches: str = "") -> list[dict[str, Any]]:
        """Figures of all models by one measure, in the order in which they are shown.

        Args:
            test: of the figures.
            measure: empty is the deciding one.
            patches: empty is the judged ones.
        """
        wanted = test, measure or self.found["deciding"], patches or self.patches
        chosen = [each for each in self.found["models"] if (each["test"], each["measure"], each["patches"]) == wanted]
        return sorted(chosen, key=lambda each: place(arm_of(each)))


def load(study: Path) -> Material:
    """Read a study's files.

    Raises:
        DataError: ``plan.json`` or ``verdict.json`` is missing, or a file does not fit.
    """
    rows = read_results(study / RESULTS) if (study / RESULTS).is_file() else []
    plan: dict[str, Any] = read_json(study / PLAN)
    planned = {run["id"] for run in plan.get("runs", [])}
    measured = {Model(row.row, row.control, row.seed).name for row in rows}
    return Material(
        plan,
        rows,
        {name: cost.cpu_s for name, cost in Ledger(study).costs.items() if name in planned},
        read_json(study / VERDICT),
        _attributes(study / ATTRIBUTES, {row.sequence for row in rows}),
        {
            folder.name: sorted(folder.glob("*.png"))
            for folder in sorted((study / PICTURES).glob("*"))
            if folder.is_dir() and folder.name in measured
        },
    )


def arm_of(figures: Mapping[str, Any]) -> Arm:
    """The model that an entry of ``verdict.json`` is of."""
    return Arm(figures["row"], figures["control"])


def place(arm: Arm) -> tuple[int, int, str]:
    """Sort key: rows in the order of Table 1, then controls in that of the study, then answers without training."""
    if arm.row in ANSWERS:
        return len(_CONTROLS) + 1, ANSWERS.index(arm.row), arm.row
    row = _ROWS.index(arm.row) if arm.row in _ROWS else len(_ROWS)
    control = _CONTROLS.index(arm.control) if arm.control in _CONTROLS else len(_CONTROLS)
    return control, row, arm.row


def paper_gain(arm: Arm) -> float | None:
    """What the paper's row has over its a1 in success on LSOTB-TIR, 0 to 1; None where it has no such row."""
    if arm.control or arm == A1 or arm.row not in recipe_names():
        return None
    first, base = load_recipe(arm.row).paper, load_recipe(A1.row).paper
    return round((first["S"] - base["S"]) / 100, 4) if "S" in first else None


def _attributes(path: Path, sequences: set[str]) -> dict[str, list[str]]:
    if not path.is_file():
        found = {name: [word for word in _words(name) if word in ("day", "night")] for name in sorted(sequences)}
        return {name: words for name, words in found.items() if words}
    told = read_json(path)
    if not all(isinstance(words, list) for words in told.values()):
        raise DataError(f"{path}: expected a list of attributes for each sequence: mend it, or remove it")
    return {name: [str(word) for word in words] for name, words in told.items() if isinstance(words, list)}


def _words(name: str) -> list[str]:
    return re.split(r"[^a-z]+", name.lower())
