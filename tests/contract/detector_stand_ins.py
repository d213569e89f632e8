"""How the contract tests build each detector: the smallest that its library makes, seeded, finding many boxes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmarks.random_yolo import write_random_yolo
from pipeline.detect import DetectorSpec

PAIRS = ("a/0", "a/1", "b/0", "b/1")
"""The pairs that the tests ask about."""


def boxes(folder: Path) -> DetectorSpec:
    """Boxes in a file, some of which overhang the picture or miss it."""
    rows = [
        {"pair_id": pair, "boxes": [[-5, 4 + n, 30, 20], [20, 10, 31.5, 22.25], [900, 0, 5, 5]], "classes": [n, 79, -1]}
        for n, pair in enumerate(PAIRS[:3])
    ]
    (folder / "boxes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return DetectorSpec(name="boxes", detections=folder / "boxes.jsonl")


def yolo(folder: Path) -> DetectorSpec:
    """YOLOv8n with random weights, which score almost nothing."""
    pytest.importorskip("ultralytics", reason="needs ultralytics: pip install 'cmd-tir[yolo]'")
    return DetectorSpec(name="yolo", weights=write_random_yolo(folder / "random.pt"), confidence=1e-7)


def faster_rcnn(folder: Path) -> DetectorSpec:
    """torchvision's smallest, with four outputs and random weights."""
    models = pytest.importorskip("torchvision.models", reason="needs torchvision: pip install 'cmd-tir[faster-rcnn]'")
    name, path = "fasterrcnn_mobilenet_v3_large_320_fpn", folder / "w.pth"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(models.get_model(name, weights=None, weights_backbone=None, num_classes=4).state_dict(), path)
    return DetectorSpec(name="faster-rcnn", config=name, weights=path, confidence=0.125)


STAND_INS: dict[str, Callable[[Path], DetectorSpec]] = {"boxes": boxes, "yolo": yolo, "faster-rcnn": faster_rcnn}
"""A detector that is added to the registry is added here; one whose library is absent skips."""
