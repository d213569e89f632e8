"""The tracker: a network's weights, a first box, then a box a frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from trainer.base_trackers import base_tracker
from trainer.checkpoints.model_file import window_of
from trainer.net.base import BranchedNet
from trainer.net.folding import fold_batch_norms
from trainer.net.precision import Precision, narrow, precision_of
from trainer.sequences.thermal import Frame, Range
from trainer.trackers.engine import Engine
from trainer.trackers.model import load_network
from trainer.trackers.parameters.base import TrackingParams
from trainer.trackers.parameters.defaults import resolve, window_params
from trainer.trackers.sequence_tracker import SequenceTracker


class Tracker(SequenceTracker):
    """Follows one target through one sequence at a time, by a network.

    Args:
        name: one of :data:`~trainer.base_trackers.BASE_TRACKERS`.
        weights: a file that :func:`~trainer.checkpoints.weights.load_weights` reads, or a state dict. A run's model is
            given the search window that it learnt in.
        device: where the network runs.
        params: parameters by pytracking's names in place of the tracker's own, see :mod:`~.parameters.params`.
        seed: of random shifts, dropped channels, start boxes and (ATOM) first weights; every sequence begins with it.
        tir_range: 16-bit values that become 0 and 255; None takes percentiles of each sequence's first frame.
        precision: of the maps of features; scores and boxes are computed in float32.

    Raises:
        ValueError: no such tracker or parameter, no weights, or a precision that the network does not have.
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
        precision: Precision = "float32",
    ) -> None:
        learnt_in = window_of([Path(weights)]) if isinstance(weights, (str, Path)) else None
        settings = resolve(name, {**window_params(name, learnt_in), **(params or {})})
        self.name, self._seed = name, seed
        self._generator = torch.Generator()
        self._device = torch.device(device)
        net = _network(name, weights).to(self._device).to(memory_format=torch.channels_last)
        if precision != "float32" and not net.mappers:
            raise ValueError(f"precision {precision}: saves nothing in {name}: leave it at float32")
        narrow(net, net.mappers, precision_of(precision, self._device))
        self._engine: Engine = base_tracker(name).load("engine")(net, settings, self._generator, self._device)
        super().__init__(self._engine, tir_range)

    @property
    def params(self) -> TrackingParams:
        """The parameters in force."""
        return self._engine.settings

    @torch.inference_mode()
    def start(self, frame: Frame, box: ArrayLike) -> None:
        """Begin a sequence, with the draws that every sequence begins with; see :meth:`SequenceTracker.start`."""
        self._generator.manual_seed(self._seed)
        super().start(frame, box)


def _network(name: str, weights: Path | str | Mapping[str, Tensor] | None) -> BranchedNet:
    """The network, ready to infer."""
    if weights is None:
        raise ValueError(f"{name} needs weights: give a file or a state dict")
    net = load_network(name, weights)
    fold_batch_norms(net)
    return net


def settled(name: str, params: Mapping[str, Any], device: str | torch.device) -> dict[str, Any]:
    """Parameters of a tracker by name, and beside them what is left to what is at hand, as it comes out on a device.

    Args:
        name: of the base tracker.
        params: in place of its own.
        device: where it runs.

    Raises:
        ValueError: no such tracker or parameter.
    """
    engine: type[Engine] = base_tracker(name).load("engine")
    return {**params, **engine.settled(resolve(name, params), torch.device(device))}
