"""Models of YOLO: the trained one of the reference material, and one with random weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.random_yolo import write_random_yolo
from pipeline.detect import DetectorSpec
from pipeline.detect.yolo.detector import YoloDetector, build
from pipeline.images import Rgb, decode_rgb

WEIGHTS = Path(__file__).resolve().parents[3] / ".." / "shared" / "weights" / "yolov8n_int8.onnx"


@pytest.fixture(scope="module")
def pictures() -> dict[str, Rgb]:
    """The two pictures that the ultralytics wheel ships."""
    package = pytest.importorskip("ultralytics", reason="needs ultralytics: pip install 'cmd-tir[yolo]'")
    folder = Path(package.__file__).parent / "assets"
    return {name: decode_rgb((folder / f"{name}.jpg").read_bytes(), name) for name in ("bus", "zidane")}


@pytest.fixture(scope="module")
def trained() -> YoloDetector:
    """The real quantised model."""
    if not WEIGHTS.is_file():
        pytest.skip("needs ../shared/weights/yolov8n_int8.onnx: real detection weights, not part of the project")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install 'cmd-tir[yolo]'")
    return build(DetectorSpec(name="yolo", weights=WEIGHTS))


@pytest.fixture(scope="module")
def random_weights(pictures: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """yolov8n with random weights, which score almost nothing."""
    return write_random_yolo(tmp_path_factory.mktemp("yolo") / "random.pt")


@pytest.fixture(scope="module")
def random_model(random_weights: Path) -> YoloDetector:
    """It, finding all there is."""
    return build(DetectorSpec(name="yolo", weights=random_weights, confidence=1e-7))
