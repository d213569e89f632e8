"""An ONNX graph, put together module by module: what each kind of NanoTrack's modules is in operators."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from trainer.checkpoints.nano_onnx.folding import Layer, folded
from trainer.checkpoints.nano_onnx.package import onnx_package
from trainer.net.nano.backbone import InvertedResidual, MobileNet, Squeeze
from trainer.net.nano.head import ChannelAttention

OPSET, IR_VERSION = 14, 7
"""Those of the authors' files: what reads them reads ours."""


class Graph:
    """A graph in the making; values are known by their names.

    Args:
        name: of the graph.

    Raises:
        UsageError: the package ``onnx`` is not installed.
    """

    def __init__(self, name: str) -> None:
        self._onnx = onnx_package("an ONNX file")
        self._name = name
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._made: Counter[str] = Counter()

    def input(self, name: str, shape: Sequence[int]) -> str:
        """A float32 input."""
        self._inputs.append(self._value(name, shape))
        return name

    def constant(self, name: str, value: Any) -> str:
        """A constant, as numpy makes an array of it."""
        self._constants[name] = self._onnx.numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(self, operator: str, name: str, *inputs: str, **attributes: Any) -> str:
        """An operator on values, as part of a module of that name; returns its value."""
        value = f"/{name}/{operator}_{self._made[name]}"
        self._made[name] += 1
        self._nodes.append(self._onnx.helper.make_node(operator, inputs, [value], value, **attributes))
        return value

    def layer(self, name: str, layer: Layer, norm: nn.BatchNorm2d | None, value: str) -> str:
        """A convolution or a linear layer, with the batch-norm after it taken in."""
        weight, bias = folded(layer, norm)
        given = [value, self.constant(f"{name}.weight", weight.cpu().numpy())]
        given += [] if bias is None else [self.constant(f"{name}.bias", bias.cpu().numpy())]
        if isinstance(layer, nn.Linear):
            return self.node("Gemm", name, *given, transB=1)
        pads = [int(side) for side in layer.padding] * 2
        shape = {"kernel_shape": layer.kernel_size, "strides": layer.stride, "pads": pads, "group": layer.groups}
        return self.node("Conv", name, *given, **shape)

    def reshape(self, name: str, value: str, shape: Sequence[int]) -> str:
        """The same numbers in another shape, of which one side may be -1."""
        wanted = self.constant(f"shape {' '.join(map(str, shape))}", np.array(shape, np.int64))
        return self.node("Reshape", name, value, wanted)

    def finished(self, outputs: Mapping[str, tuple[str, Sequence[int]]]) -> bytes:
        """The file.

        Args:
            outputs: by name: its value so far, and its shape.
        """
        names = {value: name for name, (value, _) in outputs.items()}
        for node in self._nodes:
            for sides in (node.input, node.output):
                sides[:] = [names.get(value, value) for value in sides]
        told = [self._value(name, shape) for name, (_, shape) in outputs.items()]
        helper = self._onnx.helper
        graph = helper.make_graph(self._nodes, self._name, self._inputs, told, [*self._constants.values()])
        versions = {"ir_version": IR_VERSION, "opset_imports": [helper.make_opsetid("", OPSET)]}
        model = helper.make_model(graph, producer_name="cmd-tir", **versions)
        self._onnx.checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString(deterministic=True)
        return content

    def _value(self, name: str, shape: Sequence[int]) -> Any:
        return self._onnx.helper.make_tensor_value_info(name, self._onnx.TensorProto.FLOAT, shape)


@functools.singledispatch
def add(module: nn.Module, graph: Graph, name: str, value: str) -> str:
    """Put a module into a graph.

    Args:
        module: it, in eval mode.
        graph: to put it into.
        name: of the module in the network.
        value: what it is given.

    Returns:
        What it makes of that.

    Raises:
        TypeError: NanoTrack has no such modules.
    """
    raise TypeError(f"{name}: no operators are known for {type(module).__name__}")


@add.register
def _(layer: nn.Conv2d | nn.Linear, graph: Graph, name: str, value: str) -> str:
    return graph.layer(name, layer, None, value)


@add.register
def _(_module: nn.Identity, _graph: Graph, _name: str, value: str) -> str:
    return value


@add.register
def _(_module: nn.ReLU, graph: Graph, name: str, value: str) -> str:
    return graph.node("Relu", name, value)


@add.register
def _(_module: nn.ReLU6, graph: Graph, name: str, value: str) -> str:
    bounds = [graph.constant(f"{bound}", np.float32(bound)) for bound in (0, 6)]
    return graph.node("Clip", name, value, *bounds)


@add.register
def _(_module: nn.Hardswish, graph: Graph, name: str, value: str) -> str:
    return graph.node("HardSwish", name, value)


@add.register
def _(_module: nn.Hardsigmoid, graph: Graph, name: str, value: str) -> str:
    return graph.node("HardSigmoid", name, value, alpha=1 / 6, beta=0.5)


@add.register
def _(modules: nn.Sequential, graph: Graph, name: str, value: str) -> str:
    for place, (module, after) in enumerate(itertools.pairwise([*modules, None])):
        if isinstance(module, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
            value = graph.layer(f"{name}.{place}", module, after, value)
        elif module is not None and not isinstance(module, nn.BatchNorm2d):
            value = add(module, graph, f"{name}.{place}", value)
    return value


@add.register
def _(module: Squeeze, graph: Graph, name: str, value: str) -> str:
    means = graph.node("Flatten", name, graph.node("GlobalAveragePool", name, value))
    factors = add(module.fc, graph, f"{name}.fc", means)
    return graph.node("Mul", name, value, graph.reshape(name, factors, (1, -1, 1, 1)))


@add.register
def _(module: ChannelAttention, graph: Graph, name: str, value: str) -> str:
    means = graph.node("GlobalAveragePool", name, value)
    hidden = graph.node("Relu", name, add(module.fc1, graph, f"{name}.fc1", means))
    factors = graph.node("Sigmoid", name, add(module.fc2, graph, f"{name}.fc2", hidden))
    return graph.node("Mul", name, value, factors)


@add.register
def _(module: InvertedResidual, graph: Graph, name: str, value: str) -> str:
    made = add(module.conv, graph, f"{name}.conv", value)
    return graph.node("Add", name, value, made) if module.shortcut else made


@add.register
def _(module: MobileNet, graph: Graph, _name: str, value: str) -> str:
    return add(module.features, graph, "features", value)
