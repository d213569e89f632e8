"""The tracker: a network's weights, a first box, then a box a frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from trainer.base_trackers import base_tracker
from trainer.checkpoints.model_file import window_of
from trainer.checkpoints.weights import load_into, load_weights
from trainer.net import build_network
from trainer.net.base import TrackingNet
from trainer.sequences.thermal import Frame, FrameReader, Range
from trainer.trackers.engine import Engine
from trainer.trackers.fuse import fold_batch_norms
from trainer.trackers.localization import Flag
from trainer.trackers.parameters.base import TrackingParams
from trainer.trackers.parameters.defaults import resolve, window_params


class Tracker:
    """Follows one target through one sequence at a time.

    Args:
        name: one of :data:`~trainer.base_trackers.BASE_TRACKERS`.
        weights: a file that :func:`~trainer.checkpoints.weights.load_weights` reads, or a state dict. A run's model is
            given the search window that it learnt in.
        device: where the network runs.
        params: parameters by pytracking's names in place of the tracker's own, see :mod:`~.parameters.params`.
        seed: of random shifts, dropped channels, start boxes and (ATOM) first weights; every sequence begins with it.
        tir_range: 16-bit values that become 0 and 255; None takes percentiles of each sequence's first frame.

    Raises:
        ValueError: no such tracker or parameter, or no weights.
        DataError: the weights cannot be read or are of another network.
    """

    def __init__(
        self,
        name: str,
        weights: Path | str | Mapping[str, Tensor] | None,
        device: str | torch.device = "cpu",
        params: Mapping[str, Any] | None = None,
        seed: int = 0,
        tir_range: Range | None = None,
    ) -> None:
        learnt_in = window_of([Path(weights)]) if isinstance(weights, (str, Path)) else None
        settings = resolve(name, {**window_params(name, learnt_in), **(params or {})})
        self.name, self._seed, self._fixed_range = name, seed, tir_range
        self.flag: Flag = "normal"
        self._generator = torch.Generator()
        self._device = torch.device(device)
        net = _network(name, weights).to(self._device).to(memory_format=torch.channels_last)
        self._engine: Engine = base_tracker(name).load("engine")(net, settings, self._generator, self._device)
        self._reader: FrameReader | None = None

    @property
    def params(self) -> TrackingParams:
        """The parameters in force."""
        return self._engine.settings

    @property
    def tir_range(self) -> Range | None:
        """Raw 16-bit values that become 0 and 255 in this sequence; None where its frames have 8 bits."""
        return self._reader.tir_range if self._reader else self._fixed_range

    @torch.inference_mode()
    def start(self, frame: Frame, box: ArrayLike) -> None:
        """Begin a sequence.

        Args:
            frame: (H, W, 3) R, G, B or (H, W), uint8, or uint16 TIR.
            box: x, y, w, h of the target.

        Raises:
            ValueError: the frame or the box is none.
        """
        self._generator.manual_seed(self._seed)
        self._reader = FrameReader(self._fixed_range)
        self.flag = "normal"
        self._engine.start(self._reader.read(frame), box)

    @torch.inference_mode()
    def update(self, frame: Frame) -> tuple[NDArray[np.float64], float]:
        """Find the target in the next frame.

        Returns:
            (4,) x, y, w, h, and the best classification score. What that is worth is in :attr:`flag`: ``normal``,
            ``hard_negative`` (a distractor was seen), ``uncertain`` (it may be one) or ``not_found`` (the box stays).

        Raises:
            ValueError: called before :meth:`start`, or the frame is none of the sequence.
        """
        if self._reader is None:
            raise ValueError("update needs a first box: call start(frame, box) before")
        box, score, self.flag = self._engine.update(self._reader.read(frame))
        return box, score


def _network(name: str, weights: Path | str | Mapping[str, Tensor] | None) -> TrackingNet:
    """The network, ready to infer."""
    if weights is None:
        raise ValueError(f"{name} needs weights: give a file or a state dict")
    state = load_weights(weights) if isinstance(weights, (str, Path)) else weights
    source = str(weights) if isinstance(weights, (str, Path)) else "the state dict"
    if "conv1.weight" in state:
        raise ValueError(f"{source}: holds a bare backbone, but tracking needs the whole network of {name}")
    with torch.random.fork_rng(devices=[]):
        net = build_network(name)
    load_into(net, state, source)
    net.eval().requires_grad_(False)
    fold_batch_norms(net)
    return net
