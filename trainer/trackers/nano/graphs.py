"""NanoTrack's network as tracking runs it, in ONNX: one graph for the first frame, one for every other."""

from __future__ import annotations

from trainer.checkpoints.nano_onnx.builder import Graph, add
from trainer.checkpoints.nano_onnx.graphs import add_reference, add_test
from trainer.net.nano import HALVES, NanoNet
from trainer.net.nano.backbone import CHANNELS
from trainer.net.nano.grid import SEARCH_CELLS, SEARCH_SIZE, TEMPLATE_CELLS, TEMPLATE_SIZE
from trainer.net.nano.head import CLASSES, SIDES

_CELLS = (SEARCH_CELLS, SEARCH_CELLS)
_TEMPLATE = (1, CHANNELS, TEMPLATE_CELLS, TEMPLATE_CELLS)


def template_graph(net: NanoNet) -> bytes:
    """From ``template`` (1, 3, 127, 127) to what both halves of the head keep of it, ``tcl`` and ``bbe`` (1, 48, 8, 8).

    Raises:
        UsageError: the package ``onnx`` is not installed.
    """
    graph = Graph("template")
    features = add(net.backbone, graph, "", graph.input("template", (1, 3, TEMPLATE_SIZE, TEMPLATE_SIZE)))
    return graph.finished(
        {name: (add_reference(graph, net, net.half_of(name), features), _TEMPLATE) for name in HALVES}
    )


def search_graph(net: NanoNet) -> bytes:
    """From ``search`` (1, 3, 255, 255), ``tcl`` and ``bbe`` to ``logits`` (1, 2, 16, 16), ``distances`` (1, 4, 16, 16).

    Raises:
        UsageError: the package ``onnx`` is not installed.
    """
    graph = Graph("search")
    features = add(net.backbone, graph, "", graph.input("search", (1, 3, SEARCH_SIZE, SEARCH_SIZE)))
    logits, distances = (
        add_test(graph, net, net.half_of(name), graph.input(name, _TEMPLATE), features) for name in HALVES
    )
    return graph.finished({"logits": (logits, (1, CLASSES, *_CELLS)), "distances": (distances, (1, SIDES, *_CELLS))})
