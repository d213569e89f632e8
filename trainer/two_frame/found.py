"""``FOUND.json``: what one network found, a row a sequence, answer and figure; but for ``made_by`` no time, no path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.config import OnExisting
from pipeline.errors import DataError, UsageError
from pipeline.files.json_text import read_json
from pipeline.files.names import same
from pipeline.runtime.asked import MADE_BY, anew, made_by
from pipeline.runtime.output import refuse_existing
from trainer.measure.summary import figures
from trainer.resampling import rounded
from trainer.two_frame.measure import Means

TEST = "two-frame"
"""What ``test`` in such a file says."""


def content_of(about: Mapping[str, Any], means: Mapping[str, Means], windows: int) -> dict[str, Any]:
    """What such a file holds.

    Args:
        about: the checkpoint and the test.
        means: by sequence.
        windows: of each sequence.
    """
    rows = [
        {"sequence": sequence, "answer": answer, "measure": figure, "value": rounded(value), "windows": windows}
        for sequence, answers in means.items()
        for answer, told in answers.items()
        for figure, value in told.items()
    ]
    rows.sort(key=lambda row: (row["sequence"], row["answer"], row["measure"]))
    told = _figures(means, about["modality"], about["seed"])
    made = made_by({"checkpoint": about["checkpoint"], "windows": about["key"]}, torch, np)
    return {"test": TEST, **about, "figures": told, "rows": rows, MADE_BY: made}


def _figures(means: Mapping[str, Means], modality: str, seed: int) -> Any:
    """Means over sequences with their intervals: figure -> answer, and how much the student has above each other."""
    names = sorted(means)
    first = means[names[0]]
    scores = {
        answer: {modality: {figure: [means[name][answer][figure] for name in names] for figure in told}}
        for answer, told in first.items()
    }
    return figures(scores, seed)[modality]


def keeps(path: Path, about: Mapping[str, Any], on_existing: OnExisting) -> dict[str, Any] | None:
    """The content of a file that is there already and is kept; None where it is to be written.

    Raises:
        UsageError: it is of other windows or weights, or not such a file, or it was not to be there.
    """
    if not path.exists():
        return None
    if on_existing == "fail":
        refuse_existing(path.parent, path.name)
    try:
        known: dict[str, Any] = read_json(path)
    except DataError:
        known = {}
    if known.get("test") != TEST:
        raise UsageError(f"--out {path}: is no file of this command and is left alone: choose another")
    if on_existing == "overwrite":
        return None
    if differ := [name for name, value in about.items() if known.get(name) != value]:
        raise UsageError(f"--out {path}: was measured otherwise ({', '.join(differ)}): {anew()}")
    return known


def out_files(out: Path, names: Sequence[str | None]) -> list[Path]:
    """Where the figures of each checkpoint go: ``out`` itself, or a file in it by the checkpoint's name.

    Raises:
        UsageError: names that are missing, cannot be those of files or are equal; or what is there is a folder where a
            file belongs, or the other way round.
    """
    given = [name for name in names if name is not None]
    if len(given) < len(names) > 1:
        raise UsageError("several checkpoints need names, by which their figures are called: give NAME=CHECKPOINT each")
    if odd := [name for name in given if Path(name).name != name or name.startswith(".")]:
        raise UsageError(f"{odd[0]}=CHECKPOINT: the name cannot be that of a file: choose another")
    known = [same(name) for name in given]
    if twins := [name for name in given if known.count(same(name)) > 1]:
        raise UsageError(f"{twins[0]}=CHECKPOINT: two checkpoints have that name: choose another for one of them")
    if out.exists() and out.is_dir() != bool(given):
        fault = "no folder: give one, for NAME.json" if given else "a folder: give a file, or NAME=CHECKPOINT"
        raise UsageError(f"--out {out}: is {fault}")
    return [out / f"{name}.json" if name else out for name in names]
