"""The tracker against OpenCV's TrackerNano, live, and against reference boxes of the released weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.boxes import iou
from trainer.checkpoints.nano_onnx import backbone_graph, head_graph
from trainer.net import build_network
from trainer.trackers import Tracker
from trainer.trackers.nano.rules import State

from ....conftest import shared
from ..conftest import scene
from .conftest import Frame, airplane

FRAMES = 80
"""Of the sequence ``airplane``, which has 380: those after them tell nothing else."""
ENGINES = ("torch", "onnxruntime")
Boxes = NDArray[np.float64]


def opencv(backbone: Path, head: Path) -> Any:
    """OpenCV's tracker on two files."""
    if not hasattr(cv2, "TrackerNano_create"):
        pytest.skip("this OpenCV has no TrackerNano: it comes with opencv-python from 4.7 on")
    params = cv2.TrackerNano_Params()
    params.backbone, params.neckhead = str(backbone), str(head)
    return cv2.TrackerNano_create(params)


def ours(weights: Path | dict[str, Tensor], engine: str, rules: str, device: str | torch.device = "cpu") -> Tracker:
    if engine == "onnxruntime":
        pytest.importorskip("onnxruntime", reason="engine=onnxruntime needs it")
    return Tracker("nanotrack_v2", weights, device, params={"rules": rules, "engine": engine})


def one_by_one(theirs: Any, tracker: Tracker, frames: Sequence[Frame], boxes: Boxes) -> tuple[Boxes, Boxes]:
    """What both say (n, 5) of each frame, box and score, having begun anew in the one before: the state is forced."""
    found = []
    for before, after, box in zip(frames, frames[1:], np.rint(boxes).astype(int)):
        theirs.init(_bgr(before), box.tolist())
        _, wanted = theirs.update(_bgr(after))
        tracker.start(before, box)
        found.append((np.append(wanted, theirs.getTrackingScore()), np.append(*tracker.update(after))))
    first, second = zip(*found)
    return np.array(first), np.array(second)


def _bgr(frame: Frame) -> Frame:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), np.uint8)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_random_network_is_tracked_as_opencv_tracks_it(
    weights: dict[str, Tensor], engine: str, tmp_path: Path
) -> None:
    pytest.importorskip("onnx", reason="OpenCV's tracker takes ONNX files")
    net = build_network("nanotrack_v2").eval()
    net.load_state_dict(weights)
    (tmp_path / "backbone.onnx").write_bytes(backbone_graph(net))
    (tmp_path / "head.onnx").write_bytes(head_graph(net))
    theirs = opencv(tmp_path / "backbone.onnx", tmp_path / "head.onnx")
    frames, boxes = scene(12)
    boxes += np.random.default_rng(0).uniform(-30, 30, boxes.shape)
    boxes[:3, :2] = -boxes[:3, 2:] / 4
    wanted, found = one_by_one(theirs, ours(weights, engine, "opencv"), frames, boxes)
    np.testing.assert_array_equal(found[:, :4], wanted[:, :4])
    np.testing.assert_allclose(found[:, 4], wanted[:, 4], atol=1e-4)
    assert np.abs(wanted[:, :4] - boxes[1:]).max() > 5


@pytest.mark.parametrize("engine", ENGINES)
def test_opencv_from_frame_to_frame(engine: str) -> None:
    weights, files = shared("weights/nanotrackv2.pth"), "weights/nanotrackv2_nanotrack_{}_sim.onnx"
    theirs = opencv(*(shared(files.format(part)) for part in ("backbone", "head")))
    frames, truth = airplane(FRAMES)
    wanted, found = one_by_one(theirs, ours(weights, engine, "opencv"), frames[::2], truth[::2])
    assert (wanted[:, :4] == found[:, :4]).all(axis=1).mean() >= 0.99
    np.testing.assert_allclose(np.median(np.abs(wanted - found)[:, 4]), 0, atol=1e-4)


def test_opencv_running_free() -> None:
    """By onnxruntime: by torch the last digits are others, a window is a pixel off sooner or later, and boxes part."""
    wanted = np.loadtxt(shared("nano/public_airplane_cv2_boxes.txt"), delimiter=",")[:FRAMES]
    frames, _ = airplane(FRAMES)
    tracker = ours(shared("weights/nanotrackv2.pth"), "onnxruntime", "opencv")
    tracker.start(frames[0], wanted[0])
    found = np.array([tracker.update(frame)[0] for frame in frames[1:]])
    assert np.median([iou(*each) for each in zip(wanted[1:], found)]) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_the_authors_rules_from_frame_to_frame(engine: str) -> None:
    """A row of the reference is the whole state, but for its fourth decimal."""
    wanted, frames = authors()
    tracker: Any = ours(shared("weights/nanotrackv2.pth"), engine, "pytorch")
    tracker.start(frames[0], wanted[0])
    tracker.update(frames[1])
    found = []
    for frame, (x, y, w, h) in zip(frames[2:], wanted[1:]):
        tracker._engine._state = State(np.array([x + w / 2, y + h / 2]), np.array([w, h]))
        found.append(tracker.update(frame)[0])
    close = (np.abs(np.array(found) - wanted[2:]) < 0.01).all(axis=1)
    assert close.mean() >= 0.99


def test_the_authors_rules_running_free(device: torch.device) -> None:
    """By torch, as the reference: by onnxruntime a window is a pixel off in frame 27, and another box comes of it."""
    wanted, frames = authors()
    tracker = ours(shared("weights/nanotrackv2.pth"), "auto", "pytorch", device)
    tracker.start(frames[0], wanted[0])
    found = [tracker.update(frame)[0] for frame in frames[1:]]
    assert np.median([iou(*each) for each in zip(wanted[1:], found)]) > 0.999


def authors() -> tuple[Boxes, list[Frame]]:
    """The reference boxes of their rules, and the frames."""
    boxes = np.loadtxt(shared("nano/public_airplane_own_pyrule.txt"), delimiter=",")[:FRAMES]
    return boxes, airplane(FRAMES)[0]
