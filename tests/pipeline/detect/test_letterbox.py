"""Square or rectangle, and how many threads: boxes depend on the picture and the letterbox alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.random_yolo import export_onnx
from pipeline.detect import Detections, DetectorSpec
from pipeline.detect.base import Letterbox
from pipeline.detect.yolo.detector import YoloDetector, build
from pipeline.detect.yolo.exports import takes_any_size
from pipeline.errors import UsageError
from pipeline.files.json_text import read_json
from pipeline.images import Rgb

from ...conftest import Data, Run, told
from .conftest import WEIGHTS

LOW = 1e-7
"""A confidence at which random weights find a lot."""
SLOW_KINDS = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("trained", "export")]


@pytest.fixture(scope="module")
def exported(random_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    """The random model as ONNX."""
    pytest.importorskip("onnx", reason="needs onnx: pip install 'cmd-tir[onnx]'")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install 'cmd-tir[yolo]'")

    def export(dynamic: bool) -> Path:
        layers = tmp_path_factory.mktemp("export") / "random.pt"
        return export_onnx(Path(shutil.copy(random_weights, layers)), dynamic=dynamic)

    return export


@pytest.fixture(scope="module")
def dynamic(exported: Callable[[bool], Path]) -> Path:
    """It, for pictures of any size."""
    return exported(True)


@pytest.fixture
def sizes(pictures: dict[str, Rgb]) -> list[Rgb]:
    """Pictures of five sizes, one of which comes twice: upright, wide, strips, smaller and larger than the net's."""
    bus, zidane = pictures["bus"], pictures["zidane"]
    return [bus, zidane, bus[:512, :640], zidane[:, :200], zidane[:90], np.ascontiguousarray(bus[-512:, -640:])]


def detector(weights: Path, letterbox: Letterbox = "rect", at_once: int = 1) -> YoloDetector:
    confidence = 0.25 if weights == WEIGHTS else LOW
    return build(
        DetectorSpec(name="yolo", weights=weights, confidence=confidence, letterbox=letterbox, at_once=at_once)
    )


def found(model: YoloDetector, images: list[Rgb]) -> list[Detections]:
    return model.detect(images, [""] * len(images))


def same(one: list[Detections], other: list[Detections]) -> bool:
    return all(
        np.array_equal(a.boxes, b.boxes) and np.array_equal(a.scores, b.scores) and np.array_equal(a.classes, b.classes)
        for a, b in zip(one, other, strict=True)
    )


def predicted(weights: Path, images: list[Rgb]) -> list[Any]:
    """What ultralytics finds by its defaults, but for the confidence, on one thread: that decides the last bits."""
    import ultralytics

    model = ultralytics.YOLO(str(weights), task="detect")
    results, threads = [], torch.get_num_threads()
    for image in [images[0], *images]:
        results += model.predict(image[..., ::-1].copy(), conf=LOW, device="cpu", verbose=False)
        torch.set_num_threads(1)
    torch.set_num_threads(threads)
    return results[1:]


@pytest.mark.parametrize("kind", ["layers", pytest.param("export", marks=pytest.mark.slow)])
def test_a_rectangle_gives_the_boxes_of_predict(kind: str, request: pytest.FixtureRequest, sizes: list[Rgb]) -> None:
    weights: Path = request.getfixturevalue("random_weights" if kind == "layers" else "dynamic")
    for ours, theirs, image in zip(found(detector(weights), sizes), predicted(weights, sizes), sizes, strict=True):
        corners = theirs.boxes.xyxy.numpy().astype(np.float64)
        boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
        kept = (boxes[:, 2:] > 0).all(axis=1)
        assert kept.sum() > 10, image.shape
        assert np.abs(ours.boxes - boxes[kept]).max() < 0.01
        assert np.abs(ours.scores - theirs.boxes.conf.numpy()[kept]).max() < 1e-5


def test_a_rectangle_is_another_input_than_the_square(random_weights: Path, pictures: dict[str, Rgb]) -> None:
    strip = [pictures["zidane"]]
    assert not same(found(detector(random_weights), strip), found(detector(random_weights, "square"), strip))


def test_a_picture_s_rectangle_depends_on_it_alone(
    random_weights: Path, sizes: list[Rgb], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With forward passes of several pictures too, as a GPU has them."""
    model = detector(random_weights)
    alone = [found(model, [image])[0] for image in sizes]
    together: list[int] = []
    (worker,) = model.workers
    monkeypatch.setattr(model, "forward_size", 4)
    model._free.get()
    model._free.put(lambda images: (together.append(len(images)), worker(images))[1])
    assert same(found(model, sizes), alone)
    assert sorted(together) == [1, 1, 1, 1, 2]


@pytest.mark.parametrize("kind", ["layers", *SLOW_KINDS])
def test_boxes_are_the_same_to_the_bit_for_any_number_of_threads(
    kind: str, request: pytest.FixtureRequest, sizes: list[Rgb]
) -> None:
    names = {"layers": "random_weights", "export": "dynamic"}
    weights = request.getfixturevalue(names[kind]) if kind in names else WEIGHTS
    if kind == "trained":
        request.getfixturevalue("trained")
    letterbox: Letterbox = "square" if kind == "trained" else "rect"
    results, before = [], torch.get_num_threads()
    for threads in (1, 2, 4):
        torch.set_num_threads(threads)
        model = detector(weights, letterbox, threads)
        assert (len(model.workers), torch.get_num_threads()) == (threads, threads)
        results.append(found(model, sizes))
    torch.set_num_threads(before)
    assert sum(map(len, results[0])) > 6
    assert same(results[0], results[1])
    assert same(results[0], results[2])


def test_threads_share_weights_and_nothing_that_a_picture_changes(random_weights: Path) -> None:
    """The last layer keeps the grid of the last picture's size, by which another's boxes would be placed."""
    heads = [worker.model.model.model[-1] for worker in detector(random_weights, at_once=3).workers]  # type: ignore[attr-defined]
    assert len(set(map(id, heads))) == 3
    assert len({id(next(head.parameters())) for head in heads}) == 1


def test_onnxruntime_takes_one_thread_a_picture(trained: YoloDetector) -> None:
    session = trained.workers[0].model.session  # type: ignore[attr-defined]
    assert session.get_session_options().intra_op_num_threads == 1


@pytest.mark.slow
def test_an_export_of_one_size_takes_no_rectangle(
    exported: Callable[[bool], Path], dynamic: Path, data: Data, prep: Run
) -> None:
    static = exported(False)
    assert (takes_any_size(static), takes_any_size(dynamic)) == (False, True)
    refuses(prep, data, static)


def test_the_trained_export_takes_no_rectangle(trained: YoloDetector, data: Data, prep: Run) -> None:
    refuses(prep, data, WEIGHTS)


def refuses(prep: Run, data: Data, static: Path) -> None:
    """Whichever letterbox is asked for: it would do nothing."""
    base = ("mine", "--aligned", data.aligned, "--out", data.root / "s", "--method", "detection", "--weights", static)
    for choice in ("rect", "square"):
        told(prep(*base, "--letterbox", choice), 2, "--letterbox has no effect here", "an .onnx export of dynamic size")
    assert not (data.root / "s").exists()
    with pytest.raises(UsageError, match="takes one size alone: leave out --letterbox rect"):
        detector(static)


@pytest.mark.parametrize(("name", "any_size"), [("a.pt", True), ("gone.onnx", True), ("a.torchscript", False)])
def test_what_is_no_graph_is_told_by_its_kind(tmp_path: Path, name: str, any_size: bool) -> None:
    assert takes_any_size(tmp_path / name) is any_size


def test_a_graph_that_cannot_be_read_is_left_to_the_detector(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install 'cmd-tir[yolo]'")
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    assert takes_any_size(tmp_path / "bad.onnx")


def test_the_rectangle_is_recorded_and_goes_on_by_itself_alone(data: Data, prep: Run, random_weights: Path) -> None:
    data.rewrite(list(data.rows[:2]))
    base = ("mine", "--aligned", data.aligned, "--method", "detection", "--weights", random_weights)
    rect, square = data.root / "rect", data.root / "square"
    for out, words in ((rect, ("--letterbox", "rect")), (square, ())):
        result = prep(*base, "--out", out, *words)
        assert result.exit_code == 0, result.output
    index = read_json(rect / "index.json")
    assert index["settings"]["letterbox"] == "rect"
    assert "--letterbox rect" in " ".join(index["command"])
    # As it was before there was a choice.
    assert "letterbox" not in read_json(square / "index.json")["settings"]
    told(prep(*base, "--out", rect), 2, "letterbox")
    told(prep(*base, "--out", square, "--letterbox", "rect"), 2, "letterbox")
    assert prep(*base, "--out", square, "--letterbox", "square").exit_code == 0
