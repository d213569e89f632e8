"""YOLO through ultralytics, kept off the network, out of the home directory and away from its own unpickling."""

from __future__ import annotations

import copy
import importlib
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.detect.base import Detections, DetectorSpec, extra, required_weights
from pipeline.detect.checkpoints import module_tensors, read_model
from pipeline.detect.classes import by_names
from pipeline.detect.failures import naming
from pipeline.errors import DataError, UsageError
from pipeline.files.hashing import file_sha256
from pipeline.images import Rgb
from pipeline.runtime.device import resolve_device

if TYPE_CHECKING:
    from types import ModuleType

Predict = Callable[[list[NDArray[np.uint8]]], Sequence[Any]]
"""(H, W, 3) B, G, R pictures -> ultralytics ``Results``, one each."""

SOURCE = "download yolov8n.pt from the Ultralytics releases page (https://github.com/ultralytics/assets/releases)"
INPUT_SIZE = 640
FITS = f"pass a YOLO detection model; an exported one must take pictures of {INPUT_SIZE}x{INPUT_SIZE}"
NMS_IOU = 0.7
MAX_BOXES = 300
EXPORTED = (".onnx", ".torchscript", ".engine")
_PACKAGES = ("ultralytics.", "torch.nn.modules.", "numpy.", "pathlib.", "builtins.getattr")
_MODELS = ("DetectionModel", "YOLOv10DetectionModel")
_ACTIVATION = re.compile(r"(torch\.)?nn\.[A-Z]\w*\([\w.,= -]*\)")
_MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, AssertionError)
_HOME = tempfile.TemporaryDirectory(prefix="cmd-tir-yolo-", ignore_cleanup_errors=True)


class YoloDetector:
    """A YOLO detection model; classes go by the names that the model has for them."""

    def __init__(
        self, predict: Predict, weights_sha256: str, batch_size: int, names: Mapping[int, str] | None = None
    ) -> None:
        """Wrap a predictor.

        Args:
            predict: takes at most ``batch_size`` pictures.
            weights_sha256: of the weights file.
            batch_size: pictures a forward pass.
            names: of the model's classes, by its numbers; without, the numbers stay as they are.
        """
        self._classes, self.class_names = by_names(names or {})
        self.predict = predict
        self.weights_sha256 = weights_sha256
        self.batch_size = batch_size

    def detect(self, images: Sequence[Rgb], pair_ids: Sequence[str]) -> list[Detections]:
        """Detections of each picture, in order; see :class:`pipeline.detect.base.Detector`."""
        detected: list[Detections] = []
        for start in range(0, len(images), self.batch_size):
            chunk = images[start : start + self.batch_size]
            results = self.predict([np.ascontiguousarray(image[..., ::-1]) for image in chunk])
            detected += [self._detections(result, image) for result, image in zip(results, chunk, strict=True)]
        return detected

    def _detections(self, result: Any, image: Rgb) -> Detections:
        """One ultralytics result, whose corners are in pixels of the picture."""
        corners = result.boxes.xyxy.cpu().numpy().astype(np.float64)
        boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
        classes = [self._classes.get(number, number) for number in result.boxes.cls.cpu().numpy().astype(int).tolist()]
        height, width = image.shape[:2]
        return Detections.clipped(boxes, result.boxes.conf.cpu().numpy(), classes, width, height)


def build(spec: DetectorSpec) -> YoloDetector:
    """Build the detector from a weights file.

    Batches serve a GPU. On a CPU one picture at a time is no slower, and an exported model always gets one: its batch
    may be fixed, and dynamic quantisation takes its ranges over the whole batch.

    Raises:
        UsageError: ultralytics or the file is missing, or it is of a kind that holds no weights.
        DataError: the file is not a YOLO detection model, or is a pickle that names foreign code.
    """
    if spec.weights is not None and spec.weights.suffix in (".yaml", ".yml"):
        raise UsageError(f"{spec.weights}: a YAML lists layers and holds no weights: {SOURCE} and pass --weights PATH")
    tasks = import_ultralytics("ultralytics.nn.tasks")
    device = str(resolve_device(spec.device))
    batch_size = spec.batch_size if device != "cpu" else 1
    path = required_weights(spec.weights, spec.name, SOURCE)
    if path.suffix == ".pt":
        predict = _predictor(_checkpoint_model(path, tasks), path, spec, device)
        return YoloDetector(predict, file_sha256(path), batch_size, _names(predict))
    # Some versions of ultralytics unpickle any file with .pt anywhere in its name.
    if path.suffix not in EXPORTED or ".pt" in path.stem.lower():
        raise UsageError(f"{path}: not a kind of YOLO weights: pass a file named *.pt, *{', *'.join(EXPORTED)}")
    predict = _predictor(str(path), path, spec, device)
    return YoloDetector(predict, file_sha256(path), 1, _names(predict))


def _names(predict: Predict) -> dict[int, str]:
    """What the model calls its classes; nothing where ultralytics made names up."""
    held = getattr(getattr(predict, "model", None), "names", None) or {}
    names = {int(number): str(name) for number, name in held.items()}
    made_up = all(name in (f"class{number}", str(number)) for number, name in names.items())
    return {} if made_up else names


def import_ultralytics(module: str) -> ModuleType:
    """Import a module of ultralytics, which left alone looks names up, writes settings and may install packages.

    onnxruntime, which it imports in turn, from 1.29 on reports each model's name and hash to its makers.
    """
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_VERBOSE="false", YOLO_CONFIG_DIR=_HOME.name)
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(f"--detector yolo cannot import {error.name}: {extra('yolo')}") from error


def _predictor(model: object, path: Path, spec: DetectorSpec, device: str) -> Predict:
    """Set up ultralytics' predictor and run it once, so that a broken file is told before the work starts."""
    predict = import_ultralytics("ultralytics.models.yolo.detect")
    settings = {
        "task": "detect",
        "mode": "predict",
        "conf": spec.confidence,
        "iou": NMS_IOU,
        "max_det": MAX_BOXES,
        "imgsz": INPUT_SIZE,
        # A rectangle that fits the batch would make a picture's boxes depend on its neighbours.
        "rect": False,
        "device": device,
        "verbose": False,
        "save": False,
    }
    predictor = predict.DetectionPredictor(overrides=settings)
    threads = torch.get_num_threads()
    try:
        with naming(path, FITS):
            predictor.setup_model(model, verbose=False)
            task = getattr(predictor.model, "task", None)
            if task not in (None, "detect"):
                raise ValueError(f"its task is {task}, not detect")
            predictor([np.zeros((64, 64, 3), np.uint8)])
    except ImportError as error:
        raise UsageError(f"{path} needs {error.name}: {extra('yolo')}") from error
    # ultralytics set its own number, which ignores how many worker processes share the machine.
    torch.set_num_threads(threads)
    return predictor  # type: ignore[no-any-return]


def _checkpoint_model(path: Path, tasks: ModuleType) -> object:
    """Rebuild a pickled model from its stored layer list and tensors, without unpickling its classes.

    Raises:
        DataError: another kind of model, or one whose tensors do not fit its layer list.
    """
    content = read_model(path, _PACKAGES)
    held = (content.get("ema") or content.get("model")) if isinstance(content, dict) else content
    if type(held).__name__ not in _MODELS:
        raise DataError(f"{path}: holds a {type(held or content).__name__}, not a YOLO detection model: {SOURCE}")
    try:
        model = tasks.DetectionModel(_checked(copy.deepcopy(vars(held)["yaml"]), tasks), verbose=False)
        model.load_state_dict(dict(module_tensors(held)))
        model.names = dict(vars(held)["names"])
    except _MALFORMED as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: cannot rebuild the model: {reason}: export it to ONNX and pass that") from error
    return model


def _checked(config: dict[str, Any], tasks: ModuleType) -> dict[str, Any]:
    """Return a layer list that names only layers: ultralytics evaluates the activation and calls any name it knows.

    Raises:
        ValueError: it names anything else.
    """
    if config.get("activation") and not _ACTIVATION.fullmatch(config["activation"]):
        raise ValueError(f"activation {config['activation']!r} is not a torch.nn layer")
    for _, _, name, _ in [*config["backbone"], *config["head"]]:
        layer = getattr(torch.nn, name[3:], None) if name.startswith("nn.") else getattr(tasks, name, None)
        home = layer.__module__ if isinstance(layer, type) and issubclass(layer, torch.nn.Module) else ""
        # TorchVision would fetch its own weights.
        if not home.startswith(("torch.nn.modules.", "ultralytics.nn.modules.")) or name == "TorchVision":
            raise ValueError(f"{name!r} is not a layer of a YOLO detection model")
    return config
