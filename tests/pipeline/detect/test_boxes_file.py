from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect import Detections, DetectorSpec, Pairs
from pipeline.detect.boxes_file import build
from pipeline.errors import DataError, UsageError

PAIR = "set00/V000/I00000"
OTHER = "set00/V000/I00001"
IMAGE = np.zeros((512, 640, 3), np.uint8)


def find(path: Path, pair_id: str = PAIR, confidence: float = 0.25, **told: Any) -> Detections:
    spec = DetectorSpec(name="boxes", detections=path, confidence=confidence, **told)
    survey = build(spec).survey(Pairs(dict.fromkeys((PAIR, OTHER, pair_id), (640, 512))))
    detector = build(spec.model_copy(update={"reading": survey.reading}))
    return detector.detect([IMAGE], [survey.names.get(pair_id, "")])[0]


def jsonl(folder: Path, *lines: object) -> Path:
    path = folder / "boxes.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def coco(folder: Path, content: object) -> Path:
    path = folder / "boxes.json"
    path.write_text(json.dumps(content))
    return path


def text(folder: Path, name: str, content: str) -> Path:
    path = folder / "labels" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return folder / "labels"


def test_jsonl_row_is_found_clipped_and_filtered_by_score(tmp_path: Path) -> None:
    row = {"pair_id": PAIR, "boxes": [[-5, 10, 20, 30], [1, 2, 3, 4]], "scores": [0.9, 0.1], "classes": [300, 1]}
    found = find(jsonl(tmp_path, row))
    assert (found.boxes.tolist(), found.classes.tolist()) == ([[0, 10, 15, 30]], [300])
    assert found.scores.tolist() == pytest.approx([0.9])


def test_jsonl_without_scores_and_classes_means_one_and_none(tmp_path: Path) -> None:
    found = find(jsonl(tmp_path, {"pair_id": PAIR, "boxes": [[1, 2, 3, 4]]}), confidence=1.0)
    assert (found.scores.tolist(), found.classes.tolist()) == ([1.0], [-1])


def test_jsonl_may_begin_with_a_mark_of_the_byte_order(tmp_path: Path) -> None:
    path = jsonl(tmp_path, "\ufeff" + json.dumps({"pair_id": PAIR, "boxes": [[1, 2, 3, 4]]}))
    assert find(path).boxes.tolist() == [[1, 2, 3, 4]]


def test_boxes_most_of_which_lie_outside_are_those_of_another_picture(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"pair_id": PAIR, "boxes": [[700, 2, 3, 4], [1, 600, 3, 4], [1, 2, 3, 4]]})
    with pytest.raises(DataError, match=r"2 of 3 boxes lie by more than half outside .* of 640x512 pixels: give"):
        find(path)


def test_corners_taken_for_sizes_reach_beyond_the_picture(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """x1, y1, x2, y2 in the lower right of a picture, read as x, y, width, height."""
    rows = [{"image_id": PAIR, "bbox": box, "score": 1, "category_id": 0} for box in ([500, 400, 600, 500],) * 2]
    with pytest.raises(DataError, match=r"2 of 2 boxes .* of 640x512 pixels: give x, y, width, height"):
        find(coco(tmp_path, rows))
    few = [*rows[:1], *({**rows[0], "bbox": box} for box in ([10, 20, 30, 40], [600, 20, 80, 40]))]
    assert len(find(coco(tmp_path, few))) == 3
    assert "1 of 3 boxes lie by more than half outside their picture and are cut at its edge" in caplog.text


def test_a_pair_without_a_row_has_no_detections(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"pair_id": PAIR, "boxes": []})
    assert len(find(path)) == len(find(path, "set00/V000/I00001")) == 0


@pytest.mark.parametrize("bad", ["NaN", "Infinity", '"a"', "null"])
def test_jsonl_refuses_a_bad_number_by_line(tmp_path: Path, bad: str) -> None:
    path = jsonl(tmp_path, {"pair_id": "a/b", "boxes": []}, f'{{"pair_id": "{PAIR}", "boxes": [[1, 2, 3, {bad}]]}}')
    with pytest.raises(DataError, match=r"boxes\.jsonl:2: boxes\.0\.3"):
        find(path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"pair_id": PAIR, "boxes": [[1, 2, 3]]}, r":1: boxes\.0"),
        ({"pair_id": PAIR, "boxes": [[1, 2, 3, 4]], "scores": []}, ":1: row: .*1 boxes but 0 scores"),
        ({"pair_id": PAIR, "boxes": [[1, 2, 3, 4]], "scores": [1.5]}, r":1: scores\.0: .*less than or equal to 1"),
        ({"pair_id": PAIR, "boxes": [[1, 2, 3, 4]], "classes": [40000]}, r":1: classes\.0: "),
        ({"pair_id": PAIR, "boxes": [], "score": []}, ":1: score: Extra"),
        ("{", ":1: row: Invalid JSON"),
    ],
)
def test_jsonl_refuses_a_malformed_row(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        find(jsonl(tmp_path, row))


def test_jsonl_refuses_two_rows_for_a_pair(tmp_path: Path) -> None:
    row = {"pair_id": PAIR, "boxes": []}
    with pytest.raises(DataError, match=f"two rows for pair {PAIR}"):
        find(jsonl(tmp_path, row, row))


def test_boxes_of_no_or_negative_size_are_dropped(tmp_path: Path) -> None:
    found = find(jsonl(tmp_path, {"pair_id": PAIR, "boxes": [[9, 9, 0, 5], [9, 9, -4, 5], [1, 2, 3, 4]]}))
    assert found.boxes.tolist() == [[1, 2, 3, 4]]


NAMES = [
    "set00/V000/I00000.jpg",
    "set00/V000/visible/I00000.jpg",
    "images/kaist/set00/V000/visible/I00000.PNG",
    "set00_V000_I00000.jpg",
    "set00_V000_I00000_visible.png",
    "set00/V000/I00000",
]


@pytest.mark.parametrize("name", NAMES)
def test_coco_picture_is_found_by_its_usual_names(tmp_path: Path, name: str) -> None:
    content = {
        "images": [{"id": 7, "file_name": name}, {"id": 8, "file_name": "set00/V000/I00001.jpg"}],
        "categories": [{"id": 1, "name": "person"}, {"id": 90, "name": "toothbrush"}],
        "annotations": [
            {"image_id": 7, "bbox": [1, 2, 3, 4], "category_id": 1},
            {"image_id": 8, "bbox": [9, 9, 9, 9], "category_id": 1},
            {"image_id": 7, "bbox": [5, 6, 7, 8], "category_id": 90, "score": 0.5},
            {"image_id": 7, "bbox": [0, 0, 99, 99], "category_id": 1, "iscrowd": 1},
        ],
    }
    found = find(coco(tmp_path, content))
    assert found.boxes.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert (found.scores.tolist(), found.classes.tolist()) == ([1.0, 0.5], [0, 79])


def test_other_peoples_categories_go_by_their_names(tmp_path: Path) -> None:
    names = ["person", "Cyclist", "sofa", "anchor"]
    content = {
        "images": [{"id": PAIR}],
        "categories": [{"id": n, "name": name} for n, name in enumerate(names, 1)],
        "annotations": [{"image_id": PAIR, "bbox": [n, 2, 3, 4], "category_id": n} for n in range(1, 5)],
    }
    assert find(coco(tmp_path, content)).classes.tolist() == [0, 81, 57, 80]


def test_coco_results_are_found_by_image_id(tmp_path: Path) -> None:
    content = [{"image_id": PAIR, "bbox": [1, 2, 3, 4], "category_id": 3, "score": 0.5}]
    found = find(coco(tmp_path, content), class_ids="index")
    assert (found.boxes.tolist(), found.classes.tolist()) == ([[1, 2, 3, 4]], [3])


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ({"image_id": 2, "bbox": [1, 2, 3, 4], "category_id": 1}, "annotation 0: needs"),
        ({"image_id": 1, "category_id": 1}, "annotation 0: needs"),
        ("x", "annotation 0: needs"),
        ({"image_id": 1, "bbox": [1, 2, 3], "category_id": 1}, "4 finite numbers"),
        ({"image_id": 1, "bbox": [1, 2, "x", 4], "category_id": 1}, "4 finite numbers"),
        ({"image_id": 1, "bbox": [1, 2, float("nan"), 4], "category_id": 1}, "4 finite numbers"),
        ({"image_id": 1, "bbox": [1, 2, 3, 4], "category_id": "x"}, "4 finite numbers|not an integer"),
    ],
)
def test_coco_refuses_a_malformed_annotation(tmp_path: Path, annotation: object, message: str) -> None:
    content = {"images": [{"id": 1, "file_name": "set00/V000/I00000.jpg"}], "annotations": [annotation]}
    with pytest.raises(DataError, match=message):
        find(coco(tmp_path, content))


@pytest.mark.parametrize("content", [{}, {"annotations": []}, {"annotations": [], "images": [{}]}, 3])
def test_json_that_is_not_coco_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(DataError, match=r"boxes\.json: "):
        find(coco(tmp_path, content))


@pytest.mark.parametrize("name", [name.rpartition(".")[0] + ".txt" for name in NAMES[:5]])
def test_yolo_text_is_found_and_scaled_to_the_picture(tmp_path: Path, name: str) -> None:
    folder = text(tmp_path, name, "2 0.5 0.5 0.25 0.5 0.75\n\n0 0.0 0.0 0.5 0.5\n")
    text(tmp_path, "classes.txt", "person\nbicycle\ncar\n")
    found = find(folder)
    assert found.boxes.tolist() == [[240, 128, 160, 256], [0, 0, 160, 128]]
    assert (found.scores.tolist(), found.classes.tolist()) == ([0.75, 1.0], [2, 0])
    assert len(find(folder, "set00/V000/I00001")) == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0.5 0.5 0.1", r"\.txt:2: 4 numbers"),
        ("person 0.5 0.5 0.1 0.1", r"\.txt:2: not a number"),
        ("0 nan 0.5 0.1 0.1", r"\.txt:2: .*relative"),
        ("0 320 256 64 64", r"\.txt:2: .*not pixels"),
        ("0.5 0.5 0.5 0.1 0.1", "a class is not an integer"),
        ("0 0.5 0.5 0.1 0.1 90.5", "a score is not between"),
    ],
)
def test_yolo_text_refuses_a_malformed_line(tmp_path: Path, line: str, message: str) -> None:
    folder = text(tmp_path, "set00_V000_I00000.txt", f"0 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(DataError, match=message):
        find(folder)


@given(st.integers(0, 639), st.integers(0, 511), st.integers(1, 640), st.integers(1, 512))
def test_yolo_text_returns_the_box_that_was_written(
    tmp_path_factory: pytest.TempPathFactory, x: int, y: int, w: int, h: int
) -> None:
    w, h = min(w, 640 - x), min(h, 512 - y)
    line = f"0 {(x + w / 2) / 640!r} {(y + h / 2) / 512!r} {w / 640!r} {h / 512!r}"
    folder = text(tmp_path_factory.mktemp("yolo"), "a_b.txt", line)
    np.testing.assert_allclose(find(folder, "a/b").boxes, [[x, y, w, h]], atol=1e-9)


@pytest.mark.parametrize("name", ["", "gone.jsonl", "boxes.csv"])
def test_no_usable_source_is_a_usage_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "boxes.csv").write_text("")
    with pytest.raises(UsageError, match=r"--detections|no such file|expected a"):
        build(DetectorSpec(name="boxes", detections=tmp_path / name if name else None))


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \.txt files"):
        find(tmp_path)


@pytest.mark.parametrize(
    ("images", "kinds", "fault"),
    [
        ([(1, "I0.jpg"), (2, "I0.jpg")], [(1, "person")], "images 1 and 2 are both called I0.jpg: make"),
        ([(1, "I0.jpg"), (1, "I1.jpg")], [(1, "person")], "images I0.jpg and I1.jpg both have the id 1"),
        ([(1, "I0.jpg")], [(1, "person"), (1, "car")], "categories person and car both have the id 1"),
    ],
)
def test_coco_entries_that_cannot_be_told_apart_are_refused(
    tmp_path: Path, images: list[tuple[int, str]], kinds: list[tuple[int, str]], fault: str
) -> None:
    content = {
        "images": [{"id": number, "file_name": name} for number, name in images],
        "categories": [{"id": number, "name": name} for number, name in kinds],
        "annotations": [],
    }
    with pytest.raises(DataError, match=fault):
        build(DetectorSpec(name="boxes", detections=coco(tmp_path, content)))


def test_a_file_is_read_once_for_the_survey_and_the_work_and_again_when_it_changed(tmp_path: Path) -> None:
    spec = DetectorSpec(name="boxes", detections=jsonl(tmp_path, {"pair_id": PAIR, "boxes": [[1, 2, 30, 40]]}))
    surveyed = build(spec)
    reading = surveyed.survey(Pairs({PAIR: (640, 512)})).reading
    assert build(spec.model_copy(update={"reading": reading})).files is surveyed.files
    jsonl(tmp_path, {"pair_id": PAIR, "boxes": []})
    assert len(find(tmp_path / "boxes.jsonl")) == 0
