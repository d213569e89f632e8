"""Classes of a detector whose model was trained on others than COCO's: by the model's names in tables and flags."""

from __future__ import annotations

import sys

import pytest

from pipeline.shards.folder import open_shards

from ...conftest import Data, Run, done, told

DETECTOR = """
from pipeline.detect import Detections

class Finder:
    weights_sha256, batch_size = "", 1
    class_names = {2: "car", 80: "deer", 81: "wild boar"}

    def detect(self, images, pair_ids):
        boxes = [[20, 20, 40, 30], [60, 50, 30, 40]]
        return [Detections.clipped(boxes, [0.9, 0.8], [80, 2], image.shape[1], image.shape[0]) for image in images]

def build(spec):
    return Finder()
"""


@pytest.fixture
def words(data: Data, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    (data.root / "deer_finder.py").write_text(DETECTOR)
    monkeypatch.syspath_prepend(data.root)
    # Of an earlier test, whose folder is gone.
    monkeypatch.delitem(sys.modules, "deer_finder", raising=False)
    detector = ("--method", "detection", "--detector", "deer_finder:build")
    return ("mine", "--aligned", data.aligned, *detector, "--patch-size", 0, "--workers", 1, "--pairs-per-shard", 4)


def classes(table: str) -> list[list[str]]:
    return [line.split() for line in table.splitlines() if line.startswith("class")]


def test_names_of_the_model_stand_in_the_table_and_stay_when_shards_are_kept(
    data: Data, prep: Run, words: tuple[object, ...]
) -> None:
    out = data.root / "s"
    table = done(prep(*words, "--out", out))
    assert classes(table) == [["class", "car", "(2)", "6"], ["class", "deer", "(80)", "6"]]
    assert classes(done(prep(*words, "--out", out))) == classes(table)
    assert open_shards(out).index.class_names == {80: "deer", 81: "wild boar"}
    done(prep("report", out, "--out", data.root / "page.html"))
    assert ": deer, score 0.90" in (data.root / "page.html").read_text(encoding="utf-8")
    done(prep("verify", out, "--deep", "--workers", 1))


def test_classes_are_kept_by_the_names_of_the_model(data: Data, prep: Run, words: tuple[object, ...]) -> None:
    assert classes(done(prep(*words, "--out", data.root / "a", "--classes", "Deer"))) == [
        ["class", "deer", "(80)", "6"]
    ]
    error = told(prep(*words, "--out", data.root / "b", "--classes", "dear"), 2, "did you mean deer")
    assert "wild boar" in error
    told(prep(*words, "--out", data.root / "b", "--classes", "person,0"), 2, "none of those, but car, deer, wild boar")
    assert not (data.root / "b").exists()
