"""Rows of ``results.jsonl``: one a model, sequence and measure, sorted, without a time in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.errors import DataError
from pipeline.records import Row, read_rows, write_rows

RESULTS = "results.jsonl"
DIGITS = 6
"""Kept of a value: what threads' order changes lies below."""


class ResultRow(Row):
    """One figure of one model on one sequence. The fields stand in the order of their names, and so do a line's keys.

    Attributes:
        clip: what intervals draw by: the recording that the sequence is of, or the sequence itself.
        control: what the pairs were replaced by; empty for true pairs.
        measure: name of the figure, such as ``iou_from_peak``.
        modality: of the pictures on both branches.
        patches: the method whose patches the chain learned from; of no account where there is no seed.
        rate_scale: that all of the recipes' rates were multiplied by; None where nothing was trained.
        row: of the paper's Table 1 or beyond it; of an answer that takes no network, its name.
        seed: of the model; None where there is one for all seeds.
        sequence: its name.
        set: ``select`` of the scenes on which rates are chosen.
        test: what was done on the sequence.
        value: mean over the sequence's windows or frames.
        windows: how many those are.
    """

    clip: str
    control: str = ""
    measure: str
    modality: Literal["tir", "rgb"] = "tir"
    patches: str | None = None
    rate_scale: float | None = Field(default=None, gt=0)
    row: str
    seed: int | None = Field(default=None, ge=0)
    sequence: str
    set: Literal["test", "select"] = "test"
    test: Literal["two-frame", "ope"] = "two-frame"
    value: float
    windows: int = Field(ge=1)


def write_results(path: Path, rows: Iterable[ResultRow]) -> int:
    """Write rows, sorted and rounded, whole or not at all; return how many.

    Raises:
        DataError: two rows are of the same thing, or a sequence is of two clips.
    """
    ordered = sorted((row.model_copy(update={"value": round(row.value, DIGITS) + 0.0}) for row in rows), key=_place)
    _refuse_contradictions(path, ordered)
    return write_rows(path, ordered)


def read_results(path: Path) -> list[ResultRow]:
    """The rows of a file, sorted.

    Raises:
        DataError: the file is missing, or a line does not fit; two rows are of the same thing, or a sequence is of two
            clips.
    """
    rows = sorted(read_rows(path, ResultRow), key=_place)
    _refuse_contradictions(path, rows)
    return rows


def _place(row: ResultRow) -> tuple[tuple[bool, object], ...]:
    """All of a row but what was found, as what sorts: None comes first."""
    found = row.model_dump(exclude={"value", "windows"})
    return tuple((value is not None, value if value is not None else 0) for value in found.values())


def _refuse_contradictions(path: Path, rows: list[ResultRow]) -> None:
    clips: dict[tuple[str, str], str] = {}
    for row, after in zip(rows, [*rows[1:], None]):
        if after is not None and _place(row) == _place(after):
            told = f"{row.measure} of {row.row} {row.control}".strip()
            raise DataError(f"{path}: two rows of {told}, seed {row.seed}, on {row.sequence}: remove one")
        if clips.setdefault((row.set, row.sequence), row.clip) != row.clip:
            raise DataError(f"{path}: {row.sequence} is of two clips, {row.clip} and another: mend the rows")
