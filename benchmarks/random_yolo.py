"""A YOLO network with random weights in a file, for benchmarks and tests: it costs what a trained one does."""

from __future__ import annotations

from pathlib import Path

import torch

from pipeline.detect.yolo.libraries import import_ultralytics


def write_random_yolo(path: Path, classes: int = 80) -> Path:
    """Save YOLOv8n with random weights from a fixed seed, which score almost nothing, as ultralytics saves a model."""
    tasks = import_ultralytics("ultralytics.nn.tasks")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = tasks.DetectionModel(tasks.yaml_model_load("yolov8n.yaml"), nc=classes, verbose=False)
    torch.save({"model": model}, path)
    return path


def export_onnx(weights: Path, *, dynamic: bool) -> Path:
    """Export such a file as ultralytics does, for 640x640 pixels alone or for pictures of any size."""
    model = import_ultralytics("ultralytics").YOLO(str(weights))
    return Path(model.export(format="onnx", dynamic=dynamic, simplify=False, verbose=False))
