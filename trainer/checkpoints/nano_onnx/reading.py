"""NanoTrack's network out of its two ONNX files, as its authors released them or as an export wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.errors import DataError
from pipeline.files.plain import read_plain
from trainer.checkpoints.nano_onnx.files import OnnxPair
from trainer.checkpoints.nano_onnx.folding import Layer, layers, spent
from trainer.checkpoints.nano_onnx.package import onnx_package
from trainer.net.nano import nanotrack_v2
from trainer.net.nano.versions import other_version

_OPERATORS = ("Conv", "Gemm")
"""Those that have weights."""
_WEIGHT = ".weight"
_LARGEST = 64 * 2**20
"""Bytes of a file; the authors' have about a million."""
_LISTED = 3


class _Folded(NamedTuple):
    """A layer as a file has it."""

    weight: Tensor
    bias: Tensor | None


def read_onnx_pair(pair: OnnxPair) -> dict[str, Tensor]:
    """The state dict of the network; its batch-norms add what was folded into the layers before them.

    Raises:
        UsageError: the package ``onnx`` is not installed.
        DataError: a file is damaged, or of another network; another version of NanoTrack is named.
    """
    with torch.device("meta"):
        net = nanotrack_v2()
    weights: dict[str, Tensor] = {}
    for part, path in (("ban_head", pair.head), ("backbone", pair.backbone)):
        wanted = list(layers(net.get_submodule(part)))
        found = _layers_of(path)
        _refuse_other(path, {name: layer for name, layer, _ in wanted}, found)
        for name, layer, norm in wanted:
            weight, bias = found[name]
            weights[f"{part}.{name}.weight"] = weight
            if layer.bias is not None:
                weights[f"{part}.{name}.bias"], bias = torch.zeros(len(weight)) if bias is None else bias, None
            if norm is not None:
                weights |= {f"{part}.{norm}.{entry}": value for entry, value in spent(len(weight), bias).items()}
    return weights


def _layers_of(path: Path) -> dict[str, _Folded]:
    """The layers of a file by their names in the network.

    Raises:
        UsageError: the package ``onnx`` is not installed.
        DataError: the file cannot be read.
    """
    onnx = onnx_package(f"{path}: reading it")
    damage = (OSError, LookupError, TypeError, ValueError, onnx.checker.ValidationError)
    try:
        content = read_plain(path, _LARGEST)
        onnx.checker.check_model(content)
        graph = onnx.load_model_from_string(content).graph
        if any(map(onnx.external_data_helper.uses_external_data, graph.initializer)):
            raise ValueError("weights in further files")
        # Copied: numpy's arrays lie in the bytes of the file.
        tensors = {each.name: torch.tensor(onnx.numpy_helper.to_array(each)) for each in graph.initializer}
        found: dict[str, _Folded] = {}
        for node in graph.node:
            # A product of two values that are computed is no layer.
            if node.op_type in _OPERATORS and node.input[1] in tensors:
                _, weight, *bias = node.input
                name = _layer_name(node.name, weight)
                found[name] = _Folded(tensors[weight], tensors[bias[0]] if bias else None)
    except damage as error:
        raise DataError(f"{path}: not an ONNX file of its own, or a damaged one: fetch it again") from error
    return found


def _layer_name(node: str, weight: str) -> str:
    """The name of a layer in the network.

    Args:
        node: of its operator: ``/conv_kernel/conv_kernel.0/Conv`` where torch wrote the file.
        weight: of its weight, which says it where no batch-norm was folded in.
    """
    if weight.endswith(_WEIGHT):
        return weight.removesuffix(_WEIGHT)
    path: list[str] = []
    for part in node.strip("/").split("/")[:-1]:
        # A member of a sequence is told with the sequence before it.
        path = [*(path[:-1] if path and part.startswith(f"{path[-1]}.") else path), part]
    return ".".join(path)


def _refuse_other(path: Path, wanted: Mapping[str, Layer], found: Mapping[str, _Folded]) -> None:
    """Refuse the layers of another network.

    Raises:
        DataError: they are.
    """
    faults = [
        f"{name} {tuple(found[name].weight.shape)} instead of {tuple(layer.weight.shape)}"
        if name in found
        else f"no {name}"
        for name, layer in wanted.items()
        if name not in found or found[name].weight.shape != layer.weight.shape
    ]
    if faults:
        version = other_version(found)
        told = f"{', '.join(faults[:_LISTED])}{', ...' if len(faults) > _LISTED else ''}"
        what = f"it is of {version}" if version else "is it of another version of NanoTrack?"
        raise DataError(f"{path}: does not fit nanotrack_v2: {told}: {what}")
