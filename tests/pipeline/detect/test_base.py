from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.detect import Detections, DetectorSpec, build_detector
from pipeline.detect.base import required_weights
from pipeline.errors import UsageError
from pipeline.files.hashing import file_sha256


def test_boxes_are_clipped_and_those_outside_dropped() -> None:
    boxes = [[-10, -10, 30, 20], [90, 40, 50, 50], [100, 0, 5, 5], [10, 10, 0, 5]]
    found = Detections.clipped(boxes, [0.5, 0.6, 0.7, 0.8], [1, 2, 3, 4], 100, 50)
    assert found.boxes.tolist() == [[0, 0, 20, 10], [90, 40, 10, 10]]
    assert found.scores.tolist() == pytest.approx([0.5, 0.6])
    assert found.classes.tolist() == [1, 2]
    assert [array.dtype.name for array in (found.boxes, found.scores, found.classes)] == ["float64", "float32", "int16"]


def test_nothing_found_has_the_shapes_of_something_found() -> None:
    for nothing in (Detections.empty(), Detections.clipped([], [], [], 10, 10)):
        assert nothing.boxes.shape == (0, 4)
        assert nothing.scores.shape == nothing.classes.shape == (0,)
        assert len(nothing) == 0


def test_spec_crosses_a_process_border_and_refuses_unknown_keys() -> None:
    spec = DetectorSpec(name="boxes", detections=Path("a.jsonl"))
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert hash(spec) == hash(DetectorSpec(name="boxes", detections=Path("a.jsonl")))
    for wrong in ({"name": "ssd"}, {"name": "yolo", "conf": 0.1}, {"name": "yolo", "confidence": 1.5}):
        with pytest.raises(ValidationError):
            DetectorSpec.model_validate(wrong)


def test_equal_settings_build_one_detector_a_process(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("")
    first = build_detector(DetectorSpec(name="boxes", detections=file))
    assert build_detector(DetectorSpec(name="boxes", detections=file)) is first
    assert build_detector(DetectorSpec(name="boxes", detections=file, confidence=0.5)) is not first


def test_importing_the_registry_loads_no_detector_library() -> None:
    code = "import sys, pipeline.detect; print(sorted({'torch', 'torchvision', 'ultralytics'} & {*sys.modules}))"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"


def test_missing_weights_say_which_file_and_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--detector yolo needs a weights file: fetch it and pass --weights PATH"):
        required_weights(None, "yolo", "fetch it")
    with pytest.raises(UsageError, match=r"no such weights file: .*gone\.pt: fetch it"):
        required_weights(tmp_path / "gone.pt", "yolo", "fetch it")
    with pytest.raises(UsageError, match="no such weights file"):
        required_weights(tmp_path, "yolo", "fetch it")


def test_sha256_is_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"abc")
    assert file_sha256(tmp_path / "w") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
