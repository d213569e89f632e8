"""The work of one task: follow what is in a segment of a sequence, and write it down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.detect import Survey
from pipeline.errors import UsageError
from pipeline.mine.methods import Method, open_method
from pipeline.mine.settings import MineConfig
from pipeline.mine.tubes.frames import read_frames
from pipeline.mine.tubes.link import Detects, link
from pipeline.mine.tubes.regions import Follows, follow
from pipeline.mine.tubes.shots import shots
from pipeline.mine.tubes.stored import SegmentTubes, write_segment
from pipeline.mine.tubes.tube import Followed, Frame
from pipeline.runtime.counting import counted
from pipeline.runtime.memory import keep_freed_memory

AHEAD = 8
"""Frames that are read ahead, at least."""


@dataclass(frozen=True, eq=False)
class SegmentTask:
    """One segment: where its tubes go, which rows of ``aligned.jsonl`` are in it, what is settled of them.

    Attributes:
        path: of the file to write.
        aligned: ``aligned.jsonl``.
        root: the data set's folder.
        config: of the run.
        offsets: (n,) where the rows start, bytes, in the order of time.
        positions: (n,) in the sequence.
        survey: what is settled of the pairs.
        recipe: what the shards note of the settings and the sources.
    """

    path: Path
    aligned: Path
    root: Path
    config: MineConfig
    offsets: NDArray[np.int64]
    positions: NDArray[np.int64]
    survey: Survey
    recipe: Mapping[str, object]


def follow_segment(task: SegmentTask) -> str:
    """Follow what is in a segment; return the name of the file that says it."""
    keep_freed_memory()
    method = open_method(task.config, task.recipe, task.survey)
    content = SegmentTubes()
    ahead = max(AHEAD, method.batch_size)
    frames = counted(read_frames(task.aligned, task.root, task.offsets, task.positions, ahead))
    for shot in shots(frames, task.config.max_gap, content.told):
        found = follow_shot(shot, method, task.config)
        content.followed.tubes += found.tubes
        content.followed.dropped += found.dropped
    content.weights_sha256, content.class_names = method.weights_sha256, method.class_names
    write_segment(task.path, content)
    return task.path.name


def follow_shot(frames: Iterator[Frame], method: Method, config: MineConfig) -> Followed:
    """The tubes in the frames of one shot, by whichever way the method has.

    Raises:
        UsageError: it has none.
    """
    if isinstance(method, Detects):
        return link(frames, method, config)
    if isinstance(method, Follows):
        return follow(frames, method, config)
    raise UsageError(f"method {config.method} makes no tubes: leave out --tubes")
