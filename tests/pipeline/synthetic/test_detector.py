"""Boxes with the errors of a detector: as many and as far off as they are said to be, and nobody's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.detect.formats import open_boxes
from pipeline.synthetic.detector import Errors, detected

Made = tuple[Path, dict[str, object]]
ROW = {"pair_id": "a/0", "boxes": [[100.0, 100.0, 40.0, 80.0]] * 50, "scores": [1.0] * 50, "classes": [2] * 50}


def test_a_detector_without_errors_gives_the_boxes_and_not_whose_they_are() -> None:
    row = detected(ROW | {"id": list(range(50))}, (640, 512), Errors(0, 0, 0), np.random.default_rng(0))
    assert (row["boxes"], row["classes"], "id" in row) == (ROW["boxes"], ROW["classes"], False)


def test_errors_are_as_large_as_they_are_said_to_be() -> None:
    rng = np.random.default_rng(0)
    rows = [detected(ROW, (640, 512), Errors(0.2, 0.05, 0.5), rng) for _ in range(200)]
    classes = np.array([kind for row in rows for kind in row["classes"]])  # type: ignore[attr-defined]
    boxes = np.array([box for row in rows for box in row["boxes"]])  # type: ignore[attr-defined]
    assert np.mean(classes == 2) * len(classes) / 10_000 == pytest.approx(0.8, abs=0.02)
    assert np.sum(classes == 0) / 200 == pytest.approx(0.5, abs=0.15)
    found = boxes[classes == 2]
    right, below = (found[:, axis] + found[:, axis + 2] for axis in (0, 1))
    assert [np.std(found[:, 0]) / 40, np.std(found[:, 1]) / 80] == pytest.approx([0.05, 0.05], rel=0.05)
    assert [np.std(right) / 40, np.std(below) / 80] == pytest.approx([0.05, 0.05], rel=0.05)


def test_every_pair_has_its_line_for_the_detector_of_boxes(made: Made) -> None:
    exact, seen = (
        [json.loads(line) for line in (made[0] / f"pairs/{name}.jsonl").read_text().splitlines()]
        for name in ("detections", "detected")
    )
    assert [row["pair_id"] for row in seen] == [row["pair_id"] for row in exact]
    assert [row["boxes"] for row in seen] != [row["boxes"] for row in exact]
    files = open_boxes(made[0] / "pairs/detected.jsonl")
    name = seen[0]["pair_id"]
    read = files.read(name, files.columns([name], None))
    assert np.asarray(read.boxes).tolist() == pytest.approx(np.array(seen[0]["boxes"]))
