"""NanoTrack's network by onnxruntime, on the CPU: two to three times as fast there as by torch.

Two graphs: what the template says to both halves of the head is computed once a sequence, and a frame is one pass from
the crop to the answer.
"""

from __future__ import annotations

from typing import Any

import onnxruntime
import torch

from trainer.net.nano import NanoNet
from trainer.trackers.nano.crop import Blob
from trainer.trackers.nano.graphs import search_graph, template_graph
from trainer.trackers.nano.rules import Answer


class OnnxNetworks:
    """See :class:`~trainer.trackers.nano.networks.Networks`; as many threads as torch has.

    Args:
        net: in eval mode.

    Raises:
        UsageError: the package ``onnx`` is not installed.
    """

    def __init__(self, net: NanoNet) -> None:
        self._template, self._search = (_session(graph(net)) for graph in (template_graph, search_graph))
        self._learnt: dict[str, Any] = {}

    def learn(self, template: Blob) -> None:
        """See :meth:`~trainer.trackers.nano.networks.Networks.learn`."""
        names = [output.name for output in self._template.get_outputs()]
        self._learnt = dict(zip(names, self._template.run(names, {"template": template})))

    def answer(self, search: Blob) -> Answer:
        """See :meth:`~trainer.trackers.nano.networks.Networks.answer`."""
        logits, distances = self._search.run(["logits", "distances"], {"search": search, **self._learnt})
        return Answer(logits[0], distances[0])


def _session(graph: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
