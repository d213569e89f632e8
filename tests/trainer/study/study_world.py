"""A folder of a study that nobody ran: results, costs, attributes and pictures of a planted world."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from trainer.study.judge import Arm, Scores, write_verdict
from trainer.study.results import ResultRow, write_results

from .planted import planted, rows_of

GAINS = {
    **{"b1": 0.02, "b2": 0.03, "b3": 0.05, "c1": 0.02, "d1": 0.06, "d2": 0.07, "d3": 0.08, "d5": 0.06, "t3": 0.09},
    **{"shuffled": 0.03, "rgb-rgb": 0.02, "gray": 0.04, "tir-tir": 0.03, "oracle": 0.17},
}
CHAIN = {"": 0.06, "misalign-5": 0.055, "misalign-10": 0.04, "misalign-20": 0.01, "features": 0.02}


def results(sequences: int = 40, gains: Mapping[str, float] = GAINS, seeds: int = 3) -> list[ResultRow]:
    """Rows of every kind that a study has."""
    scores = planted(gains, 0, sequences=sequences, seeds=seeds, seed_deviation=1.0)
    named = {name: f"{'night' if i % 3 else 'day'}-{i:03}" for i, name in enumerate(scores.sequences)}
    a1 = scores.values[Arm("a1")][None]
    rng = np.random.default_rng(1)
    more: dict[Arm, dict[int | None, np.ndarray]] = {
        Arm("bc", control): {k: a1 + gain + rng.normal(0, 0.02, sequences) for k in range(seeds)}
        for control, gain in CHAIN.items()
    }
    more |= {Arm("a1", "bn"): {k: a1 + rng.normal(0, 0.01, sequences) for k in range(seeds)}}
    more |= {Arm("the middle"): {None: a1 * 0.3}, Arm("the reference's box kept"): {None: a1 * 0.4}}
    rows = rows_of(Scores(scores.sequences, scores.clips, {**scores.values, **more}))
    rgb = Scores(scores.sequences, scores.clips, {Arm("a1"): {None: a1 + 0.2}})
    rows += rows_of(rgb, modality="rgb")
    rows += rows_of(Scores(scores.sequences, scores.clips, {Arm("a1"): {None: 10 - a1}}), "peak_error")
    rows += rows_of(Scores(scores.sequences, scores.clips, {Arm("a1"): {None: a1 + 0.1}}), "success", test="ope")
    for rate, less in ((10.0, 0.03), (100.0, 0.0), (1000.0, 0.05)):
        tried = {m: {0: v[0] - less} for m, v in scores.values.items() if m.name in ("d3", "shuffled", "oracle")}
        rows += rows_of(Scores(scores.sequences, scores.clips, tried), set="select", rate_scale=rate)
    rows += rows_of(Scores(scores.sequences, scores.clips, {Arm("a1"): {None: a1}}), set="select")
    return [row.model_copy(update={"sequence": named[row.sequence], "clip": named[row.sequence]}) for row in rows]


def plan(rows: list[ResultRow], dropped: tuple[str, ...] = ()) -> dict[str, object]:
    """A plan in which every model is one run."""
    models = sorted({(row.row, row.control, row.seed) for row in rows if row.set == "test"}, key=str)
    runs = [
        {"id": f"runs/{row}/{control or 'true'}/{seed}", "row": row, "control": control, "seed": seed, "cost_s": 10.0}
        for row, control, seed in models
    ]
    study = {"world": "synthetic", "tracker": "dimp18", "preset": "laptop", "seeds": 3, "patches": "center"}
    return {
        "study": study,
        "runs": [{"id": "shards", "row": "", "control": "", "seed": None, "cost_s": 5.0}, *runs],
        "dropped": list(dropped),
        "versions": {"cmd-tir": "1.0"},
        "command": ["--init", "my weights.pth", "--preset", "laptop"],
        "saved_by_shared_features": "40 CPU-minutes",
    }


def make_study(folder: Path, rows: list[ResultRow], *, ended: float = 1.0, dropped: tuple[str, ...] = ()) -> Path:
    """Write a study's folder, and judge it.

    Args:
        folder: made.
        rows: its results.
        ended: share of its runs that has a cost.
        dropped: what its budget left out.
    """
    folder.mkdir()
    content = plan(rows, dropped)
    (folder / "plan.json").write_text(json.dumps(content))
    write_results(folder / "results.jsonl", rows)
    runs = content["runs"]
    assert isinstance(runs, list)
    costs = [
        {"id": run["id"], "command": "", "cpu_s": 12.0, "wall_s": 13.0, "expected_s": run["cost_s"], "starts": 1}
        for run in runs[: round(ended * len(runs))]
    ]
    (folder / "costs.jsonl").write_text("".join(json.dumps(cost) + "\n" for cost in costs))
    write_verdict(folder)
    return folder


def add_pictures(folder: Path) -> None:
    """Pictures of five windows for the teacher and one student."""
    for name in ("a1~~", "d3~~0"):
        (folder / "pictures" / name).mkdir(parents=True)
        for k in range(5):
            cv2.imwrite(str(folder / "pictures" / name / f"{k}.png"), np.full((20, 30, 3), 40 * k, np.uint8))
