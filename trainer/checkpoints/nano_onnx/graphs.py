"""NanoTrack's graphs: opset 14, inputs and outputs named and shaped as in its authors' files, batch-norms folded.

A weight is called what it is in the network, without ``backbone.`` or ``ban_head.``.
"""

from __future__ import annotations

from torch import nn

from trainer.checkpoints.nano_onnx.builder import Graph, add
from trainer.net.nano import HALVES, NanoNet
from trainer.net.nano.backbone import CHANNELS
from trainer.net.nano.grid import SEARCH_CELLS, SEARCH_SIZE, STRIDE, TEMPLATE_CELLS
from trainer.net.nano.head import CLASSES, SIDES
from trainer.net.nano.network import Half

_SEARCH = (1, CHANNELS, SEARCH_CELLS, SEARCH_CELLS)


def backbone_graph(net: NanoNet, size: int = SEARCH_SIZE) -> bytes:
    """The backbone: ``input`` (1, 3, 255, 255) to ``output`` (1, 48, 16, 16).

    Args:
        net: in eval mode.
        size: of the pictures that the graph says it takes. OpenCV runs it on others too, onnxruntime refuses them. A
            size that is left open would please both, but OpenCV 4 cannot read that.

    Raises:
        UsageError: the package ``onnx`` is not installed.
    """
    graph = Graph("backbone")
    cells = -(-size // STRIDE)
    features = add(net.backbone, graph, "", graph.input("input", (1, 3, size, size)))
    return graph.finished({"output": (features, (1, CHANNELS, cells, cells))})


def head_graph(net: NanoNet) -> bytes:
    """The head, from features ``input1`` (1, 48, 8, 8) of a template and ``input2`` (1, 48, 16, 16) of a search crop.

    Its outputs are the logits ``output1`` (1, 2, 16, 16) of background and target, and the distances ``output2``
    (1, 4, 16, 16) to the left, top, right and bottom side, pixels.

    Args:
        net: in eval mode.

    Raises:
        UsageError: the package ``onnx`` is not installed.
    """
    graph = Graph("head")
    template = graph.input("input1", (1, CHANNELS, TEMPLATE_CELLS, TEMPLATE_CELLS))
    search = graph.input("input2", _SEARCH)
    logits, distances = (
        add_test(graph, net, half, add_reference(graph, net, half, template), search)
        for half in map(net.half_of, HALVES)
    )
    cells = _SEARCH[2:]
    return graph.finished({"output1": (logits, (1, CLASSES, *cells)), "output2": (distances, (1, SIDES, *cells))})


def add_reference(graph: Graph, net: NanoNet, half: Half, features: str) -> str:
    """Put the reference branch of a half of the head into a graph.

    Args:
        graph: to put it into.
        net: whose half it is.
        half: of the head.
        features: of the template, (1, 48, 8, 8).

    Returns:
        What :meth:`~trainer.net.nano.network.Half.template` gives.
    """
    return add(half.correlation.conv_kernel, graph, f"{_name(net, half.correlation)}.conv_kernel", features)


def add_test(graph: Graph, net: NanoNet, half: Half, template: str, features: str) -> str:
    """Put the test branch of a half of the head into a graph.

    Args:
        graph: to put it into.
        net: whose half it is.
        half: of the head.
        template: what :func:`add_reference` returned.
        features: of the search crop, (1, 48, 16, 16).

    Returns:
        The half's answer.
    """
    name = _name(net, half.correlation)
    searched = add(half.correlation.conv_search, graph, f"{name}.conv_search", features)
    cells = graph.node("Transpose", name, graph.reshape(name, template, (1, CHANNELS, -1)), perm=[0, 2, 1])
    products = graph.node("MatMul", name, cells, graph.reshape(name, searched, (1, CHANNELS, -1)))
    maps = graph.reshape(name, products, (1, -1, SEARCH_CELLS, SEARCH_CELLS))
    weighed = add(half.correlation.CA_layer, graph, f"{name}.CA_layer", maps)
    read = add(half.tower, graph, _name(net, half.tower), weighed)
    answer = add(half.prediction, graph, _name(net, half.prediction), read)
    return graph.node("Exp", _name(net, half.prediction), answer) if half.exponential else answer


def _name(net: NanoNet, module: nn.Module) -> str:
    """What a part of the head is called in it."""
    found: str = next(name for name, each in net.ban_head.named_modules() if each is module)
    return found
