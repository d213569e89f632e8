"""What ``--weights`` means: a file, the tracker it is of, and the thermal ranges that it was trained under."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import DataError, UsageError
from pipeline.shards.writer import file_sha256
from trainer.net import TRACKERS
from trainer.run_folder import META
from trainer.start import learnt_ranges, tracker_of, weights_file
from trainer.track_data import read_frame

EIGHT_BIT, BY_SEQUENCE = "8-bit", "sequence"

Range = tuple[float, float]


@dataclass(frozen=True)
class Model:
    """A network that can track.

    Attributes:
        file: its weights.
        tracker: the base tracker.
        sha256: of the file.
        learnt: the thermal ranges of its training data (:data:`trainer.start.LEARNT`); empty where they are not known.
    """

    file: Path
    tracker: str
    sha256: str
    learnt: tuple[Any, ...]


def find_model(weights: Path, tracker: str | None) -> Model:
    """The model that a weights file or a run's folder holds.

    Args:
        weights: file or folder.
        tracker: the base tracker; None takes what the run says.

    Raises:
        UsageError: there is none, or its tracker is not known or another one.
        DataError: the run's description is damaged.
    """
    file = weights_file(weights, "--weights")
    name = tracker_of([file], tracker)
    if name not in TRACKERS:
        raise UsageError(f"{file.with_name(META)}: unknown tracker {name!r}: choose one of {', '.join(TRACKERS)}")
    return Model(file, name, file_sha256(file), tuple(learnt_ranges([file])))


def range_warning(learnt: Sequence[Any], firsts: Iterable[Path], tir_range: Range | None) -> str | None:
    """A line that says where a run maps TIR to the network's 0 to 255 otherwise than the training data did.

    Args:
        learnt: the thermal ranges of the training data; empty where they are not known.
        firsts: the first frame of each sequence.
        tir_range: the run's fixed range of 16-bit frames; None: percentiles of a sequence's first frame.
    """
    if not learnt and not tir_range:
        return None
    for path in firsts:
        deep = _is_deep(path)
        used = (list(tir_range) if tir_range else BY_SEQUENCE) if deep else EIGHT_BIT
        if learnt and used not in learnt:
            told = " and ".join(map(_words, learnt))
            return f"{path}: taken as {_words(used)}, but the weights learnt from {told}: see --tir-range"
        if tir_range and not deep:
            return f"{path}: has 8 bits, on which --tir-range has no effect"
    return None


def _is_deep(path: Path) -> bool:
    """Whether a picture has 16 bits; one that cannot be read is told of when it is tracked."""
    try:
        return read_frame(path).dtype == np.uint16
    except DataError:
        return False


def _words(learnt: Any) -> str:
    known = {EIGHT_BIT: "8-bit TIR", BY_SEQUENCE: "16-bit TIR of a range found in each sequence"}
    return known.get(learnt, str(learnt)) if isinstance(learnt, str) else f"16-bit TIR of the range {learnt}"
