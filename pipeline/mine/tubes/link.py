"""Detections of consecutive frames linked: ByteTrack (Zhang et al., ECCV 2022), of the library ``trackers``."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import coverage, iou
from pipeline.detect import Detections
from pipeline.errors import UsageError
from pipeline.mine.methods import PairView
from pipeline.mine.settings import MineSettings
from pipeline.mine.tubes.tube import Followed, Frame, Tube, heaviest
from pipeline.shards.schema import MIN_COVERAGE

OVERLAP = 0.5
"""Least IoU of a detection with where a tube should be; ByteTrack has 0.2, at which tubes change to who passes by."""
FRAME_RATE = 30.0
"""At which the library's buffer counts frames."""


@runtime_checkable
class Detects(Protocol):
    """A mining method whose boxes are detections.

    Attributes:
        batch_size: pairs that are best detected in at once.
    """

    batch_size: int

    def detect(self, pairs: Sequence[PairView]) -> list[Detections]:
        """What is seen in each pair and may become a box."""
        ...


@dataclass(frozen=True, eq=False)
class _Sight:
    """A detection in a frame, and whether it lies inside the TIR footprint."""

    position: int
    box: NDArray[np.float64]
    score: float
    category: int
    inside: bool


def linker() -> str:
    """The library that links, and its version: another one may link the same detections otherwise.

    Raises:
        UsageError: it is not there.
    """
    try:
        import trackers  # noqa: F401
    except ImportError as error:
        told = f"--tubes of detections need the library trackers ({error})"
        raise UsageError(f'{told}: pip install "cmd-tir[tubes]", or leave out --tubes') from error
    return f"trackers {version('trackers')}"


def link(frames: Iterator[Frame], method: Detects, settings: MineSettings) -> Followed:
    """Link what is detected in the frames of one shot.

    Boxes from files that say whose they are belong together by that; all others go to ByteTrack. It begins a tube with
    a box that scores a third of the way from ``confidence`` to 1, goes on with any, and keeps what it lost for
    ``max_gap`` steps.

    Args:
        frames: of one shot, in the order of time.
        method: that detects.
        settings: of the run.

    Returns:
        Tubes, the short ones too, whose boxes lie inside the TIR footprint; dropped: ``"outside_tir"``, of which none
        does.
    """
    linker = _Linker(settings)
    for batch in _batches(frames, method.batch_size):
        for frame, seen in zip(batch, method.detect([frame.view for frame in batch]), strict=True):
            linker.add(frame, seen)
    return linker.followed()


class _Linker:
    """Puts detections to the objects they are of, frame by frame."""

    def __init__(self, settings: MineSettings) -> None:
        from trackers import ByteTrackTracker

        self._start = settings.confidence + (1 - settings.confidence) / 3
        self._bytetrack = ByteTrackTracker(
            lost_track_buffer=settings.max_gap,
            frame_rate=FRAME_RATE,
            track_activation_threshold=self._start,
            high_conf_det_threshold=self._start,
            minimum_consecutive_frames=1,
            minimum_iou_threshold=OVERLAP,
        )
        self._objects: dict[Hashable, list[_Sight]] = {}
        self._alone: list[_Sight] = []
        self._last: int | None = None

    def add(self, frame: Frame, seen: Detections) -> None:
        """Put the detections of the next frame where they belong."""
        for _ in range(0 if self._last is None else frame.position - self._last - 1):
            self._numbers([])
            self._alone = []
        self._last = frame.position
        columns = zip(seen.boxes, seen.scores.tolist(), seen.classes.tolist())
        sights = [
            _Sight(frame.position, box, score, kind, coverage(box, frame.view.valid) >= MIN_COVERAGE)
            for box, score, kind in columns
        ]
        known = seen.track_numbers
        for row in np.flatnonzero(known >= 0):
            self._objects.setdefault(("file", int(known[row])), []).append(sights[row])
        others = [sights[row] for row in np.flatnonzero(known < 0)]
        numbers = self._numbers(others)
        for sight, number in zip(others, numbers):
            if number >= 0:
                if ("linked", number) not in self._objects:
                    self._objects["linked", number] = self._first(sight)
                self._objects["linked", number].append(sight)
        self._alone = [each for each, number in zip(others, numbers) if number < 0 and each.score >= self._start]

    def _numbers(self, sights: Sequence[_Sight]) -> list[int]:
        """The numbers that ByteTrack gives detections of the next frame; -1 for one that it has seen no partner of."""
        from supervision import Detections as Corners

        boxes = np.array([sight.box for sight in sights]).reshape(-1, 4)
        corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
        scores, rows = np.array([sight.score for sight in sights]), np.arange(len(sights))
        found = self._bytetrack.update(Corners(xyxy=corners, confidence=scores, data={"row": rows}))
        numbers = [-1] * len(sights)
        given: Iterable[int] = () if found.tracker_id is None else found.tracker_id.tolist()
        for row, number in zip(found.data.get("row", ()), given):
            numbers[int(row)] = number
        return numbers

    def _first(self, second: _Sight) -> list[_Sight]:
        """The detection that an object began with: it had no number in the frame before, where it overlaps most."""
        if not self._alone:
            return []
        overlaps = iou(second.box, np.array([each.box for each in self._alone]))
        best = int(overlaps.argmax())
        return [self._alone.pop(best)] if overlaps[best] >= OVERLAP else []

    def followed(self) -> Followed:
        """The tubes, in the order in which their first boxes came."""
        result = Followed()
        for sights in self._objects.values():
            inside = [sight for sight in sights if sight.inside]
            if inside:
                result.tubes.append(_tube(inside))
            else:
                result.dropped["outside_tir"] += 1
        return result


def _tube(sights: list[_Sight]) -> Tube:
    """The detections of an object as a tube, of the class that has the highest sum of scores."""
    weights: defaultdict[int, float] = defaultdict(float)
    for sight in sights:
        weights[sight.category] += sight.score
    return Tube(
        np.array([sight.position for sight in sights], np.int64),
        np.array([sight.box for sight in sights]),
        np.array([sight.score for sight in sights]),
        heaviest(weights),
    )


def _batches(frames: Iterator[Frame], size: int) -> Iterator[list[Frame]]:
    while batch := list(itertools.islice(frames, size)):
        yield batch
