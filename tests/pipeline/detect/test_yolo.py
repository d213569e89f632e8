from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.detect import Detections, DetectorSpec
from pipeline.detect.yolo import network
from pipeline.detect.yolo.detector import YoloDetector
from pipeline.files.hashing import file_sha256
from pipeline.images import Rgb
from pipeline.shards.reader import ShardReader

from ...conftest import Data, Run, done

PERSON, BUS, TIE = 0, 5, 27


def same(a: list[Detections], b: list[Detections]) -> bool:
    return all(
        np.array_equal(x.boxes, y.boxes) and np.array_equal(x.scores, y.scores) and np.array_equal(x.classes, y.classes)
        for x, y in zip(a, b, strict=True)
    )


class FakeYolo:
    """Counts calls, and finds one box that overhangs the picture, scored by the first pixel's red value."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, images: list[np.ndarray]) -> list[Any]:
        self.batches.append(len(images))
        return [self.result(int(image[0, 0, 2])) for image in images]

    @staticmethod
    def result(red: int) -> Any:
        boxes = {"xyxy": [[-5.0, 10, 20, 30]], "conf": [red / 255], "cls": [7.0]}
        return SimpleNamespace(boxes=SimpleNamespace(**{key: torch.tensor(value) for key, value in boxes.items()}))


@pytest.mark.parametrize(("count", "batches"), [(0, []), (3, [3]), (8, [8]), (19, [8, 8, 3])])
def test_any_number_of_pictures_is_cut_into_batches(count: int, batches: list[int]) -> None:
    images = [np.full((40, 60, 3), (i, 0, 255), np.uint8) for i in range(count)]
    fake = FakeYolo()
    found = YoloDetector([fake], "", 8).detect(images, [str(i) for i in range(count)])
    assert fake.batches == batches
    assert [round(float(one.scores[0]) * 255) for one in found] == list(range(count))
    assert all(one.boxes.tolist() == [[0, 10, 20, 20]] and one.classes.tolist() == [7] for one in found)


@pytest.mark.parametrize(("name", "number"), [("Person", 0), ("wild_boar", 80)])
def test_classes_go_by_the_names_of_the_model(name: str, number: int) -> None:
    detector = YoloDetector([FakeYolo()], "", 1, {0: "car", 7: name})
    (found,) = detector.detect([np.full((40, 60, 3), 255, np.uint8)], [""])
    assert found.classes.tolist() == [number]
    assert detector.class_names == {2: "car", number: name.lower().replace("_", " ")}


def test_names_that_ultralytics_makes_up_are_none(random_model: YoloDetector) -> None:
    assert random_model.class_names == {}


def test_real_weights_find_what_is_in_the_pictures(trained: YoloDetector, pictures: dict[str, Rgb]) -> None:
    bus, zidane = trained.detect([pictures["bus"], pictures["zidane"]], ["bus", "zidane"])
    assert Counter(bus.classes.tolist()) == {PERSON: 4, BUS: 1}
    assert (len(trained.class_names), trained.class_names[BUS]) == (80, "bus")
    assert Counter(zidane.classes.tolist()) == {PERSON: 2, TIE: 1}
    x, y, w, h = bus.boxes[bus.classes == BUS][0]
    assert (x < 60, w > 700, 200 < y < 260, 450 < h < 560) == (True,) * 4
    assert trained.weights_sha256 == "83de8f0d2cd521e00ae2b138c340a03dece35b060b3898509bdc69afff417312"
    for image, found in ((pictures["bus"], bus), (pictures["zidane"], zidane)):
        assert (found.boxes[:, :2] >= 0).all()
        assert (found.boxes[:, :2] + found.boxes[:, 2:] <= (image.shape[1], image.shape[0])).all()


@pytest.mark.parametrize("model", ["trained", pytest.param("random_model", marks=pytest.mark.slow)])
def test_boxes_do_not_depend_on_the_batch(
    model: str, pictures: dict[str, Rgb], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector: YoloDetector = request.getfixturevalue(model)
    images = [pictures["bus"], pictures["zidane"], pictures["bus"][:300], pictures["zidane"][:, :200]] * 2
    results = []
    for size in (1, 8):
        monkeypatch.setattr(detector, "forward_size", size)
        results.append(detector.detect(images, [""] * 8))
    assert sum(map(len, results[0])) > 8
    assert same(*results)


def test_an_exported_model_gets_one_picture_at_a_time(trained: YoloDetector) -> None:
    assert trained.forward_size == 1


def test_the_hash_is_that_of_the_file(random_model: YoloDetector, random_weights: Path) -> None:
    assert random_model.weights_sha256 == file_sha256(random_weights)


@pytest.mark.parametrize("device", ["cpu", "cuda:1"])
def test_ultralytics_is_given_a_device_of_torch(device: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of the name of a GPU some of its versions make another one, and hide the others from the process."""
    seen: list[object] = []

    class Predictor:
        def __init__(self, overrides: dict[str, object]) -> None:
            seen.append(overrides["device"])
            self.model = SimpleNamespace()

        def setup_model(self, *_given: object, **_more: object) -> None: ...

        def __call__(self, images: list[np.ndarray]) -> None: ...

    monkeypatch.setattr(network, "import_ultralytics", lambda name: SimpleNamespace(DetectionPredictor=Predictor))
    network.predictors(object(), tmp_path / "w.pt", DetectorSpec(name="yolo"), device)
    assert seen == [torch.device(device)]


@pytest.mark.slow
def test_mine_finds_on_a_gpu_what_it_finds_on_the_cpu(
    data: Data, prep: Run, random_weights: Path, device: torch.device
) -> None:
    """Random weights score all alike, so that some boxes come out in another order, or not."""
    found = {}
    for name, where in (("cpu", "cpu"), ("here", device)):
        words = ("--aligned", data.aligned, "--method", "detection", "--weights", random_weights, "--device", where)
        done(prep("mine", *words, "--confidence", "1e-7", "--out", data.root / name))
        (file,) = (data.root / name).glob("*.h5")
        found[name] = ShardReader(file).array("patches/box").astype(float)
    assert len(found["cpu"]) > 10
    apart = np.abs(found["here"][:, None] - found["cpu"]).max(axis=2).min(axis=1)
    assert (apart < 0.5).mean() > 0.9
