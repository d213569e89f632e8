"""Faster R-CNN through detectron2 or torchvision, always with local weights.

Both libraries pad the pictures of a batch to a common size, which moves boxes by a little, so pictures go through one
at a time.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.base import Detections, DetectorSpec, extra, required_weights
from pipeline.detect.checkpoints import read_tensors
from pipeline.detect.classes import COCO_CLASS, COCO_NAMES, by_names
from pipeline.detect.failures import naming
from pipeline.errors import DataError, UsageError
from pipeline.files.hashing import file_sha256
from pipeline.images import Rgb
from pipeline.runtime.device import resolve_device

log = logging.getLogger(__name__)

Found = tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.int64]]
"""(n, 4) corners x1, y1, x2, y2 in pixels, (n,) scores, (n,) classes."""

SOURCE = (
    "download fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth from https://download.pytorch.org/models (torchvision), "
    "or a config's model_final_*.pkl from detectron2's model zoo with --detector-config"
)
TORCHVISION_MODEL = "fasterrcnn_resnet50_fpn_v2"
DETECTRON2_FITS = "pass a YAML config of a Faster R-CNN, such as COCO-Detection/faster_rcnn_R_50_FPN_3x.yaml"
_COCO_OUTPUTS = 91
"""Outputs of a torchvision COCO model: background, then category ids 1 to 90."""


@dataclass(frozen=True)
class Model:
    """A model of one of the libraries.

    Attributes:
        predict: one R, G, B picture -> what is in it.
        classes: how many it tells apart.
        names: of its classes, by its numbers; empty where nothing says them.
    """

    predict: Callable[[Rgb], Found]
    classes: int
    names: dict[int, str] = field(default_factory=dict)


class FasterRcnnDetector:
    """A two-stage detection model; classes go by the names that it has for them, else by its numbers, from 0 on."""

    batch_size = 1

    def __init__(
        self,
        predict: Callable[[Rgb], Found],
        weights_sha256: str,
        confidence: float,
        names: Mapping[int, str] | None = None,
    ) -> None:
        """Wrap a model.

        Args:
            predict: one R, G, B picture -> what is in it.
            weights_sha256: of the weights file.
            confidence: boxes that score lower are dropped.
            names: of the model's classes, by its numbers; without, the numbers stay as they are.
        """
        self._classes, self.class_names = by_names(names or {})
        self.predict = predict
        self.weights_sha256 = weights_sha256
        self.confidence = confidence

    def detect(self, images: Sequence[Rgb], pair_ids: Sequence[str]) -> list[Detections]:
        """Detections of each picture, in order; see :class:`pipeline.detect.base.Detector`."""
        return [self._detect(image) for image in images]

    def _detect(self, image: Rgb) -> Detections:
        corners, scores, classes = self.predict(image)
        keep = scores >= self.confidence
        boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
        kept = [self._classes.get(number, number) for number in classes[keep].tolist()]
        return Detections.clipped(boxes[keep], scores[keep], kept, image.shape[1], image.shape[0])


def build(spec: DetectorSpec) -> FasterRcnnDetector:
    """Build the detector; without a detectron2 config, ``auto`` means torchvision.

    Raises:
        UsageError: the library or the weights file is missing, or the config is unknown.
        DataError: the weights are damaged, name code, or belong to another model.
    """
    backend = spec.backend
    if backend == "auto":
        backend = "torchvision" if (spec.config or "fasterrcnn_").startswith("fasterrcnn_") else "detectron2"
    make, library, install = _BACKENDS[backend]
    try:
        importlib.import_module(library)
    except ImportError as error:
        raise UsageError(
            f"--detector faster-rcnn needs {library}, which does not import ({error}): {install}"
        ) from error
    path = required_weights(spec.weights, spec.name, SOURCE)
    model = make(spec, path, str(resolve_device(spec.device)))
    if not model.names and model.classes != len(COCO_NAMES):
        log.warning(
            "%s: %d classes without names: they go by their numbers from 0 on, to which tables and --classes give the "
            "names of COCO's: %s is its first",
            *(path, model.classes, COCO_NAMES[0]),
        )
    return FasterRcnnDetector(model.predict, file_sha256(path), spec.confidence, model.names)


def _torchvision(spec: DetectorSpec, path: Path, device: str) -> Model:
    """A torchvision builder (``config``, by default the ResNet-50 FPN v2) with a local state dict."""
    import torch
    from torchvision.models import get_model, list_models

    name = spec.config or TORCHVISION_MODEL
    known = list_models(include="fasterrcnn_*")
    if name not in known:
        raise UsageError(f"torchvision has no Faster R-CNN {name!r}: choose one of {', '.join(known)}")
    state = read_tensors(path)
    head = state.get("roi_heads.box_predictor.cls_score.weight")
    outputs = _COCO_OUTPUTS if head is None else len(head)
    # Without weights_backbone=None torchvision would download a backbone.
    model = get_model(name, weights=None, weights_backbone=None, num_classes=outputs, box_score_thresh=spec.confidence)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise DataError(f"{path}: not the weights of torchvision's {name}: {SOURCE}") from error
    model.eval().to(device)
    class_of = np.arange(outputs) - 1
    if outputs == _COCO_OUTPUTS:
        class_of = np.array([COCO_CLASS.get(category, -1) for category in range(outputs)])

    def predict(image: Rgb) -> Found:
        pixels = torch.from_numpy(image.transpose(2, 0, 1).copy()).to(device).float() / 255
        with torch.inference_mode():
            out = {key: value.cpu().numpy() for key, value in model([pixels])[0].items()}
        return out["boxes"].astype(np.float64), out["scores"], class_of[out["labels"]]

    return Model(predict, len(COCO_NAMES) if outputs == _COCO_OUTPUTS else outputs - 1)


def _detectron2(spec: DetectorSpec, path: Path, device: str) -> Model:
    """A detectron2 model: a config of its model zoo or a YAML file, with local weights."""
    from detectron2.engine import DefaultPredictor

    config = _detectron2_config(spec, device)
    with naming(Path(str(spec.config)), f"detectron2 makes no model of it: {DETECTRON2_FITS}"):
        predictor = DefaultPredictor(config)
    # Not through detectron2's own loader: that unpickles whatever the file holds.
    state = read_tensors(path)
    with naming(path, f"not the weights of {spec.config}: pass those of this config, or the config of these"):
        result = predictor.model.load_state_dict(state, strict=False)
    absent = [name for name in result.missing_keys if not name.startswith("pixel_")]
    if absent:
        raise DataError(f"{path}: not the weights of {spec.config}: {len(absent)} tensors such as {absent[0]} missing")

    def predict(image: Rgb) -> Found:
        instances = predictor(np.ascontiguousarray(image[..., ::-1]))["instances"].to("cpu")
        return (
            instances.pred_boxes.tensor.numpy().astype(np.float64),
            instances.scores.numpy(),
            instances.pred_classes.numpy(),
        )

    # An RPN, for one, loads as well, and gives regions instead of instances.
    with naming(path, f"{spec.config} finds no boxes with classes: {DETECTRON2_FITS}"):
        predict(np.zeros((64, 64, 3), np.uint8))
    classes = int(config.MODEL.ROI_HEADS.NUM_CLASSES)
    # Those of the data set that the config names, where this detectron2 knows it: of COCO, Pascal VOC, Cityscapes.
    known = predictor.metadata.get("thing_classes") if hasattr(predictor, "metadata") else None
    return Model(predict, classes, dict(enumerate(known)) if known and len(known) == classes else {})


def _detectron2_config(spec: DetectorSpec, device: str) -> Any:
    """Read the config that ``spec.config`` names, with its weights URL taken out.

    Raises:
        UsageError: no config given, or none of that name.
        DataError: it is Python, or not one that detectron2 reads.
    """
    from detectron2 import model_zoo
    from detectron2.config import get_cfg

    if spec.config is None:
        raise UsageError("detectron2 needs a config: pass e.g. COCO-Detection/faster_rcnn_R_50_FPN_3x.yaml")
    try:
        file = spec.config if Path(spec.config).is_file() else model_zoo.get_config_file(spec.config)
    except RuntimeError as error:
        raise UsageError(f"no such detectron2 config: {spec.config}: neither a file nor in its model zoo") from error
    if Path(file).suffix == ".py":
        raise DataError(f"{spec.config}: a LazyConfig is Python, which is not run: {DETECTRON2_FITS}")
    config = get_cfg()
    with naming(Path(spec.config), DETECTRON2_FITS):
        # detectron2's default would run Python that a YAML file asks for.
        config.merge_from_file(file, allow_unsafe=False)
    config.MODEL.WEIGHTS = ""
    config.MODEL.DEVICE = device
    config.MODEL.ROI_HEADS.SCORE_THRESH_TEST = spec.confidence
    return config


_BACKENDS: dict[str, tuple[Callable[[DetectorSpec, Path, str], Model], str, str]] = {
    "torchvision": (_torchvision, "torchvision", extra("faster-rcnn")),
    "detectron2": (
        _detectron2,
        "detectron2",
        'pip install --no-build-isolation "detectron2 @ git+https://github.com/facebookresearch/detectron2.git" '
        '(after pip install "setuptools<81")',
    ),
}
"""How to build a backend, what to import for it, how to install that."""
