"""Which two files a network in ONNX is: one says ``backbone`` in its name, the other ``head``, else they are alike."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pipeline.errors import UsageError

BACKBONE, HEAD = "backbone.onnx", "head.onnx"
"""How an export calls them."""
_PARTS = ("backbone", "head")


class OnnxPair(NamedTuple):
    """The two files of a network."""

    backbone: Path
    head: Path


def is_onnx(path: Path) -> bool:
    """Whether a file is an ONNX graph, by its name: the format has no mark of its own."""
    return path.suffix.lower() == ".onnx"


def onnx_pair(path: Path) -> OnnxPair:
    """Both files, by the name of either: ``nanotrack_head_sim.onnx`` lies beside ``nanotrack_backbone_sim.onnx``.

    Raises:
        UsageError: the name says neither, or the other file is not there.
    """
    own = max(_PARTS, key=path.name.rfind)
    at = path.name.rfind(own)
    if at < 0:
        raise UsageError(f"{path}: a network in ONNX is two files: give one whose name says backbone, or head")
    other = _PARTS[own == _PARTS[0]]
    beside = path.with_name(path.name[:at] + other + path.name[at + len(own) :])
    for file in (path, beside):
        if not file.is_file():
            raise UsageError(f"{file}: no such file: a network in ONNX is two files, {own} and {other}, side by side")
    return OnnxPair(path, beside) if own == _PARTS[0] else OnnxPair(beside, path)
