"""A NanoTrack student as the two files that OpenCV's ``TrackerNano`` loads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from pipeline.errors import CmdTirError, DataError, UsageError
from pipeline.files.writing import write_bytes
from trainer.checkpoints.exports.complete import complete
from trainer.checkpoints.nano_onnx import BACKBONE, HEAD, backbone_graph, head_graph
from trainer.checkpoints.nano_onnx.folding import folded, layers
from trainer.checkpoints.weights import digest
from trainer.net.nano import NanoNet, nanotrack_v2

RELEASED = {
    "1c23b5aa1fc169406c3abf744242da1fe20749e63fc704b50f1cffd3c73eb76e": "nanotrackv2.pth",
    "1b758cc1d114f316e09a90d1175602e162bbd36163cda28e34dd623ed3035e0a": "nanotrack_backbone_sim.onnx",
}
"""SHA-256 of the released backbone's weights with batch-norms folded (:func:`backbone_digest`), and the file that gives
it: its authors folded in float32."""


def export_opencv(
    state_dict: Mapping[str, Tensor], tracker: str, path: Path, *, own_backbone: bool = False
) -> list[Path]:
    """Write ``backbone.onnx`` and ``head.onnx``, and let OpenCV track with them once.

    Args:
        state_dict: the network's, complete.
        tracker: its name.
        path: the folder; it is made where there is none.
        own_backbone: take a backbone that is not the released one.

    Returns:
        Both files.

    Raises:
        UsageError: this OpenCV has no ``TrackerNano``, or the package ``onnx`` is not installed.
        DataError: the state dict is not that tracker's, or its backbone is not the released one.
    """
    if not hasattr(cv2, "TrackerNano"):
        raise UsageError(
            f"this OpenCV ({cv2.__version__}) has no TrackerNano to try the files with: "
            "pip install opencv-python, 4.10 or newer"
        )
    _, weights = complete(state_dict, tracker)
    net = nanotrack_v2().eval()
    net.load_state_dict(weights)
    found = backbone_digest(net)
    if not own_backbone and found not in RELEASED:
        raise DataError(
            f"the backbone is not the released one of {tracker} (SHA-256 of its weights with batch-norms folded: "
            f"{found[:12]}, released: {' or '.join(each[:12] for each in RELEASED)}), so that its head fits no other "
            "backbone.onnx: start from the released weights, or give --own-backbone and keep both files together"
        )
    contents = {BACKBONE: backbone_graph(net), HEAD: head_graph(net)}
    path.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        write_bytes(path / name, content, durable=True)
    files = [path / name for name in contents]
    _try(*files)
    return files


def backbone_digest(net: NanoNet) -> str:
    """A hash over what decides the backbone's answers: every layer's weight and bias with batch-norms folded."""
    weights: dict[str, Tensor] = {}
    for name, layer, norm in layers(net.backbone):
        weight, bias = folded(layer, net.backbone.get_submodule(norm) if norm else None)
        weights |= {f"{name}.weight": weight} | ({} if bias is None else {f"{name}.bias": bias})
    return digest(weights)


def _try(backbone: Path, head: Path) -> None:
    """Let OpenCV look for a target in a picture without one.

    Raises:
        CmdTirError: it cannot.
    """
    params = cv2.TrackerNano.Params()
    params.backbone, params.neckhead = str(backbone), str(head)
    frame = np.full((96, 128, 3), 90, np.uint8)
    # OpenCV 5 warns on standard error of what it does not support for a network of any kind.
    before = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        tracker = cv2.TrackerNano.create(params)
        tracker.init(frame, (40, 30, 24, 20))
        tracker.update(frame)
    except cv2.error as error:
        said = str(error).splitlines()[0]
        raise CmdTirError(f"{backbone.parent}: written, but OpenCV {cv2.__version__} cannot run it: {said}") from None
    finally:
        cv2.utils.logging.setLogLevel(before)
