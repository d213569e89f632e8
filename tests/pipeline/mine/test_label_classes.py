"""`cmd-prep mine` and the classes of boxes from files: by name in flags, tables, shards and pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline import report
from pipeline.shards.folder import open_shards

from ...conftest import Data, Run, done, told


def words(data: Data, detections: Path, *more: object) -> tuple[object, ...]:
    given = ("--aligned", data.aligned, "--method", "detection", "--detector", "boxes", "--detections", detections)
    return ("mine", *given, "--patch-size", 0, *more)


def results(data: Data, *categories: int) -> Path:
    """COCO results: of each category a box in each pair."""
    rows = [
        {"image_id": row.pair_id, "bbox": [20 + 30 * n, 20, 24, 40], "category_id": category, "score": 0.5}
        for row in data.rows
        for n, category in enumerate(categories)
    ]
    path = data.root / "results.json"
    path.write_text(json.dumps(rows))
    return path


def annotations(data: Data, *names: str) -> Path:
    """COCO annotations: of each category, numbered from 1, a box in each pair."""
    path = data.root / "boxes.json"
    content = {
        "images": [{"id": n, "file_name": f"{row.pair_id}.jpg"} for n, row in enumerate(data.rows)],
        "categories": [{"id": n, "name": name} for n, name in enumerate(names, 1)],
        "annotations": [
            {"image_id": n, "bbox": [20 + 30 * each, 20, 24, 40], "category_id": each + 1}
            for n in range(len(data.rows))
            for each in range(len(names))
        ],
    }
    path.write_text(json.dumps(content))
    return path


def test_results_without_names_are_read_as_told_or_not_at_all(data: Data, prep: Run) -> None:
    path, out = results(data, 1, 3), data.root / "s"
    error = told(prep(*words(data, path, "--out", out)), 3, "--class-ids coco 1 is person, 3 is car")
    assert "--class-ids index 1 is bicycle, 3 is motorcycle: say which" in error
    table = done(prep(*words(data, path, "--out", out, "--class-ids", "coco", "--classes", "person")))
    assert [line.split() for line in table.splitlines() if line.startswith("class")] == [
        ["class", "person", "(0)", "6"]
    ]
    assert [patch.category for patch in open_shards(out).patches] == [0] * 6
    told(prep(*words(data, path, "--out", out, "--class-ids", "index", "--classes", "person")), 2, "recipe.class_ids")


def test_a_number_that_settles_the_reading_is_recorded(data: Data, prep: Run) -> None:
    done(prep(*words(data, results(data, 1, 90), "--out", data.root / "s")))
    assert open_shards(data.root / "s").index.settings["class_ids"] == "coco"
    assert json.loads((data.root / "s/index.json").read_text())["totals"]["classes"] == {"0": 6, "79": 6}


def test_a_name_that_coco_does_not_have_is_kept_shown_and_recorded(data: Data, prep: Run) -> None:
    path = annotations(data, "Pedestrian", "car", "cyclist")
    out = data.root / "s"
    table = done(prep(*words(data, path, "--out", out, "--classes", "cyclist,Car")))
    rows = sorted(line.split() for line in table.splitlines() if line.startswith("class"))
    assert rows == [["class", "car", "(2)", "6"], ["class", "cyclist", "(80)", "6"]]
    assert ("classes", "car (2) 6, cyclist (80) 6") in report.overview(out)[0]
    assert "sound" in done(prep("verify", out, "--deep", "--workers", 1))
    assert report.write(out, data.root / "page.html").read_text().count(": cyclist, score 1.00") > 0
    index = open_shards(out).index
    assert index.settings["class_names"] == {"80": "cyclist", "81": "pedestrian"}
    assert index.totals["classes"] == {"2": 6, "80": 6}


def test_numbers_and_names_of_cocos_classes_are_one_setting(data: Data, prep: Run) -> None:
    path, out = annotations(data, "person", "car"), data.root / "s"
    done(prep(*words(data, path, "--out", out, "--classes", "car,0")))
    before = (out / "shard-00000.h5").stat().st_mtime_ns
    done(prep(*words(data, path, "--out", out, "--classes", "2,person")))
    assert (out / "shard-00000.h5").stat().st_mtime_ns == before


def test_a_class_that_nothing_has_is_told(data: Data, prep: Run, caplog: pytest.LogCaptureFixture) -> None:
    path = annotations(data, "person", "cyclist")
    error = told(prep(*words(data, path, "--out", data.root / "s", "--classes", "cyclits")), 2, "did you mean cyclist")
    assert "beside COCO's there are cyclist" in error
    assert not (data.root / "s").exists()
    done(prep(*words(data, path, "--out", data.root / "s", "--classes", "train")))
    assert "--classes keeps none of the boxes: they are person 6, cyclist 6" in caplog.text


def test_what_the_files_say_themselves_is_not_said_again(data: Data, prep: Run) -> None:
    told(
        prep(*words(data, annotations(data, "car"), "--out", data.root / "s", "--class-ids", "coco")), 2, "leave it out"
    )
    lines = ("--out", data.root / "s", "--last-column", "score")
    told(prep(*words(data, results(data, 0), *lines)), 2, "no column behind the box: leave it out")


@pytest.mark.parametrize(
    ("classes", "doubted"), [((1, 3, 90), True), ((0, 90), False), ((1, 79), False), ((1, 300), False)]
)
def test_numbers_of_json_lines_that_look_like_coco_s_ids_are_told(
    data: Data, prep: Run, classes: tuple[int, ...], doubted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    boxes = [[20 + 30 * n, 20, 24, 40] for n in range(len(classes))]
    rows = [{"pair_id": row.pair_id, "boxes": boxes, "classes": classes} for row in data.rows]
    path = data.root / "boxes.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done(prep(*words(data, path, "--out", data.root / "s")))
    assert ("class 90 is read as none of COCO's 0 to 79: are these its ids?" in caplog.text) == doubted
    caplog.clear()
    done(prep(*words(data, path, "--out", data.root / "told", "--class-ids", "index")))
    assert "are these its ids?" not in caplog.text
