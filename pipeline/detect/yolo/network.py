"""A YOLO network at work: one thread a picture, and as many pictures at once as the machine has room for.

How many threads share one picture decides in which order torch adds, and with that the last bits of a box; so it is
always one. It is the fastest way through many pictures besides: nothing waits for the slowest of several threads.
"""

from __future__ import annotations

import copy
import itertools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.detect.base import DetectorSpec, extra
from pipeline.detect.failures import naming
from pipeline.detect.yolo.libraries import import_onnxruntime, import_ultralytics
from pipeline.errors import UsageError

Predict = Callable[[list[NDArray[np.uint8]]], Sequence[Any]]
"""(H, W, 3) B, G, R pictures -> ultralytics ``Results``, one each."""

INPUT_SIZE = 640
FITS = f"pass a YOLO detection model; an exported one must take pictures of {INPUT_SIZE}x{INPUT_SIZE}"
NMS_IOU = 0.7
MAX_BOXES = 300
MOST = 8
"""Pictures that are worked on at once at most: each takes memory for its layers, and a part of its work is Python's, of
which only one thread runs at a time."""


def predictors(model: object, path: Path, spec: DetectorSpec, device: str) -> list[Any]:
    """Set up ultralytics' predictor, and copies of it that work beside it with the same weights.

    Args:
        model: what ultralytics loads: layers, or the path of an exported file.
        path: of the weights.
        spec: of the detector; on a CPU there are ``at_once`` predictors, up to :data:`MOST`, elsewhere one.
        device: of torch.

    Raises:
        UsageError: a package is missing.
        DataError: the file is broken, which is told before the work starts.
    """
    first = _predictor(model, path, spec, device)
    if device != "cpu":
        return [first]
    _give_one_thread(first.model, path)
    return [first, *(_beside(first) for _ in range(min(spec.at_once, MOST) - 1))]


def _predictor(model: object, path: Path, spec: DetectorSpec, device: str) -> Any:
    """One predictor, which has run once."""
    predict = import_ultralytics("ultralytics.models.yolo.detect")
    settings = {
        "task": "detect",
        "mode": "predict",
        "conf": spec.confidence,
        "iou": NMS_IOU,
        "max_det": MAX_BOXES,
        "imgsz": INPUT_SIZE,
        "rect": spec.letterbox == "rect",
        # As torch has it: of a name some versions of ultralytics make another one, and hide all other GPUs.
        "device": torch.device(device),
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
    finally:
        # ultralytics set its own number for this thread, which others' work goes on in.
        torch.set_num_threads(threads)
    return predictor


def _give_one_thread(model: Any, path: Path) -> None:
    """Let an ONNX graph run on the thread that calls it; by itself it takes all cores, and spins on them to wait."""
    holder = getattr(model, "backend", model)
    if path.suffix == ".onnx":
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        holder.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _beside(predictor: Any) -> Any:
    """A predictor for another thread. Layers keep what they derived from the last picture's size: these are its own."""
    other = copy.copy(predictor)
    other._lock = threading.Lock()
    layers = getattr(predictor.model, "model", None)
    if isinstance(layers, torch.nn.Module):
        shared = {id(each): each for each in itertools.chain(layers.parameters(), layers.buffers())}
        other.model = copy.deepcopy(predictor.model, shared)
    return other


def blue_green_red(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An R, G, B picture (H, W, 3) as ultralytics takes it."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), np.uint8)
