"""One sequence, from its first frame to its two result files."""

from __future__ import annotations

import pkgutil
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import torch

from pipeline.errors import DataError, UsageError
from pipeline.files.writing import write_text
from pipeline.runtime.device import resolve_device
from trainer.net.precision import Precision
from trainer.sequences.box_file import read_tracked
from trainer.sequences.dataset import Clip
from trainer.sequences.frames import read_frames
from trainer.sequences.rows import Boxes, read_rows
from trainer.track.drawing import draw, is_drawn
from trainer.track.formats import FORMATS, FormatName
from trainer.track.videos import VideoFormat
from trainer.trackers import Tracker
from trainer.trackers.sequence_tracker import SequenceTracker
from trainer.yardsticks import YARDSTICKS


@dataclass(frozen=True, kw_only=True)
class Job:
    """What every sequence of a run has in common; goes to the worker processes.

    Attributes:
        tracker: the base tracker, or the yardstick.
        weights: file; None for a yardstick.
        device: torch device.
        threads: of torch, in each process.
        params: tracker parameters that are not the tracker's own, and those that what is at hand has decided.
        tir_range: 16-bit values that become 0 and 255; None: percentiles of the first frame.
        seed: of the tracker's own draws.
        precision: of the maps of features.
        out: folder of the results.
        format: of the results.
        frames: draw every frame.
        video: make a video of this kind of each sequence.
    """

    tracker: str
    weights: Path | None
    device: str
    threads: int
    params: Mapping[str, Any]
    tir_range: tuple[float, float] | None
    seed: int
    precision: Precision
    out: Path
    format: FormatName = "plain"
    frames: bool = False
    video: VideoFormat | None = None

    def boxes_file(self, name: str) -> Path:
        """Boxes of a sequence."""
        return self.out / FORMATS[self.format].boxes.format(name)

    def times_file(self, name: str) -> Path:
        """Seconds that each frame took, one a line."""
        return self.out / FORMATS[self.format].times.format(name)

    def tracked(self, clip: Clip) -> bool:
        """Whether both files are there with a row a frame; each is written in one step."""
        files = self.boxes_file(clip.name), self.times_file(clip.name)
        return all(file.is_file() and _lines(file) == len(clip.pictures) for file in files)

    def finished(self, clip: Clip) -> bool:
        """Whether nothing is left to do for a sequence."""
        return self.tracked(clip) and is_drawn(clip, self.out, frames=self.frames, video=self.video)


class Done(NamedTuple):
    """A sequence's end: what went wrong, if anything, frames that an EXIF orientation would turn, and blank ones."""

    name: str
    fault: str | None
    turned: int = 0
    blank: int = 0


class Runner:
    """Tracks sequences one after the other with one network, or a yardstick.

    OpenCV gets one thread, torch as many as the job says: processes are the parallelism.

    Raises:
        UsageError: the tracker does not take these settings.
        DataError: the weights are not this tracker's.
    """

    def __init__(self, job: Job) -> None:
        torch.set_num_threads(job.threads)
        cv2.setNumThreads(1)
        self.job = job
        try:
            self._tracker = _tracker(job)
        except ValueError as error:
            raise UsageError(str(error)) from error

    def __call__(self, clip: Clip) -> Iterator[int | Done]:
        """Track one sequence; yields 1 for each frame, then the end.

        A picture that cannot be read ends the sequence, not the run.
        """
        job, turned, blank = self.job, list[Path](), 0
        try:
            if job.tracked(clip):
                yield len(clip.pictures)
            else:
                blank = yield from self._track(clip, turned)
            if job.frames or job.video:
                boxes = read_tracked(job.boxes_file(clip.name)).boxes
                boxes[0] = clip.truth[0]
                draw(clip, boxes, job.tir_range, job.out, frames=job.frames, video=job.video)
        except DataError as error:
            yield Done(clip.name, str(error), len(turned))
        else:
            yield Done(clip.name, None, len(turned), blank)

    def _track(self, clip: Clip, turned: list[Path]) -> Generator[int, None, int]:
        """Track and write; returns how many frames came out blank."""
        boxes: list[Boxes] = [clip.truth[0]]
        seconds: list[float] = []
        for path, frame in read_frames(clip.pictures, turned):
            begun = time.perf_counter()
            try:
                if seconds:
                    boxes.append(self._tracker.update(frame)[0])
                else:
                    self._tracker.start(frame, clip.truth[0])
            except ValueError as error:
                raise DataError(f"{path}: {error}") from error
            seconds.append(time.perf_counter() - begun)
            yield 1
        # The boxes last: where they are, the sequence is finished.
        _write(self.job.times_file(clip.name), [f"{value:.6f}" for value in seconds])
        _write(self.job.boxes_file(clip.name), FORMATS[self.job.format].lines(boxes))
        return self._tracker.blank


def _tracker(job: Job) -> SequenceTracker:
    if job.weights is None:
        return SequenceTracker(pkgutil.resolve_name(YARDSTICKS[job.tracker])(), job.tir_range)
    return Tracker(
        job.tracker,
        job.weights,
        # In this process too: that of the command may have been another.
        resolve_device(job.device),
        job.params,
        seed=job.seed,
        tir_range=job.tir_range,
        precision=job.precision,
    )


def read_seconds(job: Job, clip: Clip) -> Boxes:
    """Seconds (T,) that each frame of a tracked sequence took."""
    return read_rows(job.times_file(clip.name), 1)[:, 0]


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "".join(f"{line}\n" for line in lines), durable=True)


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")
