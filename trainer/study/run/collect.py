"""What the measurements of a study found, as rows: from the files that ``two-frame`` and ``cmd-eval`` write."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.errors import DataError, first_fault
from pipeline.files.json_text import read_json
from pipeline.runtime.asked import again
from trainer.study.judge import deciding_measure
from trainer.study.plan.order import CANDIDATE
from trainer.study.plan.plan import Plan
from trainer.study.plan.run import Model, Run, model_of
from trainer.study.results import ResultRow
from trainer.study.run.rates import filled

METRICS = "metrics.json"
STUDENT = "student"
"""What a FOUND file calls the answer of its checkpoint; others need no network, and are called by their own names."""
_RATE = "rate_scale="


def collect(study: Path, plan: Plan, sets: Collection[str] = ("select", "test")) -> list[ResultRow]:
    """The rows of all measurements of some sets that are there, each once.

    Args:
        study: the study's folder.
        plan: of the study.
        sets: whose measurements are taken.

    Raises:
        DataError: a file does not hold what it should.
    """
    rates = _Rates(study, plan.runs)
    rows: dict[ResultRow, None] = {}
    for run in plan.runs:
        if run.set and run.set in sets and (study / run.makes).exists():
            for path in _files(study / run.makes, run):
                try:
                    found = [_row(run, rates, plan, entry) for entry in _entries(path, run)]
                except ValidationError as error:
                    fault = first_fault(error)
                    raise DataError(f"{path}: {fault.key}: {fault.message}: {_again(study, run)}") from error
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    raise DataError(f"{path}: not what a study measures: {_again(study, run)}") from error
                # The answers that need no network are in the file of every model.
                rows |= dict.fromkeys(found)
    return list(rows)


def tries(rows: Sequence[ResultRow], control: str) -> dict[float, list[float]]:
    """The deciding figure of d3 under a control on the scenes for that, by the rate that was tried.

    Args:
        rows: of the set ``select``.
        control: empty for true pairs.
    """
    measure = deciding_measure(rows)
    found: dict[float, list[float]] = {}
    for row in rows:
        if (row.row, row.control, row.measure) == (CANDIDATE, control, measure) and row.rate_scale is not None:
            found.setdefault(row.rate_scale, []).append(row.value)
    return found


def _again(study: Path, run: Run) -> str:
    return f"remove {study / run.makes}, and go on: {again() or 'run the same again'}"


def _files(made: Path, run: Run) -> list[Path]:
    """The files of a measurement; a folder may hold those of models that a larger budget had measured there too."""
    if not made.is_dir():
        return [made]
    asked = {word.partition("=")[0] for word in run.command if "=" in word}
    return sorted(path for path in made.glob("*.json") if path.stem in asked)


Entry = tuple[Model, dict[str, Any]]
"""A model, or the name of an answer as its row; and what was found."""


def _entries(path: Path, run: Run) -> Iterator[Entry]:
    content = read_json(path)
    if path.name == METRICS:
        yield from _of_evaluation(content, run)
        return
    modality = content["modality"]
    rows: Any = content["rows"]
    for row in rows:
        model = model_of(path.stem) if row["answer"] == STUDENT else Model(row["answer"])
        told = {name: row[name] for name in ("sequence", "measure", "value", "windows")}
        yield model, told | {"modality": modality, "test": "two-frame"}


def _of_evaluation(content: Mapping[str, Any], run: Run) -> Iterator[Entry]:
    for name, tracker in content["trackers"].items():
        model = model_of(name) if "~" in name else Model(name)
        for sequence, scores in tracker["sequences"].items():
            for measure, value in scores.items():
                if value is not None:
                    # A sequence is scored as a whole.
                    told = {"sequence": sequence, "measure": measure, "value": value, "windows": 1}
                    yield model, told | {"modality": run.modality, "test": "ope"}


def _row(run: Run, rates: _Rates, plan: Plan, entry: Entry) -> ResultRow:
    model, found = entry
    return ResultRow(
        row=model.row,
        control=model.control,
        seed=model.seed,
        patches=None if model.seed is None else run.patches or str(plan.study["patches"]),
        rate_scale=model.rate if model.rate is not None else rates.of(model, run),
        set="select" if run.set == "select" else "test",
        clip=plan.clips.get(found["sequence"], found["sequence"]),
        **found,
    )


class _Rates:
    """What the rates of each model were multiplied by, as the words say by which it was trained."""

    def __init__(self, study: Path, runs: Sequence[Run]) -> None:
        self._study = study
        self._by_id = {run.id: run for run in runs}
        self._found: dict[tuple[Model, str], float | None] = {}

    def of(self, model: Model, measured: Run) -> float | None:
        """Of a model, looked for among what its measurement needs, the nearest first; None for one without a seed."""
        key = (model, measured.id)
        if key not in self._found:
            self._found[key] = None if model.seed is None else self._search(model, measured)
        return self._found[key]

    def _search(self, model: Model, measured: Run) -> float | None:
        made = [run for run in self._needed(measured) if (run.row, run.control, run.seed) == model[:3]]
        for run in (each for maker in made for each in (maker, *self._needed(maker))):
            for word in run.command:
                if word.startswith(_RATE) and run.seed is not None:
                    return float(filled(word.removeprefix(_RATE), self._study))
        return None

    def _needed(self, run: Run) -> Iterator[Run]:
        seen, waiting = {run.id}, deque(run.needs)
        while waiting:
            name = waiting.popleft()
            if name not in seen:
                seen.add(name)
                yield self._by_id[name]
                waiting.extend(self._by_id[name].needs)
