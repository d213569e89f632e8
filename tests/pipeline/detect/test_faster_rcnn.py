from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.detect import DetectorSpec
from pipeline.detect.classes import COCO_NAMES, names_beyond_coco
from pipeline.detect.faster_rcnn import FasterRcnnDetector, build
from pipeline.errors import DataError, UsageError

CONFIG = "COCO-Detection/faster_rcnn_R_50_FPN_3x.yaml"


def test_scores_are_filtered_and_corners_become_boxes() -> None:
    def predict(image: np.ndarray) -> Any:
        corners = np.array([[1.0, 2, 11, 22], [0, 0, 5, 5], [50, 30, 90, 90]])
        return corners, np.array([0.9, 0.2, 0.25], np.float32), np.array([3, 4, 5])

    found = FasterRcnnDetector(predict, "", 0.25).detect([np.zeros((40, 60, 3), np.uint8)] * 2, ["a", "b"])
    assert len(found) == 2
    assert found[1].boxes.tolist() == [[1, 2, 10, 20], [50, 30, 10, 10]]
    assert found[1].classes.tolist() == [3, 5]


@pytest.mark.parametrize("backend", ["auto", "detectron2"])
def test_missing_detectron2_says_how_to_install_it(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "detectron2", None)
    with pytest.raises(UsageError) as caught:
        build(DetectorSpec(name="faster-rcnn", backend=backend, config=CONFIG))
    line = 'pip install --no-build-isolation "detectron2 @ git+https://github.com/facebookresearch/detectron2.git"'
    assert line in str(caught.value)
    assert "setuptools<81" in str(caught.value)


def test_missing_torchvision_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(UsageError, match=r'pip install "cmd-tir\[faster-rcnn\]"'):
        build(DetectorSpec(name="faster-rcnn"))


class FakeModel(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 2)
        self.register_buffer("pixel_mean", torch.zeros(3))


@pytest.fixture
def detectron2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """A stand-in for detectron2 that records what it is asked; it finds one box, scored by the picture's blue."""
    seen = SimpleNamespace(config=None, unsafe=None, file=None, model=FakeModel(), names=None, classes=80)

    class Config(SimpleNamespace):
        def merge_from_file(self, file: str, allow_unsafe: bool = True) -> None:
            seen.file, seen.unsafe = file, allow_unsafe

    class DefaultPredictor:
        def __init__(self, config: Config) -> None:
            seen.config = config
            self.model = seen.model
            if seen.names:
                self.metadata = SimpleNamespace(get={"thing_classes": seen.names}.get)

        def __call__(self, image: np.ndarray) -> dict[str, Any]:
            instances = SimpleNamespace(
                pred_boxes=SimpleNamespace(tensor=torch.tensor([[1.0, 2, 11, 22]])),
                scores=torch.tensor([image[0, 0, 0] / 255]),
                pred_classes=torch.tensor([5]),
            )
            instances.to = lambda _device: instances
            return {"instances": instances}

    def get_cfg() -> Config:
        heads = SimpleNamespace(NUM_CLASSES=seen.classes)
        model = SimpleNamespace(WEIGHTS="https://example.com/w.pkl", DEVICE="cuda", ROI_HEADS=heads)
        return Config(MODEL=model)

    def get_config_file(name: str) -> str:
        if name != CONFIG:
            raise RuntimeError(f"{name} not available in Model Zoo!")
        return f"/zoo/{name}"

    parts: dict[str, dict[str, object]] = {
        "detectron2": {},
        "detectron2.engine": {"DefaultPredictor": DefaultPredictor},
        "detectron2.config": {"get_cfg": get_cfg},
        "detectron2.model_zoo": {"get_config_file": get_config_file},
    }
    for name, content in parts.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    vars(sys.modules["detectron2"])["model_zoo"] = sys.modules["detectron2.model_zoo"]
    return seen


def test_detectron2_runs_on_local_weights_alone(detectron2: SimpleNamespace, tmp_path: Path) -> None:
    state = {"layer.weight": torch.full((2, 1), 7.0), "layer.bias": torch.ones(2)}
    torch.save({"model": state}, tmp_path / "w.pth")
    detector = build(DetectorSpec(name="faster-rcnn", config=CONFIG, weights=tmp_path / "w.pth", confidence=0.3))
    assert (detectron2.file, detectron2.unsafe) == (f"/zoo/{CONFIG}", False)
    model = detectron2.config.MODEL
    assert (model.WEIGHTS, model.DEVICE, model.ROI_HEADS.SCORE_THRESH_TEST) == ("", "cpu", 0.3)
    assert detectron2.model.layer.weight.tolist() == [[7.0], [7.0]]
    blue, red = np.zeros((40, 60, 3), np.uint8), np.zeros((40, 60, 3), np.uint8)
    blue[..., 2], red[..., 0] = 255, 255
    found = detector.detect([blue, red], ["a", "b"])
    assert found[0].boxes.tolist() == [[1, 2, 10, 20]]
    assert found[0].classes.tolist() == [5]
    assert len(found[1]) == 0  # detectron2 gets B, G, R: red is not in its first channel


@pytest.mark.parametrize("known", [True, False])
def test_detectron2_classes_go_by_the_names_of_the_data_set_in_the_config_where_they_are_its_own(
    detectron2: SimpleNamespace, tmp_path: Path, known: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A config that took over the data set of another, with another number of classes, says no names."""
    names = ["rider", "dog", "deer", "wheel", "tree", "sofa"]
    detectron2.classes, detectron2.names = len(names), names if known else list(COCO_NAMES)
    torch.save(FakeModel().state_dict(), tmp_path / "w.pth")
    detector = build(DetectorSpec(name="faster-rcnn", config=CONFIG, weights=tmp_path / "w.pth", confidence=0))
    found = detector.detect([np.zeros((40, 60, 3), np.uint8)], ["a"])[0]
    assert found.classes.tolist() == [COCO_NAMES.index("couch") if known else 5]
    own = {80: "deer", 81: "rider", 82: "tree", 83: "wheel"}
    assert names_beyond_coco(detector.class_names) == (own if known else {})
    assert ("w.pth: 6 classes without names: they go by their numbers from 0 on" in caplog.text) is not known


def test_detectron2_takes_a_config_file(detectron2: SimpleNamespace, tmp_path: Path) -> None:
    torch.save(FakeModel().state_dict(), tmp_path / "w.pth")
    (tmp_path / "c.yaml").write_text("")
    build(DetectorSpec(name="faster-rcnn", config=str(tmp_path / "c.yaml"), weights=tmp_path / "w.pth"))
    assert detectron2.file == str(tmp_path / "c.yaml")


def test_detectron2_refuses_other_weights_and_unknown_configs(detectron2: SimpleNamespace, tmp_path: Path) -> None:
    torch.save({"layer.weight": torch.ones(2, 1)}, tmp_path / "w.pth")
    with pytest.raises(DataError, match=r"1 tensors such as layer\.bias missing"):
        build(DetectorSpec(name="faster-rcnn", config=CONFIG, weights=tmp_path / "w.pth"))
    with pytest.raises(UsageError, match=r"no such detectron2 config: other\.yaml"):
        build(DetectorSpec(name="faster-rcnn", config="other.yaml", weights=tmp_path / "w.pth"))
    with pytest.raises(UsageError, match="detectron2 needs a config"):
        build(DetectorSpec(name="faster-rcnn", backend="detectron2", weights=tmp_path / "w.pth"))


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        # An RPN, a panoptic head without boxes, and a Fast R-CNN, which asks for regions that others found.
        (KeyError("instances"), r"w\.pth: 'instances' \(KeyError\): COCO-\S+ finds no boxes with classes: pass a YAML"),
        (
            AttributeError("Cannot find field 'pred_boxes' in the given Instances!"),
            r"w\.pth: Cannot find field 'pre",
        ),
        (AssertionError(), r"w\.pth: an error without a message \(AssertionError\): COCO-\S+ finds no boxes"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_detectron2_models_without_boxes_are_told_before_the_work(
    detectron2: SimpleNamespace, tmp_path: Path, error: Exception, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise error

    monkeypatch.setattr(sys.modules["detectron2.engine"].DefaultPredictor, "__call__", fail)
    torch.save(FakeModel().state_dict(), tmp_path / "w.pth")
    with pytest.raises(DataError, match=fault):
        build(DetectorSpec(name="faster-rcnn", config=CONFIG, weights=tmp_path / "w.pth"))


def test_detectron2_weights_of_other_shapes_are_told(detectron2: SimpleNamespace, tmp_path: Path) -> None:
    state = {"layer.weight": torch.ones(3, 1), "layer.bias": torch.ones(3)}
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(DataError, match=r"w\.pth: Error\(s\) in loading .*: not the weights of COCO-Det") as caught:
        build(DetectorSpec(name="faster-rcnn", config=CONFIG, weights=tmp_path / "w.pth"))
    assert "\n" not in str(caught.value)


def test_detectron2_configs_of_another_kind_are_told(
    detectron2: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(FakeModel().state_dict(), tmp_path / "w.pth")
    lazy, yaml = tmp_path / "lazy.py", tmp_path / "other.yaml"
    lazy.write_text(f"open({str(tmp_path / 'trace')!r}, 'w')\n")
    yaml.write_text("MODEL: {MASKIOU_ON: true}\n")
    with pytest.raises(DataError, match=r"lazy\.py: a LazyConfig is Python, which is not run: pass a YAML"):
        build(DetectorSpec(name="faster-rcnn", config=str(lazy), weights=tmp_path / "w.pth"))
    assert not (tmp_path / "trace").exists()

    def unknown(*_given: object, **_more: object) -> None:
        raise KeyError("Non-existent config key: MODEL.MASKIOU_ON")

    config = type(sys.modules["detectron2.config"].get_cfg())
    monkeypatch.setattr(config, "merge_from_file", unknown)
    with pytest.raises(
        DataError, match=r"other\.yaml: 'Non-existent config key: MODEL\.MASKIOU_ON' \(KeyError\): pass a"
    ):
        build(DetectorSpec(name="faster-rcnn", config=str(yaml), weights=tmp_path / "w.pth"))


def test_a_model_that_detectron2_cannot_make_is_told(
    detectron2: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise KeyError("No object named 'MyHead' found in 'ROI_HEADS' registry!")

    monkeypatch.setattr(sys.modules["detectron2.engine"].DefaultPredictor, "__init__", fail)
    torch.save(FakeModel().state_dict(), tmp_path / "w.pth")
    with pytest.raises(DataError, match=r"faster_rcnn_R_50_FPN_3x\.yaml: .No object named 'MyHead'.*detectron2 makes"):
        build(DetectorSpec(name="faster-rcnn", config=CONFIG, weights=tmp_path / "w.pth"))


def test_torchvision_is_the_default_and_asks_for_weights() -> None:
    pytest.importorskip("torchvision", reason="needs torchvision: pip install 'cmd-tir[faster-rcnn]'")
    with pytest.raises(UsageError, match="needs a weights file: download fasterrcnn_resnet50_fpn_v2_coco"):
        build(DetectorSpec(name="faster-rcnn"))


def test_torchvision_refuses_other_names_and_weights(tmp_path: Path) -> None:
    pytest.importorskip("torchvision", reason="needs torchvision: pip install 'cmd-tir[faster-rcnn]'")
    torch.save({"layer.weight": torch.ones(2, 1)}, tmp_path / "w.pth")
    with pytest.raises(UsageError, match="choose one of fasterrcnn_mobilenet"):
        build(DetectorSpec(name="faster-rcnn", config="fasterrcnn_vit", weights=tmp_path / "w.pth"))
    with pytest.raises(DataError, match=r"w\.pth: not the weights of torchvision's fasterrcnn_mobilenet_v3_large_fpn"):
        name = "fasterrcnn_mobilenet_v3_large_fpn"
        build(DetectorSpec(name="faster-rcnn", config=name, weights=tmp_path / "w.pth"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "outputs", "classes"),
    [(None, 91, range(-1, 80)), ("fasterrcnn_mobilenet_v3_large_320_fpn", 4, range(3))],
)
def test_torchvision_writes_contiguous_classes(
    tmp_path: Path,
    name: str | None,
    outputs: int,
    classes: range,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    models = pytest.importorskip("torchvision.models", reason="needs torchvision: pip install 'cmd-tir[faster-rcnn]'")

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("something was downloaded")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    torch.manual_seed(0)
    builder = name or "fasterrcnn_resnet50_fpn_v2"
    model = models.get_model(builder, weights=None, weights_backbone=None, num_classes=outputs)
    torch.save(model.state_dict(), tmp_path / "w.pth")
    spec = DetectorSpec(name="faster-rcnn", config=name, weights=tmp_path / "w.pth", confidence=0.5 / outputs)
    with caplog.at_level("WARNING"):
        detector = build(spec)
    assert (f"{outputs - 1} classes without names" in caplog.text) is bool(name)
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    found = detector.detect([image], ["a"])[0]
    assert len(found) > 0
    assert set(found.classes.tolist()) <= set(classes)
    assert (found.boxes[:, :2] + found.boxes[:, 2:] <= (160, 120)).all()
    if name:
        together = detector.detect([image[:100], image], ["b", "a"])[1]
        assert np.array_equal(together.boxes, found.boxes)
