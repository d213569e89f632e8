import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline import boxes
from pipeline.images import decode_tir, warp_to_rgb
from pipeline.synthetic import sequences
from pipeline.synthetic.optics import camera
from pipeline.synthetic.optics.noise import stream

Made = tuple[Path, dict[str, object]]
SIZE = (320, 256)
SEED = 5


@pytest.fixture(scope="module")
def truth(made: Made) -> dict[str, Any]:
    content = json.loads((made[0] / "pairs/truth.json").read_text())
    assert isinstance(content, dict)
    return content


def test_schema(truth: dict[str, Any]) -> None:
    assert set(truth) == {"seed", "size", "convention", "sequences"}
    assert [s["sequence"] for s in truth["sequences"]] == ["set00/V000", "set03/V000"]
    assert [s["light"] for s in truth["sequences"]] == ["day", "night"]
    for sequence in truth["sequences"]:
        assert len(sequence["homography"]) == 9
        for row in sequence["frames"]:
            assert set(row) == {"frame", "homography", "objects"}
            for item in row["objects"]:
                assert set(item) == {"id", "name", "class", "box", "visibility", "occlusion", "depth"}


def test_boxes_lie_in_the_picture_and_shares_in_0_to_1(truth: dict[str, Any]) -> None:
    for sequence in truth["sequences"]:
        for row in sequence["frames"]:
            assert len({item["id"] for item in row["objects"]}) == len(row["objects"])
            for item in row["objects"]:
                x, y, w, h = item["box"]
                assert x >= 0 and y >= 0 and w > 0 and h > 0
                assert x + w <= SIZE[0] + 1e-3 and y + h <= SIZE[1] + 1e-3
                assert 0 <= item["visibility"] <= 1 and 0 <= item["occlusion"] <= 1


def test_detections_are_the_plain_objects_of_the_truth(made: Made, truth: dict[str, Any]) -> None:
    rows = [json.loads(line) for line in (made[0] / "pairs/detections.jsonl").read_text().splitlines()]
    expected = {
        f"{sequence['sequence']}/{row['frame']}": [
            item["box"] for item in row["objects"] if item["visibility"] >= 0.6 and min(item["box"][2:]) >= 12
        ]
        for sequence in truth["sequences"]
        for row in sequence["frames"]
    }
    assert {row["pair_id"]: row["boxes"] for row in rows} == expected
    assert sum(map(len, expected.values())) > 0
    for row in rows:
        assert len(row["boxes"]) == len(row["scores"]) == len(row["classes"])
        assert all(isinstance(number, int) and 0 <= number < 80 for number in row["classes"])


@pytest.mark.parametrize("seed", range(20))
def test_a_rig_moves_each_corner_by_3_to_16_pixels(seed: int) -> None:
    size = (640, 512)
    corner = np.array([[0, 0], [639, 0], [639, 511], [0, 511]], np.float64)
    matrix = camera.rig(stream(seed), size)
    moved = cv2.perspectiveTransform(corner[None], matrix)[0]
    shift = np.linalg.norm(moved - corner, axis=1)
    assert (shift > 2.9).all() and (shift < 16).all()
    shaken = cv2.perspectiveTransform(corner[None], camera.jitter(stream(seed, 1), matrix, size))[0]
    play = np.linalg.norm(shaken - moved, axis=1)
    assert (play > 0).all() and (play < 2).all()


@pytest.mark.parametrize("index", [0, 1])
def test_the_homography_maps_the_thermal_picture_onto_the_scene(index: int) -> None:
    """A thermal camera in the RGB camera's place must see what the real one sees after its warp."""
    ready = sequences.stage(SEED, 0, index, SIZE)
    _, tir, matrix, _ = sequences.pair(SEED, index, 1, SIZE)
    drawn = sequences.instant(ready.scene, ready.backdrop, 1)
    heat = np.ascontiguousarray(drawn.canvas[..., 3])
    ideal = ready.thermal.expose(heat, camera.to_canvas((drawn.inset, drawn.inset)), stream(0)).astype(np.float32)
    inner = np.s_[16:-16, 16:-16]
    warped = warp_to_rgb(tir, matrix, SIZE).astype(np.float32)
    aligned = float(np.abs(warped - ideal)[inner].mean())
    assert aligned < 0.6 * float(np.abs(tir - ideal)[inner].mean())
    for dx, dy in ((2, 0), (-2, 0), (0, 2), (0, -2)):
        off = np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]], np.float64) @ matrix
        assert aligned < float(np.abs(warp_to_rgb(tir, off, SIZE) - ideal)[inner].mean())


def test_a_person_is_a_warm_blob_at_the_box_carried_over_to_the_thermal_picture(
    made: Made, truth: dict[str, Any]
) -> None:
    night = truth["sequences"][1]
    checked = 0
    for row in night["frames"]:
        data = (made[0] / "pairs" / night["sequence"] / "lwir" / f"{row['frame']}.jpg").read_bytes()
        tir = decode_tir(data, "tir").astype(np.float32)
        inverse = np.linalg.inv(np.array(row["homography"]).reshape(3, 3))
        for item in row["objects"]:
            if item["name"] != "person" or item["visibility"] < 0.95 or item["box"][3] < 20:
                continue
            corner = boxes.project(inverse, boxes.corners(item["box"]))
            (x0, y0), (x1, y1) = corner.min(axis=0), corner.max(axis=0)
            if x0 < 4 or y0 < 4 or x1 > SIZE[0] - 4 or y1 > SIZE[1] - 4:
                continue
            third = (x1 - x0) / 3
            body = tir[int(y0 + 2) : int(y1 - 2), int(x0 + third) : int(x1 - third) + 1]
            hottest = np.percentile(body, 80)
            around = np.r_[tir[int(y0) : int(y1), int(x0) - 3], tir[int(y0) : int(y1), int(x1) + 3]]
            assert hottest > np.median(around) + 3
            checked += 1
    assert checked >= 2
