"""What runs NanoTrack's network: torch, or onnxruntime."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Protocol

import torch
from torch import Tensor

from trainer.net.nano import HALVES, NanoNet
from trainer.trackers.nano.crop import Blob
from trainer.trackers.nano.rules import Answer, Program

_NEEDED = ("onnx", "onnxruntime")


class Networks(Protocol):
    """The network, with one target in its mind."""

    def learn(self, template: Blob) -> None:
        """Keep what the template (1, 3, 127, 127) says to both halves of the head."""

    def answer(self, search: Blob) -> Answer:
        """What the head says of a search crop (1, 3, 255, 255)."""


class TorchNetworks:
    """The network as it is.

    Args:
        net: in eval mode, on ``device``.
        device: of the pictures too.
    """

    def __init__(self, net: NanoNet, device: torch.device) -> None:
        self._net, self._device = net, device
        self._halves = tuple(map(net.half_of, HALVES))
        self._templates: tuple[Tensor, ...] = ()

    def learn(self, template: Blob) -> None:
        """See :meth:`Networks.learn`."""
        features = self._features(template)
        self._templates = tuple(half.template(features) for half in self._halves)

    def answer(self, search: Blob) -> Answer:
        """See :meth:`Networks.answer`."""
        features = self._features(search)
        logits, distances = (
            half.predict(half.correlate(template, half.search(features)))[0].cpu().numpy()
            for half, template in zip(self._halves, self._templates)
        )
        return Answer(logits, distances)

    def _features(self, planes: Blob) -> Tensor:
        pictures = torch.from_numpy(planes).to(self._device, memory_format=torch.channels_last)
        return self._net.backbone_features(pictures)


def able(device: torch.device) -> bool:
    """Whether onnxruntime can run the network: it is installed, and the network is on the CPU."""
    return not _lacking() and device.type == "cpu"


def networks(net: NanoNet, program: Program, device: torch.device) -> Networks:
    """What runs a network.

    Args:
        net: in eval mode, on ``device``, its batch-norms folded.
        program: that runs it.
        device: where the network is.

    Raises:
        ValueError: onnxruntime is asked for, and is not installed or not on the CPU.
    """
    if program == "torch":
        return TorchNetworks(net, device)
    if lacking := _lacking():
        needed = " and ".join(lacking)
        raise ValueError(f"engine=onnxruntime needs {needed}: pip install 'cmd-tir[onnx]', or give engine=torch")
    if device.type != "cpu":
        raise ValueError(f"engine=onnxruntime runs on the CPU, not on {device}: give that device, or engine=torch")
    from trainer.trackers.nano.onnx_networks import OnnxNetworks

    return OnnxNetworks(net)


def _lacking() -> list[str]:
    return [name for name in _NEEDED if find_spec(name) is None]
