"""Which weights YOLO takes: rebuilt without running their code, refused by name, never fetched."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.random_yolo import write_random_yolo
from pipeline.detect import DetectorSpec
from pipeline.detect.yolo.detector import YoloDetector, build
from pipeline.errors import DataError, UsageError
from pipeline.images import Rgb

from ...conftest import Data, Run, shared, told
from .conftest import WEIGHTS


@pytest.mark.parametrize("name", ["yolov8n.yaml", "mine.yml", "gone/yolov8n.yaml"])
def test_a_list_of_layers_is_no_weights(data: Data, prep: Run, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ultralytics would make a network of it, with random weights."""
    monkeypatch.chdir(data.root)
    Path("mine.yml").write_text("nc: 80\nbackbone: []\nhead: []\n")
    words = ("--aligned", data.aligned, "--method", "detection", "--weights", name, "--out", "shards")
    told(prep("mine", *words), 2, f"{name}: a YAML lists layers and holds no weights", "yolov8n.pt", "--weights PATH")


@pytest.fixture
def tasks(random_model: YoloDetector) -> Any:
    """ultralytics.nn.tasks, imported only after the environment was set up."""
    import ultralytics.nn.tasks

    return ultralytics.nn.tasks


def test_a_pickled_model_is_rebuilt_exactly(tasks: Any, pictures: dict[str, Rgb], tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = tasks.DetectionModel(tasks.yaml_model_load("yolov8n.yaml"), nc=3, verbose=False)
    noise = {name: (torch.rand(value.shape) / 50).to(value.dtype) for name, value in model.state_dict().items()}
    model.load_state_dict({name: value + noise[name] for name, value in model.state_dict().items()})
    model.names = {0: "a", 1: "b", 2: "c"}
    notes = {"fitness": np.float64(0.5), "save_dir": tmp_path}
    torch.save({"model": model, "ema": None, "train_args": notes}, tmp_path / "m.pt")
    detector = build(DetectorSpec(name="yolo", weights=tmp_path / "m.pt", confidence=1e-7))
    rebuilt = detector.workers[0].model.model  # type: ignore[attr-defined]
    fused = model.eval().fuse(verbose=False)
    assert rebuilt.state_dict().keys() == fused.state_dict().keys()
    assert all(torch.equal(value, rebuilt.state_dict()[name]) for name, value in fused.state_dict().items())
    assert rebuilt.names == model.names
    assert detector.class_names == {80: "a", 81: "b", 82: "c"}
    assert set(detector.detect([pictures["bus"]], [""])[0].classes.tolist()) <= {80, 81, 82}


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def attack_by_pickle(tasks: Any, trace: Path) -> object:
    return Touch(trace)


def attack_by_activation(tasks: Any, trace: Path) -> object:
    model = tasks.DetectionModel(tasks.yaml_model_load("yolov8n.yaml"), verbose=False)
    model.yaml["activation"] = f"open({str(trace)!r}, 'w')"
    return model


def attack_by_layer(tasks: Any, trace: Path) -> object:
    model = tasks.DetectionModel(tasks.yaml_model_load("yolov8n.yaml"), verbose=False)
    model.yaml["backbone"][0][2] = "torch_safe_load"
    return model


@pytest.mark.parametrize("attack", [attack_by_pickle, attack_by_activation, attack_by_layer])
def test_a_malicious_file_is_refused_and_runs_nothing(tasks: Any, tmp_path: Path, attack: Any) -> None:
    trace = tmp_path / "trace"
    torch.save({"model": attack(tasks, trace)}, tmp_path / "m.pt")
    with pytest.raises(DataError, match=r"m\.pt: (refused as weights|cannot rebuild the model): ") as caught:
        build(DetectorSpec(name="yolo", weights=tmp_path / "m.pt"))
    assert "\n" not in str(caught.value)
    assert not trace.exists()


@pytest.mark.parametrize("name", ["best.pt.onnx", "best.pth", "best.pt2", "best"])
def test_a_file_that_ultralytics_might_unpickle_is_not_handed_to_it(
    pictures: object, tmp_path: Path, name: str
) -> None:
    torch.save(Touch(tmp_path / "trace"), tmp_path / name)
    with pytest.raises(UsageError, match="not a kind of YOLO weights"):
        build(DetectorSpec(name="yolo", weights=tmp_path / name))
    assert not (tmp_path / "trace").exists()


def test_other_models_and_broken_files_are_named(tasks: Any, tmp_path: Path) -> None:
    torch.save({"model": torch.nn.Sequential(torch.nn.SiLU())}, tmp_path / "seq.pt")
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    expected = {
        "seq.pt": "holds a Sequential, not a YOLO detection model",
        "bad.onnx": "pass a YOLO detection model",
    }
    for name, message in expected.items():
        with pytest.raises(DataError, match=message) as caught:
            build(DetectorSpec(name="yolo", weights=tmp_path / name))
        assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("weights", [None, "yolov8n.pt", "yolo11n", "https://example.com/yolov8n.pt", "yolov8n.yaml"])
def test_weights_that_are_not_there_are_never_fetched(
    pictures: object, weights: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_args: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="--weights PATH"):
        build(DetectorSpec(name="yolo", weights=Path(weights) if weights else None))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics.nn.tasks", None)
    with pytest.raises(UsageError, match=r'pip install "cmd-tir\[yolo\]"'):
        build(DetectorSpec(name="yolo", weights=Path("yolov8n.pt")))


@pytest.mark.parametrize(
    "error",
    [
        type("InvalidArgument", (Exception,), {})("[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got: 640\nmore"),
        type("NotImplemented", (Exception,), {})("Could not find an implementation for Einsum"),
        RuntimeError("Expected 4D input\nwhile tracing"),
        KeyError("names"),
        SystemError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_runtime_says_of_weights_is_told_with_their_name(
    random_weights: Path, tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """onnxruntime's errors derive from nothing but Exception."""
    from ultralytics.models.yolo.detect import DetectionPredictor

    def fail(*_given: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(DetectionPredictor, "__call__", fail)
    with pytest.raises(DataError) as caught:
        build(DetectorSpec(name="yolo", weights=random_weights))
    assert str(caught.value).startswith(f"{random_weights}: ")
    assert f"({type(error).__name__}): pass a YOLO detection model" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), OSError(28, "full")])
def test_want_of_memory_is_not_blamed_on_the_weights(
    random_weights: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ultralytics.models.yolo.detect import DetectionPredictor

    def fail(*_given: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(DetectionPredictor, "__call__", fail)
    with pytest.raises(type(error)):
        build(DetectorSpec(name="yolo", weights=random_weights))


def test_a_model_for_another_task_or_size_is_told_with_what_fits() -> None:
    """A real one: the backbone of a tracker."""
    pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install 'cmd-tir[yolo]'")
    path = shared("weights/nanotrackv2_nanotrack_backbone_sim.onnx")
    with pytest.raises(DataError, match=r"backbone_sim\.onnx: .*\(InvalidArgument\): pass a YOLO detection model"):
        build(DetectorSpec(name="yolo", weights=path))


@pytest.mark.slow
def test_nothing_is_written_outside_the_temporary_folder_and_no_host_is_called(tmp_path: Path) -> None:
    pytest.importorskip("ultralytics", reason="needs ultralytics: pip install 'cmd-tir[yolo]'")
    weights = WEIGHTS if WEIGHTS.is_file() else write_random_yolo(tmp_path / "random.pt")
    code = (
        "import sys, socket, pathlib, numpy\n"
        "sys.addaudithook(lambda event, args: event in ('socket.connect', 'socket.getaddrinfo') and sys.exit(event))\n"
        "from pipeline.detect import DetectorSpec, build_detector\n"
        "detector = build_detector(DetectorSpec(name='yolo', weights=pathlib.Path(sys.argv[1])))\n"
        "detector.detect([numpy.zeros((64, 64, 3), numpy.uint8)], ['a'])\n"
    )
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    root = str(Path(__file__).resolve().parents[3])
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("YOLO_", "ORT_", "PYTEST_", "XDG_"))}
    environment = kept | {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONPATH": root, "CI": ""}
    command = [sys.executable, "-c", code, str(weights)]
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [*home.iterdir(), *temporary.iterdir()] == []
