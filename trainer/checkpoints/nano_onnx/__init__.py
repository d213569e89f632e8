"""NanoTrack as two ONNX files, backbone and head with batch-norms folded: written, read, and found by one's name."""

from __future__ import annotations

from trainer.checkpoints.nano_onnx.files import BACKBONE, HEAD, is_onnx, onnx_pair
from trainer.checkpoints.nano_onnx.graphs import backbone_graph, head_graph
from trainer.checkpoints.nano_onnx.reading import read_onnx_pair

__all__ = ["BACKBONE", "HEAD", "backbone_graph", "head_graph", "is_onnx", "onnx_pair", "read_onnx_pair"]
