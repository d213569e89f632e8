"""Whose boxes in files are: read in every format that says it, the same number for the same name, never guessed."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect import Detections, DetectorSpec, Pairs, select
from pipeline.detect.boxes_file import build
from pipeline.detect.formats.track_ids import MOST, Objects, track_ids, track_number
from pipeline.errors import DataError

PAIRS = ("v/1", "v/2")
CORNERS = ("xmin", "ymin", "xmax", "ymax")


def jsonl(folder: Path, ids: object) -> Path:
    rows = [{"pair_id": pair, "boxes": [[1, 2, 30, 40], [60, 2, 30, 40]], "id": ids} for pair in PAIRS]
    (folder / "boxes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "boxes.jsonl"


def coco(folder: Path, key: str) -> Path:
    entries = [
        {"image_id": pair, "bbox": [x, 2, 30, 40], "category_id": 0, "iscrowd": 0} | ({key: 5 + x} if x else {})
        for pair in PAIRS
        for x in (60, 0)
    ]
    (folder / "boxes.json").write_text(json.dumps(entries))
    return folder / "boxes.json"


def yolo(folder: Path, *lines: str) -> Path:
    for pair in PAIRS:
        (folder / pair).parent.mkdir(exist_ok=True)
        (folder / f"{pair}.txt").write_text("\n".join(lines))
    return folder


def voc(folder: Path) -> Path:
    edges = "".join(f"<{name}>{value}</{name}>" for name, value in zip(CORNERS, (1, 2, 31, 42)))
    for pair in PAIRS:
        (folder / pair).parent.mkdir(exist_ok=True)
        body = f"<object><name>car</name><trackid>c4</trackid><bndbox>{edges}</bndbox></object>"
        (folder / f"{pair}.xml").write_text(f"<annotation>{body}</annotation>")
    return folder


def find(path: Path, **told: object) -> list[Detections]:
    spec = DetectorSpec.model_validate({"name": "boxes", "detections": path, **told})
    survey = build(spec).survey(Pairs(dict.fromkeys(PAIRS, (100, 100))))
    detector = build(spec.model_copy(update={"reading": survey.reading}))
    image = np.zeros((100, 100, 3), np.uint8)
    return detector.detect([image] * len(PAIRS), [survey.names[pair] for pair in PAIRS])


def test_every_format_that_says_whose_a_box_is_is_asked(tmp_path: Path) -> None:
    for name in "abcdef":
        (tmp_path / name).mkdir()
    named = int.from_bytes(hashlib.sha256(b"c4").digest()[:4], "little") % 2**31
    cases = [
        (find(jsonl(tmp_path / "a", [7, "c4"])), [7, named]),
        (find(coco(tmp_path / "b", "track_id"), class_ids="index"), [65, -1]),
        (find(coco(tmp_path / "c", "instance_id"), class_ids="index"), [65, -1]),
        (find(yolo(tmp_path / "d", "0 .2 .5 .2 .2 3", "0 .6 .5 .2 .2 9"), last_column="track-id"), [3, 9]),
        (find(yolo(tmp_path / "e", "0 .2 .5 .2 .2 .5 3", "0 .6 .5 .2 .2 .7 9")), [3, 9]),
        (find(voc(tmp_path / "f")), [named]),
    ]
    for found, expected in cases:
        for picture in found:
            assert picture.track_numbers.tolist() == expected
            assert picture.track_numbers.dtype == np.int32


def test_the_number_stays_with_its_box_when_boxes_are_dropped_or_put_in_order(tmp_path: Path) -> None:
    boxes = [[10 * n, 0, 9 + n, 20] for n in range(5)]
    row = {"pair_id": PAIRS[0], "boxes": [*boxes, [200, 0, 5, 5]], "id": [10, 11, None, 13, 14, 15]}
    row |= {"scores": [0.5, 0.9, 0.6, 0.1, 0.7, 1], "classes": [1, 1, 2, 1, 3, 1]}
    (tmp_path / "b.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row | {"pair_id": PAIRS[1]}))
    chosen = select(find(tmp_path / "b.jsonl")[0], min_size=5, limit=4)
    left = {x: number for (x, *_), number in zip(boxes, row["id"][:5], strict=True)}
    assert len(chosen) == 4
    for box, number in zip(chosen.boxes, chosen.track_numbers, strict=True):
        assert number == (-1 if left[box[0]] is None else left[box[0]])


def test_one_id_at_two_boxes_of_a_picture_is_taken_from_both_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = find(jsonl(tmp_path, ["7", 7]))
    assert [picture.track_numbers.tolist() for picture in found] == [[-1, -1]] * 2
    assert "4 of 4 boxes share their track id with another box of the picture" in caplog.text


@given(st.lists(st.one_of(st.integers(-(2**70), 2**70), st.text(max_size=5), st.none()), max_size=5))
def test_a_number_is_a_function_of_the_name_alone_and_fits(values: list[object]) -> None:
    ids = track_ids("f:1", values)
    for value, name in zip(values, ids, strict=True):
        number = track_number(name)
        assert -1 <= number <= MOST
        assert (number == -1) == (value is None or str(value).strip() in ("", "-1"))
        if isinstance(value, int) and value in range(MOST + 1):
            assert number == value
        if value is not None:
            assert track_number(track_ids("f:1", [str(value)])[0]) == number


def test_two_names_of_one_number_are_refused_within_a_sequence_alone() -> None:
    objects = Objects()
    number = track_number("a")
    objects.add("f", "v/1", ["a", None, 3])
    objects.add("f", "v/2", ["a", 3])
    objects.add("f", "w/1", [number])
    assert (objects.boxes, len(objects)) == (5, 3)
    with pytest.raises(DataError, match=f"f: sequence v: the track ids a and {number} have one number: rename one"):
        objects.add("f", "v/9", [number])


def test_an_id_that_is_neither_number_nor_name_is_refused(tmp_path: Path) -> None:
    for wrong in (7.5, True, [1]):
        with pytest.raises(DataError, match=r"f:1: track id .* is neither a whole number nor a name: mend it"):
            track_ids("f:1", [wrong])
    with pytest.raises(DataError, match="2 boxes but 1 id"):
        find(jsonl(tmp_path, [1]))
