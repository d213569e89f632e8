"""`cmd-prep align` on sequences: a rig that is knocked, one not to be trusted, thermal frames that come late."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline import align, images
from pipeline.align import AlignConfig, AlignResult
from pipeline.align.calibration import SPLIT_LIMIT
from pipeline.align.chunk import Task, align_chunk
from pipeline.align.rows import Part
from pipeline.records import AlignedPair, PairFiles, read_rows
from pipeline.synthetic import sequences

from ...conftest import draw_pair

SIZE = (320, 256)


def store(root: Path, frame: int, rgb: np.ndarray, tir: np.ndarray) -> None:
    for side, picture in (("visible", rgb), ("lwir", tir)):
        path = root / f"set00/V000/{side}/I{frame:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(images.encode(picture, ".png"))


def shifted(seed: int, dx: float) -> tuple[np.ndarray, np.ndarray]:
    """A pair whose thermal picture lies ``dx`` pixels to the right."""
    rgb, tir = draw_pair(seed, SIZE)
    moved = cv2.warpAffine(tir, np.array([[1, 0, dx], [0, 1, 0.0]]), SIZE, borderMode=cv2.BORDER_REPLICATE)
    return rgb, moved.astype(np.uint8)


def run(root: Path, **settings: Any) -> tuple[list[AlignedPair], AlignResult]:
    config = {"root": root, "out": root.parent / "out", "manifest": "kaist", "estimate": "sequence", **settings}
    result = align.run(AlignConfig.model_validate(config), report=False)
    return list(read_rows(root.parent / "out/aligned.jsonl", AlignedPair)), result


def test_a_camera_that_was_knocked_is_noticed_and_its_frames_flagged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each of the frames 0 to 14 is shifted by 3 pixels, each after them by 12; frame 5 is knocked for itself."""
    root = tmp_path / "data"
    for frame in range(24):
        store(root, frame, *shifted(frame, 12 if frame >= 15 or frame == 5 else 3))
    rows, result = run(root, min_score=0)
    (camera,) = result.cameras.values()
    assert [row.frame for row in rows if "drift" in row.flags] == [f"I{frame:05d}" for frame in range(15, 24)]
    assert (camera.moved, camera.moved_from, camera.pairs) == (9, "set00/V000/I00015", 24)
    assert "9 of 24 pairs, from set00/V000/I00015 on" in caplog.text


def test_a_rig_whose_halves_disagree_is_not_trusted_and_registered_pair_by_pair(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "data"
    for frame in range(4):
        store(root, frame, *shifted(frame, 10 if frame % 2 else -10))
    with caplog.at_level(logging.WARNING):
        rows, result = run(root, min_score=0, model="translation")
    ((name, camera),) = result.cameras.items()
    assert camera.trusted is False
    assert camera.split > SPLIT_LIMIT
    assert f"camera {name}: two halves of its frames disagree by {camera.split:.1f} px" in caplog.text
    found = [row.homography[2] for row in rows]
    assert np.allclose(found, [10, -10, 10, -10], atol=0.3)
    assert not (root.parent / "out/homographies.json").exists()


def test_a_sound_rig_is_trusted_and_none_of_its_pairs_flagged(tmp_path: Path) -> None:
    root = tmp_path / "data"
    for frame in range(10):
        store(root, frame, *shifted(frame, 6))
    rows, result = run(root)
    (camera,) = result.cameras.values()
    assert (camera.trusted, camera.moved, camera.pairs) == (True, 0, 10)
    assert camera.split < 1
    assert result.flags == {}
    assert len({row.homography for row in rows}) == 1


@pytest.mark.parametrize("flag", ["size_mismatch", "swapped_modalities"])
def test_frames_that_all_bear_a_flag_have_one_matrix_all_the_same(tmp_path: Path, flag: str) -> None:
    root = tmp_path / "data"
    for frame in range(6):
        rgb, tir = shifted(frame, 6)
        grey = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        store(root, frame, *((rgb, tir[:, 20:-20]) if flag == "size_mismatch" else (np.asarray(grey, np.uint8), tir)))
    rows, result = run(root)
    assert result.flags[flag] == 6
    assert [camera.pairs for camera in result.cameras.values()] == [6]
    assert len({row.homography for row in rows}) == 1


@pytest.mark.parametrize(("offset", "marked"), [(0, 0), (2, 16)])
def test_thermal_frames_that_come_late_throughout_are_flagged(tmp_path: Path, offset: int, marked: int) -> None:
    root = tmp_path / "data"
    made = [sequences.pair(5, 0, frame, SIZE) for frame in range(16 + offset)]
    for frame in range(16):
        store(root, frame, made[frame][0], made[frame + offset][1])
    rig = {"cameras": {"set00/V000": {"homography": sequences.rig(5, 0, SIZE).ravel().tolist()}}}
    known = tmp_path / "known.json"
    known.write_text(json.dumps(rig))
    rows, result = run(root, estimate=None, homographies=known, min_score=0.01)
    assert result.flags.get("temporal_mismatch", 0) == marked
    assert {row.scores.get("time_offset") for row in rows} == {float(offset) if offset else None}


@pytest.mark.parametrize(("min_score", "reason", "flag"), [(0.3, "temporal_mismatch", None), (0, None, True)])
def test_pictures_that_their_timestamps_put_apart_are_rejected(
    tree: Path, min_score: float, reason: str | None, flag: bool | None
) -> None:
    files = {side: f"set00/V000/{side}/I00000.jpg" for side in ("visible", "lwir")}
    times = {"timestamp": 1.0, "skew": -0.08, "rgb": files["visible"], "tir": files["lwir"]}
    pair = PairFiles.model_validate(
        times | {"pair_id": "set00/V000/I00000", "sequence": "set00/V000", "frame": "I00000", "camera": "c"}
    )
    path = tree.parent / "part.jsonl"
    align_chunk(Task(path, AlignConfig(root=tree, out=tree.parent, min_score=min_score), (pair,), (), None, None))
    (part,) = read_rows(path, Part)
    assert (part.reject and part.reject.reason) == reason
    assert (part.aligned and "temporal_mismatch" in part.aligned.flags) == flag
