"""The YOLO detector: which weights it takes, and pictures to detections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import numpy as np
import torch

from pipeline.detect.base import Detections, DetectorSpec, required_weights
from pipeline.detect.classes import by_names
from pipeline.detect.yolo.exports import EXPORTED, takes_any_size
from pipeline.detect.yolo.layers import SOURCE, rebuild
from pipeline.detect.yolo.libraries import import_ultralytics
from pipeline.detect.yolo.network import Predict, blue_green_red, predictors
from pipeline.errors import UsageError
from pipeline.files.hashing import file_sha256
from pipeline.images import Rgb
from pipeline.runtime.device import resolve_device

IN_A_ROW = 2
"""Pictures of a call that a thread takes one after the other: the fewer calls, the less threads wait for each other."""


class YoloDetector:
    """A YOLO detection model; classes go by the names that the model has for them."""

    def __init__(
        self,
        workers: Sequence[Predict],
        weights_sha256: str,
        forward_size: int,
        names: Mapping[int, str] | None = None,
        *,
        by_shape: bool = False,
    ) -> None:
        """Wrap predictors that work at once.

        Args:
            workers: each takes at most ``forward_size`` pictures, and is called by one thread at a time.
            weights_sha256: of the weights file.
            forward_size: pictures a forward pass.
            names: of the model's classes, by its numbers; without, the numbers stay as they are.
            by_shape: whether the pictures of a forward pass must have one shape.
        """
        self._classes, self.class_names = by_names(names or {})
        self.workers = workers
        self.weights_sha256 = weights_sha256
        self.forward_size = forward_size
        self.by_shape = by_shape
        self.batch_size = forward_size if len(workers) == 1 else forward_size * len(workers) * IN_A_ROW
        self._free: SimpleQueue[Predict] = SimpleQueue()
        for worker in workers:
            self._free.put(worker)
        self._threads = ThreadPoolExecutor(len(workers), "yolo", torch.set_num_threads, (1,))

    def detect(self, images: Sequence[Rgb], pair_ids: Sequence[str]) -> list[Detections]:
        """Detections of each picture, in order; see :class:`pipeline.detect.base.Detector`."""
        parts = list(self._parts(images))
        found = self._threads.map(self._detect, ([images[i] for i in part] for part in parts))
        detected = {i: each for part, several in zip(parts, found) for i, each in zip(part, several, strict=True)}
        return [detected[i] for i in range(len(images))]

    def _parts(self, images: Sequence[Rgb]) -> Iterator[list[int]]:
        """Which pictures go through the network together, by their places."""
        alike: dict[object, list[int]] = {}
        for place, image in enumerate(images):
            alike.setdefault(image.shape if self.by_shape else None, []).append(place)
        for places in alike.values():
            yield from (places[i : i + self.forward_size] for i in range(0, len(places), self.forward_size))

    def _detect(self, images: list[Rgb]) -> list[Detections]:
        """Detections of the pictures of one forward pass."""
        worker = self._free.get()
        try:
            results = worker([blue_green_red(image) for image in images])
        finally:
            self._free.put(worker)
        return [self._detections(result, image) for result, image in zip(results, images, strict=True)]

    def _detections(self, result: Any, image: Rgb) -> Detections:
        """One ultralytics result, whose corners are in pixels of the picture."""
        corners = result.boxes.xyxy.cpu().numpy().astype(np.float64)
        boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
        classes = [self._classes.get(number, number) for number in result.boxes.cls.cpu().numpy().astype(int).tolist()]
        height, width = image.shape[:2]
        return Detections.clipped(boxes, result.boxes.conf.cpu().numpy(), classes, width, height)


def build(spec: DetectorSpec) -> YoloDetector:
    """Build the detector from a weights file.

    A forward pass of several pictures serves a GPU. On a CPU one picture at a time is no slower, and an exported model
    always gets one: its batch may be fixed, and dynamic quantisation takes its ranges over the whole batch.

    Raises:
        UsageError: ultralytics or the file is missing, it is of a kind that holds no weights, or it takes pictures of
            one size where rectangles are asked for.
        DataError: the file is not a YOLO detection model, or is a pickle that names foreign code.
    """
    if spec.weights is not None and spec.weights.suffix in (".yaml", ".yml"):
        raise UsageError(f"{spec.weights}: a YAML lists layers and holds no weights: {SOURCE} and pass --weights PATH")
    tasks = import_ultralytics("ultralytics.nn.tasks")
    device = str(resolve_device(spec.device))
    path = required_weights(spec.weights, spec.name, SOURCE)
    layers = path.suffix == ".pt"
    # Some versions of ultralytics unpickle any file with .pt anywhere in its name.
    if not layers and (path.suffix not in EXPORTED or ".pt" in path.stem.lower()):
        raise UsageError(f"{path}: not a kind of YOLO weights: pass a file named *.pt, *{', *'.join(EXPORTED)}")
    if spec.letterbox == "rect" and not takes_any_size(path):
        raise UsageError(f"{path}: takes one size alone: leave out --letterbox rect, or export it with dynamic=True")
    workers = predictors(rebuild(path, tasks) if layers else str(path), path, spec, device)
    forward_size = spec.batch_size if layers and device != "cpu" else 1
    names, by_shape = _names(workers[0]), spec.letterbox == "rect"
    return YoloDetector(workers, file_sha256(path), forward_size, names, by_shape=by_shape)


def _names(predict: Predict) -> dict[int, str]:
    """What the model calls its classes; nothing where ultralytics made names up."""
    held = getattr(getattr(predict, "model", None), "names", None) or {}
    names = {int(number): str(name) for number, name in held.items()}
    made_up = all(name in (f"class{number}", str(number)) for number, name in names.items())
    return {} if made_up else names
