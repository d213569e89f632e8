"""The reference cases: values of the toolkits' own functions, and Table 2 of the CMD paper from published curves."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.evaluate.ope import curves, measure, mend
from trainer.evaluate.score_trackers import evaluate
from trainer.sequences.rows import read_rows

from ...conftest import shared

SCORES = ("precision", "normalized_precision", "success")


def measured(result: Path, truth: Path) -> dict[str, NDArray[np.float64]]:
    known = read_rows(truth, 4)
    return curves(measure(mend(read_rows(result, 4), known)[0], known))


def test_every_public_case_agrees_with_the_toolkits() -> None:
    root = shared("ope/cases")
    with (root / "expected.csv").open() as file:
        rows = list(csv.reader(file))
    assert len(rows) == 35
    for dataset, tracker, sequence, *values in rows:
        found = measured(
            root / dataset / tracker / f"{sequence}.txt", root / dataset / "ground_truth" / f"{sequence}.txt"
        )
        expected = np.array(values, float)
        metrics = ("success", "precision", "normalized_precision") if dataset == "lsotb" else ("success", "precision")
        joined = np.concatenate([found[metric] for metric in metrics])
        assert joined == pytest.approx(expected[: len(joined)], abs=1e-9), (dataset, tracker, sequence)


def test_every_variant_agrees_bit_for_bit() -> None:
    root = shared("ope/variants")
    expected = np.load(root / "expected.npz")
    names = [name for name in expected.files if "slack" not in name]
    assert len(names) == 150
    for name in names:
        tracker, dataset, sequence, metric = name.split("/")
        file = f"{dataset}/{sequence}.txt"
        found = measured(root / "results" / tracker / file, root / "gt" / file)
        assert np.array_equal(found[metric.replace("norm_", "normalized_")], expected[name]), name


def test_means_of_the_variants_agree() -> None:
    root = shared("ope/variants")
    expected = json.loads((root / "expected.json").read_text())["means_P_NP_S"]
    names = ("bird_H_002", "car_D_002", "hog_S_001", "person_V_002")
    trackers = sorted(path.name for path in (root / "results").iterdir())
    folders = [(name, root / "results" / name / "lsotb") for name in trackers]
    flags = shared("ope/lsotb_tir/attributes")
    evaluation = evaluate("lsotb_tir", root / "gt/lsotb", folders, None, flags, names)
    for tracker in evaluation.trackers:
        means = expected[f"{tracker.name}/lsotb"]
        assert [tracker.score(metric) for metric in SCORES] == pytest.approx(means["All"], abs=1e-12)
        for number, where in enumerate(evaluation.benchmark.attributes.values(), 1):
            *values, count = means.get(f"att{number}", [None] * 3 + [0])
            assert where.sum() == count
            found = [tracker.score(metric, where) for metric in SCORES]
            assert found == (pytest.approx(values, abs=1e-12) if count >= 2 else [None] * 3)


@pytest.mark.parametrize(("dataset", "agree"), [("lsotb_tir_paper", 204), ("lsotb_tir", 135)])
def test_table_2_of_the_paper_comes_out_with_its_119_sequences(dataset: str, agree: int) -> None:
    root = shared("ope/lsotb_tir")
    evaluation = evaluate(dataset, None, [], root / "perfMat", root / "attributes")
    table = json.loads((root / "table2.json").read_text())["cols"]
    wheres = [*evaluation.benchmark.attributes.values(), None]
    published = [tracker for tracker in evaluation.trackers if tracker.name in table]
    assert len(published) == 4
    found = [[[100 * (t.score(m, w) or 0) for m in SCORES] for w in wheres] for t in published]
    expected = [table[tracker.name] for tracker in published]
    assert (np.abs(np.array(found) - np.array(expected)) <= 0.05).sum() == agree
