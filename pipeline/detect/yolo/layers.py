"""A pickled YOLO model rebuilt from its stored layer list and tensors, without unpickling its classes."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pipeline.detect.checkpoints import module_tensors, read_model
from pipeline.errors import DataError

if TYPE_CHECKING:
    from types import ModuleType

SOURCE = "download yolov8n.pt from the Ultralytics releases page (https://github.com/ultralytics/assets/releases)"
_PACKAGES = ("ultralytics.", "torch.nn.modules.", "numpy.", "pathlib.", "builtins.getattr")
_MODELS = ("DetectionModel", "YOLOv10DetectionModel")
_ACTIVATION = re.compile(r"(torch\.)?nn\.[A-Z]\w*\([\w.,= -]*\)")
_MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, AssertionError)


def rebuild(path: Path, tasks: ModuleType) -> object:
    """The model in a ``.pt`` file.

    Args:
        path: of the file.
        tasks: ``ultralytics.nn.tasks``.

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
