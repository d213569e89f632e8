"""Boxes that were drawn in a picture of another size: scaled and told, or refused with both sizes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.detect import DetectorSpec, Pairs, Survey
from pipeline.detect.boxes_file import build
from pipeline.errors import DataError


def found(
    folder: Path, declared: tuple[int, int], size: tuple[int, int], **more: object
) -> tuple[Survey, list[object]]:
    path = folder / "boxes.json"
    image = {"id": 1, "file_name": "a/1.jpg", "width": declared[0], "height": declared[1]}
    box = {"image_id": 1, "bbox": [100, 40, 200, 60], "category_id": 1}
    path.write_text(json.dumps({"images": [image], "categories": [{"id": 1, "name": "person"}], "annotations": [box]}))
    spec = DetectorSpec(name="boxes", detections=path)
    survey = build(spec).survey(Pairs({"a/1": size}, **more))  # type: ignore[arg-type]
    detector = build(spec.model_copy(update={"reading": survey.reading}))
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    return survey, detector.detect([picture], [survey.names["a/1"]])[0].boxes.tolist()


def test_the_declared_size_is_the_pictures(tmp_path: Path) -> None:
    survey, boxes = found(tmp_path, (640, 512), (640, 512))
    assert (boxes, survey.counts, survey.recorded) == ([[100, 40, 200, 60]], {}, {})


def test_boxes_of_the_same_picture_in_another_size_are_scaled(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    survey, boxes = found(tmp_path, (640, 512), (320, 256))
    assert (boxes, survey.counts, survey.recorded) == (
        [[50, 20, 100, 30]],
        {"pictures_scaled": 1},
        {"boxes_scaled": True},
    )
    assert "boxes of 1 pictures are scaled: a/1.jpg is 640x512, its picture 320x256" in caplog.text


def test_a_side_may_be_rounded(tmp_path: Path) -> None:
    assert found(tmp_path, (641, 427), (320, 213))[0].counts == {"pictures_scaled": 1}


def test_boxes_of_a_picture_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a/1.jpg is declared as 640x512, a picture of another shape, .* 640x480"):
        found(tmp_path, (640, 512), (640, 480))
    with pytest.raises(DataError, match=r"declared as 512x640, .* 640x512"):
        found(tmp_path, (512, 640), (640, 512))


def test_boxes_that_may_be_of_the_thermal_picture_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"declared as 320x256, the size of its TIR picture, but the RGB .* 640x512"):
        found(tmp_path, (320, 256), (640, 512), tir_sizes={"a/1": (320, 256)})


@pytest.mark.parametrize(("declared", "told"), [((640, 0), "640x0"), ((0, 512), "0x512")])
def test_a_size_of_one_side_is_refused(tmp_path: Path, declared: tuple[int, int], told: str) -> None:
    with pytest.raises(DataError, match=rf"boxes\.json: image 1 is declared as {told}: give both, or neither"):
        found(tmp_path, declared, (320, 256))


def test_where_some_are_scaled_those_without_a_size_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "boxes.json"
    sized = {"id": 1, "file_name": "a/1.jpg", "width": 640, "height": 512}
    images = [sized, *({"id": number, "file_name": f"a/{number}.jpg"} for number in (2, 3, 4))]
    boxes = [{"image_id": number, "bbox": [100, 40, 200, 60], "category_id": 1} for number in (1, 2, 3)]
    content = {"images": images, "categories": [{"id": 1, "name": "person"}], "annotations": boxes}
    path.write_text(json.dumps(content))
    build(DetectorSpec(name="boxes", detections=path)).survey(Pairs({f"a/{n}": (320, 256) for n in (1, 2, 3, 4)}))
    assert "its picture 320x256; 2 others are of no declared size and taken as they are" in caplog.text
