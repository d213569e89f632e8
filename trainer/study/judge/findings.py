"""All that a study found, as ``verdict.json``: the verdicts first, then what is told and not judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.files.hashing import file_sha256
from pipeline.files.json_text import read_json, write_json
from pipeline.runtime.asked import MADE_BY, made_by
from pipeline.runtime.output import PLAN
from trainer.study.judge.contrasts import Contrast, contrast, share, slope, weighed
from trainer.study.judge.rules import ORACLE
from trainer.study.judge.scores import A1, DECIDING, Arm, Scores, scores_of
from trainer.study.judge.verdict import judge
from trainer.study.results import RESULTS, ResultRow, read_results

VERDICT = "verdict.json"
INPUTS = ("init", "pairs", "tests", "select", "boxes")
"""Of a study's plan what are hashes of files that went in; those of real data only where there are such."""
CANDIDATES = ("d3", "t3", "k3")
"""Rows that are judged, each in a verdict of its own."""
CHAIN = Arm("bc")
MISALIGNED = {CHAIN: 0.0} | {Arm("bc", f"misalign-{shift}"): float(shift) for shift in (5, 10, 20)}
"""Models by the pixels that their thermal pictures were shifted by."""


def write_verdict(study: Path) -> dict[str, Any]:
    """Judge a study's results and write ``verdict.json``; return what it holds.

    Raises:
        DataError: ``plan.json`` or ``results.jsonl`` is missing or does not fit.
    """
    plan: dict[str, Any] = read_json(study / PLAN)
    found = find(read_results(study / RESULTS), plan["study"]["patches"])
    inputs = {name: plan["study"].get(name) for name in INPUTS} | {"results": file_sha256(study / RESULTS)}
    write_json(study / VERDICT, found | {MADE_BY: made_by(inputs, np)})
    return found


def find(rows: Sequence[ResultRow], patches: str) -> dict[str, Any]:
    """What rows say.

    Args:
        rows: of a study, all of them or as far as it went.
        patches: the method of the chain that is judged.
    """
    deciding = deciding_measure(rows)
    scores = scores_of(rows, deciding, patches)
    judged = [name for name in CANDIDATES if name == "d3" or Arm(name) in scores.values]
    moved = {model: shift for model, shift in MISALIGNED.items() if model in scores.values}
    return {
        "deciding": deciding,
        "patches": patches,
        "sequences": len(scores.sequences),
        "clips": len(set(scores.clips.tolist())),
        "verdicts": {name: judge(scores, name).told() for name in judged},
        "share_of_headroom": {name: share(scores, Arm(name), A1, ORACLE) for name in judged},
        "misalignment": {
            "gains": [{"shift": shift, "gain": _told(contrast(scores, m, A1))} for m, shift in moved.items()],
            "slope_per_pixel": _told(slope(scores, moved, "slope")) if len(moved) > 1 else None,
        },
        "features": _told(contrast(scores, CHAIN, Arm("bc", "features"))),
        "rates": _rates(rows, deciding, patches),
        "models": _models(rows, patches),
    }


def deciding_measure(rows: Sequence[ResultRow]) -> str:
    """Name of the figure that decides."""
    there = {row.measure for row in rows}
    return next((measure for measure in DECIDING if measure in there), DECIDING[0])


def _rates(rows: Sequence[ResultRow], measure: str, patches: str) -> list[dict[str, Any]]:
    """The deciding figure on the scenes that choose rates, by model and rate."""
    tried = [row for row in rows if row.set == "select" and row.rate_scale is not None]
    told: list[dict[str, Any]] = []
    for rate in sorted({row.rate_scale for row in tried if row.rate_scale is not None}):
        scores = scores_of(rows, measure, patches, subset="select", rate_scale=rate)
        trained = {Arm(row.row, row.control) for row in tried if row.rate_scale == rate} & set(scores.values)
        told += [
            {"row": model.row, "control": model.control, "rate_scale": rate} | _figures(scores, model)
            for model in sorted(trained)
        ]
    return told


def _models(rows: Sequence[ResultRow], judged: str) -> list[dict[str, Any]]:
    """Every model by every figure: its mean, and what it has over a1; those of the judged patches first."""
    methods = {row.patches for row in rows if row.seed is not None and row.patches not in (None, judged)}
    told: list[dict[str, Any]] = []
    for patches in (judged, *sorted(method for method in methods if method is not None)):
        for test, measure in sorted({(row.test, row.measure) for row in rows if row.set == "test"}):
            scores = scores_of(rows, measure, patches, test=test)
            drawn = (model for model, seeds in scores.values.items() if patches == judged or None not in seeds)
            said = {"patches": patches, "test": test, "measure": measure}
            told += [
                said | {"row": model.row, "control": model.control} | _figures(scores, model) for model in sorted(drawn)
            ]
    return told


def _figures(scores: Scores, model: Arm) -> dict[str, Any]:
    return {
        "mean": _told(weighed(scores, {model: 1.0}, model.name)),
        "gain": None if model == A1 else _told(contrast(scores, model, A1)),
    }


def _told(found: Contrast | None) -> dict[str, object] | None:
    return None if found is None else found.told()
