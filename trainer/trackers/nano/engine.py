"""NanoTrack V2 (HonglinChu/SiamTrackers): a siamese network that never learns anything after the first frame."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from numpy.typing import ArrayLike

from pipeline.images import Rgb
from trainer.net.nano import NanoNet
from trainer.net.nano.grid import SEARCH_SIZE, TEMPLATE_SIZE
from trainer.trackers.engine import Engine, Outcome
from trainer.trackers.geometry import first_box
from trainer.trackers.nano.crop import Blob, blob, crop
from trainer.trackers.nano.networks import able, networks
from trainer.trackers.nano.opencv_rules import OpenCvRules
from trainer.trackers.nano.pytorch_rules import PyTorchRules
from trainer.trackers.nano.rules import Bounds, Fill, Square, State
from trainer.trackers.parameters.nano import NanoParams

RULES = {"pytorch": PyTorchRules, "opencv": OpenCvRules}


class NanoEngine(Engine):
    """One crop, one pass and one box a frame.

    Args:
        net: in eval mode, on ``device``, its batch-norms folded.
        params: of the tracker.
        generator: not used: nothing is random.
        device: where the network is.

    Raises:
        ValueError: what is to run the network is not installed, or not for that device.
    """

    def __init__(self, net: NanoNet, params: NanoParams, generator: torch.Generator, device: torch.device) -> None:
        settled = self.settled(params, device)
        self.settings = replace(params, **settled)
        self._rules = RULES[params.rules](params)
        self._networks = networks(net, settled["engine"], device)
        self._state: State
        self._bounds: Bounds
        self._fill: Fill

    @classmethod
    def settled(cls, params: NanoParams, device: torch.device) -> dict[str, Any]:
        """See :meth:`Engine.settled`: what runs the network, onnxruntime only where it can be had."""
        liked = RULES[params.rules].program
        return {"engine": (liked if able(device) else "torch") if params.engine == "auto" else params.engine}

    def start(self, image: Rgb, box: ArrayLike) -> None:
        """See :meth:`Engine.start`."""
        rules = self._rules
        self._state = rules.start(first_box(box))
        self._bounds, self._fill = rules.bounds(self._state, image.shape[:2]), rules.fill(image)
        self._networks.learn(self._blob(image, rules.template_square(self._state), TEMPLATE_SIZE))

    def update(self, image: Rgb) -> Outcome:
        """See :meth:`Engine.update`."""
        square, scale = self._rules.search_square(self._state)
        answer = self._networks.answer(self._blob(image, square, SEARCH_SIZE))
        self._state, score = self._rules.step(self._state, scale, answer, self._bounds)
        return Outcome(self._rules.box(self._state), score, "normal")

    def _blob(self, image: Rgb, square: Square, size: int) -> Blob:
        return blob(crop(image, square, size, self._fill), self._rules.blue_first)
