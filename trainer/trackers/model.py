"""What tracks: a weights file, the tracker it is of and the thermal ranges it was trained under; or a yardstick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.errors import UsageError, did_you_mean
from trainer.base_trackers import base_tracker
from trainer.checkpoints.model_file import (
    META,
    VISIBLE,
    learnt_ranges,
    tracker_of,
    weights_file,
    weights_sha256,
    window_of,
)
from trainer.checkpoints.weights import load_into, load_weights
from trainer.net import BranchedNet, build_network
from trainer.sequences.frames import Kind
from trainer.yardsticks import YARDSTICKS

EIGHT_BIT, BY_SEQUENCE = "8-bit", "sequence"

Range = tuple[float, float]


@dataclass(frozen=True)
class Model:
    """A network that can track, or a yardstick.

    Attributes:
        file: its weights; of two in ONNX, one. None for a yardstick, which has none.
        tracker: the base tracker, or the yardstick.
        sha256: of the weights.
        learnt: the thermal ranges of its training data (``model_file.LEARNT``); empty where they are not known.
        window: side of the search window that it learnt in (``model_file.WINDOW``); None is the tracker's own.
    """

    file: Path | None
    tracker: str
    sha256: str | None
    learnt: tuple[Any, ...]
    window: int | None


def find_model(weights: Path, tracker: str | None, option: str = "--weights") -> Model:
    """The model that a weights file or a run's folder holds.

    Args:
        weights: file or folder.
        tracker: the base tracker; None takes what the run says.
        option: that names it, for the message.

    Raises:
        UsageError: there is none, or its tracker is not known or another one.
        DataError: the run's description is damaged.
    """
    file = weights_file(weights, option)
    name = tracker_of([file], tracker)
    try:
        base_tracker(name)
    except ValueError as error:
        raise UsageError(f"{file.with_name(META)}: {error}") from error
    return Model(file, name, weights_sha256(file), tuple(learnt_ranges([file])), window_of([file]))


def load_network(name: str, weights: Path | str | Mapping[str, Tensor]) -> BranchedNet:
    """The network of a base tracker with all its weights, ready to infer; nothing in it learns.

    Args:
        name: of the base tracker.
        weights: a file that :func:`~trainer.checkpoints.weights.load_weights` reads, or a state dict.

    Raises:
        ValueError: no such tracker, or the weights of a bare backbone.
        DataError: the weights cannot be read or are of another network.
    """
    state = load_weights(weights) if isinstance(weights, (str, Path)) else weights
    source = str(weights) if isinstance(weights, (str, Path)) else "the state dict"
    if "conv1.weight" in state:
        raise ValueError(f"{source}: holds a bare backbone, but tracking needs the whole network of {name}")
    with torch.random.fork_rng(devices=[]):
        net = build_network(name)
    load_into(net, state, source)
    return net.eval().requires_grad_(False)


def find_yardstick(name: str) -> Model:
    """The yardstick of that name.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    if name not in YARDSTICKS:
        meant = did_you_mean(name, YARDSTICKS)
        raise UsageError(f"--yardstick {name}: there is none: {meant}choose one of {', '.join(YARDSTICKS)}")
    return Model(None, name, None, (), None)


def range_warning(learnt: Sequence[Any], firsts: Mapping[Path, Kind | None], tir_range: Range | None) -> str | None:
    """A line that says where a run maps TIR to the network's 0 to 255 otherwise than the training data did.

    Args:
        learnt: the thermal ranges of the training data; empty where they are not known.
        firsts: the first frame of each sequence, and its kind; None where it cannot be read.
        tir_range: the run's fixed range of 16-bit frames; None: percentiles of a sequence's first frame.
    """
    if list(learnt) == [VISIBLE]:
        # A teacher: it knows colour, and no range of TIR that a student's frames could be compared with.
        learnt = ()
    if not learnt and not tir_range:
        return None
    uses = {"deep": list(tir_range) if tir_range else BY_SEQUENCE, "grey": EIGHT_BIT, "colour": VISIBLE}
    for path, kind in firsts.items():
        if kind and learnt and uses[kind] not in learnt:
            told = " and ".join(map(_words, learnt))
            remedy = ": see --tir-range" if kind == "deep" else ""
            return f"{path}: taken as {_words(uses[kind])}, but the weights learnt from {told}{remedy}"
        if kind and kind != "deep" and tir_range:
            return f"{path}: has 8 bits, on which --tir-range has no effect"
    return None


def _words(learnt: Any) -> str:
    known = {
        EIGHT_BIT: "8-bit TIR",
        BY_SEQUENCE: "16-bit TIR of a range found in each sequence",
        VISIBLE: "colour pictures, R, G, B",
    }
    return known.get(learnt, str(learnt)) if isinstance(learnt, str) else f"16-bit TIR of the range {learnt}"
