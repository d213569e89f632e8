"""cmd-train export of NanoTrack: two files that OpenCV tracks with, and the authors' own checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from pipeline.next_command import CONFIG
from trainer.checkpoints.exports import opencv
from trainer.checkpoints.weights import load_into, load_weights, save_weights
from trainer.commands.train import main as cmd_train
from trainer.net.nano import nanotrack_v2

from ....conftest import done, shared, told
from ...net.nano.drawn import drawn_network


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights on a backbone that nobody released."""
    path = tmp_path_factory.mktemp("student") / "student.safetensors"
    save_weights(drawn_network().state_dict(), path)
    return path


def export(*words: object) -> object:
    return CliRunner().invoke(cmd_train, ["export", *map(str, words)])


def frames(count: int) -> list[np.ndarray]:
    """A warm square that walks over cold ground."""
    ground = np.random.default_rng(0).integers(30, 60, (160, 200), dtype=np.uint8)
    made = []
    for step in range(count):
        frame = ground.copy()
        frame[60:90, 70 + 3 * step : 105 + 3 * step] = 220
        made.append(cv2.merge([frame] * 3))
    return made


def follow(backbone: Path, head: Path) -> list[tuple[int, ...]]:
    params = cv2.TrackerNano.Params()
    params.backbone, params.neckhead = str(backbone), str(head)
    tracker = cv2.TrackerNano.create(params)
    first, *rest = frames(5)
    tracker.init(first, (70, 60, 35, 30))
    return [tracker.update(frame)[1] for frame in rest]


def test_opencv_tracks_with_an_exported_student(student: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "nano"
    told_of = done(export(student, "--tracker", "nanotrack_v2", "--format", "opencv", "--own-backbone", "--out", out))
    assert sorted(path.name for path in out.iterdir()) == ["backbone.onnx", CONFIG, "head.onnx"]
    assert str(out / "head.onnx") in told_of
    boxes = follow(out / "backbone.onnx", out / "head.onnx")
    assert len(boxes) == 4
    assert all(w > 0 and h > 0 for _, _, w, h in boxes)


def test_opencv_gives_the_boxes_of_the_released_files(tmp_path: Path) -> None:
    names = ("backbone", "head")
    released = [shared(f"weights/nanotrackv2_nanotrack_{name}_sim.onnx") for name in names]
    done(export(shared("weights/nanotrackv2.pth"), "--tracker", "nanotrack_v2", "--out", tmp_path))
    boxes = follow(*(tmp_path / f"{name}.onnx" for name in names))
    assert boxes == follow(*released)
    for step, box in enumerate(boxes, start=1):
        assert abs(box[0] + box[2] / 2 - (87 + 3 * step)) < 6
        assert abs(box[1] + box[3] / 2 - 75) < 6


@pytest.mark.parametrize("name", ["nanotrackv2.pth", "nanotrackv2_nanotrack_head_sim.onnx"])
def test_the_released_backbone_is_known(name: str) -> None:
    net = nanotrack_v2()
    load_into(net, load_weights(shared(f"weights/{name}")), name)
    assert opencv.backbone_digest(net) in opencv.RELEASED


def test_an_exported_folder_is_exported_again_as_it_was(tmp_path: Path) -> None:
    done(export(shared("weights/nanotrackv2.pth"), "--tracker", "nanotrack_v2", "--out", tmp_path / "once"))
    done(export(tmp_path / "once", "--tracker", "nanotrack_v2", "--out", tmp_path / "twice"))
    for name in ("backbone.onnx", "head.onnx"):
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()


def test_another_backbone_is_refused_with_what_was_compared(student: Path, tmp_path: Path) -> None:
    result = export(student, "--tracker", "nanotrack_v2", "--format", "opencv", "--out", tmp_path / "out")
    told(
        result,
        3,
        "backbone is not the released one",
        "SHA-256 of its weights with batch-norms folded",
        "--own-backbone",
    )
    assert not (tmp_path / "out").exists()


def test_one_weight_of_the_backbone_makes_another() -> None:
    net = drawn_network()
    before = opencv.backbone_digest(net)
    net.ban_head.get_parameter("cls_pred.0.bias").data += 1
    assert opencv.backbone_digest(net) == before
    net.backbone.get_parameter("features.8.conv.8.bias").data[3] += 1e-3
    assert opencv.backbone_digest(net) != before


def test_an_opencv_without_the_tracker(student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "TrackerNano")
    words = (student, "--tracker", "nanotrack_v2", "--format", "opencv", "--own-backbone", "--out", tmp_path / "out")
    told(export(*words), 2, f"this OpenCV ({cv2.__version__}) has no TrackerNano", "pip install opencv-python")
    assert not (tmp_path / "out").exists()


def test_without_onnx(student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    words = (student, "--tracker", "nanotrack_v2", "--format", "opencv", "--own-backbone", "--out", tmp_path / "out")
    told(export(*words), 2, 'pip install "cmd-tir[onnx]"')
    assert not (tmp_path / "out").exists()


def test_pytorch_has_the_authors_keys(student: Path, tmp_path: Path) -> None:
    out = tmp_path / "student.pth"
    done(export(student, "--tracker", "nanotrack_v2", "--format", "pytorch", "--out", out))
    content = torch.load(out, weights_only=True)
    assert list(content) == ["state_dict"]
    wanted = drawn_network().state_dict()
    assert list(content["state_dict"]) == list(wanted)
    assert all(content["state_dict"][name].equal(value) for name, value in wanted.items())


@pytest.mark.parametrize(
    ("tracker", "words", "said"),
    [
        ("dimp18", ["--format", "opencv"], "--format opencv: dimp18 can be exported as pytracking"),
        ("nanotrack_v2", ["--format", "pytracking"], "nanotrack_v2 can be exported as opencv or pytorch"),
        ("nanotrack_v2", ["--format", "pytorch", "--own-backbone"], "--own-backbone has no effect on --format pytorch"),
    ],
)
def test_formats_that_a_tracker_does_not_have(
    student: Path, tmp_path: Path, tracker: str, words: list[str], said: str
) -> None:
    told(export(student, "--tracker", tracker, *words, "--out", tmp_path / "out"), 2, said)
    assert not list(tmp_path.iterdir())


def test_a_file_where_a_folder_is_meant_and_the_other_way_round(student: Path, tmp_path: Path) -> None:
    file, words = tmp_path / "student.pth", (student, "--tracker", "nanotrack_v2", "--own-backbone")
    file.write_text("kept")
    told(export(*words, "--out", file), 2, f"--out {file}: is a file, and --format opencv writes two into a folder")
    words = (student, "--tracker", "nanotrack_v2", "--format", "pytorch")
    told(export(*words, "--out", tmp_path), 2, f"--out {tmp_path}: is a folder, and --format pytorch writes one file")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["kept"]


def test_weights_of_another_tracker(tmp_path: Path) -> None:
    save_weights({"feature_extractor.conv1.weight": torch.ones(1)}, tmp_path / "other.safetensors")
    result = export(tmp_path / "other.safetensors", "--tracker", "nanotrack_v2", "--out", tmp_path / "out")
    told(result, 3, "cannot export as nanotrack_v2", "missing (backbone.features.0.0.weight")
