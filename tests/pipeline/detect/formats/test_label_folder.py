"""Folders of labels in the formats that people have them in: understood, told, or refused with what to convert."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.detect import Detections, DetectorSpec, Pairs, Survey
from pipeline.detect.boxes_file import build
from pipeline.errors import DataError, UsageError

SIZE = (640, 512)
VOC = """<?xml version="1.0" encoding="utf-8"?>
<annotation><folder>f</folder><filename>other.jpg</filename>
<size><width>{}</width><height>{}</height><depth>3</depth></size>
<object><name>Car</name><bndbox><xmin>10</xmin><ymin>20</ymin><xmax>50</xmax><ymax>80</ymax></bndbox></object>
<object><name>freight car</name><polygon>
<x1>5</x1><y1>9</y1><x2>25</x2><y2>4</y2><x3>30</x3><y3>14</y3><x4>10</x4><y4>19</y4>
</polygon></object>
</annotation>"""
KAIST = """% bbGt version=3
person 325 232 22 52 0 0 0 0 0 0 0 0
cyclist 10 20 30 40 1 0 0 0 0 0 0
people 100 100 50 60 0 0 0 0 0 1 0
"""


def found(folder: Path, names: dict[str, str | bytes], **told: object) -> tuple[Survey, list[Detections]]:
    """What a run finds for the pairs a/1, a/2, ... of as many files."""
    for name, content in names.items():
        path = folder / "labels" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    spec = DetectorSpec.model_validate({"name": "boxes", "detections": folder / "labels"} | told)
    survey = build(spec).survey(Pairs({f"a/{n + 1}": SIZE for n in range(max(1, len(names)))}))
    detector = build(spec.model_copy(update={"reading": survey.reading}))
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    return survey, [detector.detect([image], [survey.names.get(pair, "")])[0] for pair in sorted(survey.names)]


def test_a_mark_of_the_byte_order_is_no_number(tmp_path: Path) -> None:
    _, (first,) = found(tmp_path, {"1.txt": b"\xef\xbb\xbf2 0.5 0.5 0.25 0.5\r\n"})
    assert (first.boxes.tolist(), first.classes.tolist()) == ([[240, 128, 160, 256]], [2])
    with pytest.raises(DataError, match=r"1\.txt: not a UTF-8 text file: save it as UTF-8"):
        found(tmp_path, {"1.txt": "2 0.5 0.5 0.25 0.5".encode("utf-16")})


def test_pascal_voc_is_read_by_names_and_corners(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    survey, (first, second) = found(tmp_path, {"1.xml": VOC.format(640, 512), "2.xml": VOC.format(0, 0)})
    assert first.boxes.tolist() == second.boxes.tolist() == [[10, 20, 40, 60], [5, 4, 25, 15]]
    assert (first.classes.tolist(), survey.class_names) == ([2, 80], {80: "freight car"})
    assert "2 of 4 boxes are outlines, and their bounding boxes are taken, such as in 1.xml" in caplog.text
    assert survey.counts == {"boxes_outlines": 2}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "has a document type"),
        ("<annotation><object>", "not XML"),
        ("<annotations/>", "holds <annotations>, expected Pascal VOC's <annotation>: convert it to COCO JSON"),
        ("<annotation><object><name>a</name></object></annotation>", "neither bndbox nor polygon"),
        ("<annotation><object><bndbox><xmin>a</xmin></bndbox></object></annotation>", "bndbox/xmin is 'a'"),
        ("<annotation><size><width/></size></annotation>", "size/width is ''"),
        ("<annotation><size><width>9</width><height>0</height></size></annotation>", "size is 9x0: give both sides"),
    ],
)
def test_other_xml_is_refused_by_name(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(DataError, match=f"1.xml: .*{told}"):
        found(tmp_path, {"1.xml": content})


def test_kaist_text_is_read_and_what_is_to_be_ignored_is_left_out(tmp_path: Path) -> None:
    survey, (first,) = found(tmp_path, {"1.txt": KAIST})
    assert first.boxes.tolist() == [[325, 232, 22, 52], [10, 20, 30, 40]]
    assert (first.classes.tolist(), survey.class_names) == ([0, 80], {80: "cyclist"})
    assert survey.counts == {"boxes_ignored": 1}
    with pytest.raises(DataError, match=r"1\.txt:1: % bbGt version=2: only version 3 is read"):
        found(tmp_path, {"1.txt": KAIST.replace("=3", "=2")})
    with pytest.raises(DataError, match=r"1\.txt:2: 5 words, expected name x y w h and the flags"):
        found(tmp_path, {"1.txt": "% bbGt version=3\nperson 1 2 3 4\n"})


def test_outlines_are_taken_by_their_bounding_boxes(tmp_path: Path) -> None:
    polygon = "1 0.1 0.1 0.5 0.1 0.5 0.5\n0 0.2 0.2 0.4 0.2 0.4 0.6 0.3 0.7 0.2 0.6\n0 0.5 0.5 0.1 0.1\n"
    oriented = "2 0.3 0.2 0.4 0.3 0.3 0.4 0.2 0.3\n"
    survey, (first, second) = found(tmp_path, {"1.txt": polygon, "2.txt": oriented})
    np.testing.assert_allclose(first.boxes[:2], [[64, 51.2, 256, 204.8], [128, 102.4, 128, 256]])
    np.testing.assert_allclose(second.boxes, [[128, 102.4, 128, 102.4]])
    assert (first.scores.tolist(), survey.counts) == ([1, 1, 1], {"boxes_outlines": 3})


def test_outlines_may_have_a_score(tmp_path: Path) -> None:
    _, (first,) = found(tmp_path, {"1.txt": "2 0.3 0.2 0.4 0.3 0.3 0.4 0.2 0.3 0.75\n"})
    assert first.scores.tolist() == [0.75]
    with pytest.raises(DataError, match="relative to the picture"):
        found(tmp_path, {"1.txt": "2 30 20 40 30 30 40 20 30 0.75\n"})


def test_key_points_are_not_taken_for_outlines(tmp_path: Path) -> None:
    line = "0 0.5 0.5 0.2 0.4 0.45 0.5 2 0.5 0.55 1 0.0 0.0 0\n"
    with pytest.raises(DataError, match=r"1\.txt:1: key points follow the box: keep the first 5 numbers"):
        found(tmp_path, {"1.txt": line * 2})


@pytest.mark.parametrize("ids", [("1", "7"), ("0", "1"), ("0", "0"), ("3", "3"), ("2.0", "4.0")])
def test_whole_numbers_behind_the_box_are_no_scores_unasked(tmp_path: Path, ids: tuple[str, str]) -> None:
    files: dict[str, str | bytes] = {f"{n}.txt": f"0 0.5 0.5 0.1 0.1 {word}\n" for n, word in enumerate(ids, 1)}
    with pytest.raises(DataError, match=r"\.txt:1: the numbers behind the boxes .* say --last-column track-id"):
        found(tmp_path, files)
    _, rows = found(tmp_path, files, last_column="track-id")
    assert [row.scores.tolist() for row in rows] == [[1], [1]]


def test_scores_of_0_and_1_are_taken_when_said_so(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"1.txt": "0 0.5 0.5 0.1 0.1 0\n", "2.txt": "0 0.5 0.5 0.1 0.1 1\n"}
    _, rows = found(tmp_path, files, last_column="score")
    assert [row.scores.tolist() for row in rows] == [[], [1]]


def test_ones_in_every_file_are_scores_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    _, rows = found(tmp_path, dict.fromkeys(("1.txt", "2.txt"), "0 0.5 0.5 0.1 0.1 1\n"))
    assert [row.scores.tolist() for row in rows] == [[1], [1]]
    assert "the number behind every box is 1 and taken as its score" in caplog.text


def test_a_track_id_behind_the_score_is_left_aside(tmp_path: Path) -> None:
    _, rows = found(tmp_path, {"1.txt": "0 0.5 0.5 0.1 0.1 0.75 12\n", "2.txt": "0 0.5 0.5 0.1 0.1 1 13\n"})
    assert [row.scores.tolist() for row in rows] == [[0.75], [1]]
    assert [len(row) for row in rows] == [1, 1]


def test_a_column_that_is_not_there_cannot_be_said_to_be_anything(tmp_path: Path) -> None:
    for name, content in (("1.txt", "0 0.5 0.5 0.1 0.1\n"), ("1.txt", KAIST), ("1.txt", "0 .5 .5 .1 .1 0.75 12\n")):
        with pytest.raises(UsageError, match=r"--last-column score: .*leave it out"):
            found(tmp_path, {name: content}, last_column="score")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels/classes.txt", "\ufeffcar\nperson\nanchor\n"),
        ("obj.names", "car\nperson\nanchor"),
        ("data.yaml", "path: ..\nnames: ['car', 'person', 'anchor']\n"),
        ("labels/data.yaml", "names:\n  0: car\n  1: person\n  2: anchor\n"),
    ],
)
def test_the_list_of_names_that_comes_with_labels_decides(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / name).write_text(content)
    survey, (first,) = found(tmp_path, {"1.txt": "".join(f"{n} 0.5 0.5 0.1 0.1\n" for n in range(3))})
    assert (first.classes.tolist(), survey.class_names) == ([2, 0, 80], {80: "anchor"})
    assert survey.recorded == {"classes_by_name": True, "class_names": {"80": "anchor"}}


def test_a_list_of_names_that_changed_is_read_again_and_is_other_input(tmp_path: Path) -> None:
    content = []
    for names in ("car\nperson", "person\ncar"):
        (tmp_path / "obj.names").write_text(names)
        survey, (first,) = found(tmp_path, {"1.txt": "0 0.5 0.5 0.1 0.1\n"})
        content.append((first.classes.tolist(), survey.content_sha256))
    assert [classes for classes, _ in content] == [[2], [0]]
    assert content[0][1] != content[1][1]


def test_a_list_of_names_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("names: {a: car}\n")
    with pytest.raises(DataError, match=r"data\.yaml: names must be a list, or numbers and names"):
        found(tmp_path, {"1.txt": "0 0.5 0.5 0.1 0.1\n"})


def test_a_folder_of_other_files_says_what_to_convert(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \.txt files below it, nor \.xml \(it holds \.csv, \.json: convert them"):
        found(tmp_path, {"1.json": "{}", "2.csv": ""})
    with pytest.raises(DataError, match=r"holds 1 \.txt and 1 \.xml files: pass the folder of one kind"):
        found(tmp_path, {"1.txt": "", "1.xml": VOC})


def test_of_a_folder_of_an_export_the_files_of_boxes_are_offered(tmp_path: Path) -> None:
    coco = '{"info": {}, "licenses": [], "categories": []}'
    labels = tmp_path / "labels"
    with pytest.raises(DataError, match=rf"did you mean {labels}/rgb\.json, {labels}/tir\.json\? pass the folder"):
        found(tmp_path, {"export.json": '{"boxes": 4}', "rgb.json": coco, "tir.json": coco, ".lock": ""})


def test_one_xml_for_all_pictures_is_told_by_its_format_and_not_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"annotations\.xml: holds <annotations>, .*: convert it to COCO JSON"):
        found(tmp_path, {"annotations.xml": '<annotations><image id="0" name="1.jpg"/></annotations>'})
    with pytest.raises(DataError, match="none of 2 names belongs to any of 2 pairs"):
        found(tmp_path / "voc", {"x.xml": VOC.format(640, 512), "y.xml": VOC.format(640, 512)})


def test_another_format_is_told_before_its_last_column_is_asked_for(tmp_path: Path) -> None:
    """DOTA's, whose last column is whole, too."""
    with pytest.raises(DataError, match=r"1\.txt:1: not a number: .*'car'"):
        found(tmp_path, {"1.txt": "100 100 180 105 178 160 98 158 car 0"})
