"""What an exported network says of the pictures that it takes. No torch is loaded for that."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pipeline.detect.yolo.libraries import import_onnxruntime
from pipeline.files.plain import stamp

EXPORTED = (".onnx", ".torchscript", ".engine")


def takes_any_size(weights: Path) -> bool:
    """Whether a YOLO network takes pictures of any size: layers in a ``.pt`` file, or an ONNX graph with named axes.

    Of a file that is missing or damaged, whoever builds the detector says best what is wrong: it counts as one.

    Raises:
        UsageError: onnxruntime, which tells of a graph, is not installed.
    """
    if weights.suffix != ".onnx":
        return weights.suffix not in EXPORTED
    return not weights.is_file() or _has_named_axes(weights, stamp(weights))


@lru_cache(maxsize=1)
def _has_named_axes(weights: Path, _file: tuple[int, ...]) -> bool:
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    try:
        graph = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    except Exception:  # noqa: BLE001 - its errors derive from nothing else
        return True
    # As ultralytics tells it.
    return isinstance(graph.get_outputs()[0].shape[0], str)
