"""All tubes of a run: segments are planned, followed by whoever works, and joined here."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from pipeline.detect import Survey
from pipeline.errors import DataError
from pipeline.mine.methods import build_method
from pipeline.mine.pairs import AlignedPairs
from pipeline.mine.proposals import GivenBoxes
from pipeline.mine.settings import MineConfig
from pipeline.mine.tubes.join import join
from pipeline.mine.tubes.link import Detects
from pipeline.mine.tubes.segment_task import SegmentTask, follow_segment
from pipeline.mine.tubes.segments import LENGTH, Segment, plan_segments
from pipeline.mine.tubes.stored import SegmentTubes, read_segment
from pipeline.mine.tubes.tube import Followed, Tube
from pipeline.mine.tubes.tube_boxes import TubeBoxes, tube_boxes
from pipeline.runtime.asked import again
from pipeline.runtime.counting import Tally
from pipeline.runtime.executor import run_tasks
from pipeline.runtime.progress import ProgressBar

log = logging.getLogger(__name__)

FILE = "segment-{:05d}.npz"
WARM = 8
"""Frames that a linker needs until it knows how things move: a segment sees them, and ``max_gap``, beyond its own."""
STRIDE = 5
"""Frames of the video that a step is, from which on they are told to be far apart."""


@dataclass
class Tubes:
    """What a run followed.

    Attributes:
        boxes: of all tubes.
        counts: for the index: ``dropped``, ``cuts``, ``duplicates``.
        weights_sha256: of the detector that looked, empty where none did.
        class_names: class -> name, of what a model may have found.
    """

    boxes: TubeBoxes
    counts: dict[str, object]
    weights_sha256: str = ""
    class_names: dict[int, str] = field(default_factory=dict)

    def of(self, part: slice, ids: list[str]) -> GivenBoxes:
        """What the worker of one shard is told; arguments as for :meth:`TubeBoxes.of`."""
        return GivenBoxes(self.boxes.of(part, ids), self.weights_sha256, self.class_names)


def follow_all(
    config: MineConfig, aligned: AlignedPairs, root: Path, survey: Survey, recipe: Mapping[str, object]
) -> Tubes:
    """Follow what is in all sequences; segments that an earlier run finished are kept.

    Raises:
        DataError: no sequence is long enough to hold a tube.
    """
    longest = max(Counter(aligned.sequences).values())
    if longest < config.min_length:
        raise DataError(
            f"{aligned.source} holds no video: its longest sequence has {longest} frames, a tube has --min-length "
            f"{config.min_length} at least: mine it without --tubes"
        )
    _tell_strides(aligned)
    segments = list(_planned(config, aligned))
    config = config.for_tasks(len(segments))
    tasks = [_task(config, aligned, root, survey, recipe, number, each) for number, each in enumerate(segments)]
    todo = [task for task in tasks if read_segment(task.path) is None]
    if len(todo) < len(tasks):
        log.info("%d of %d segments are followed and kept", len(tasks) - len(todo), len(tasks))
    frames = sum(map(_size, tasks))
    with ProgressBar(f"follow {config.method}", frames, "frames", done=frames - sum(map(_size, todo))) as bar:
        where = config.workers, config.scheduler, config.worker_resources, Tally(bar, _size)
        for _ in run_tasks(follow_segment, todo, *where):
            pass
    return _joined(config, aligned, list(zip(segments, tasks)))


def _size(task: SegmentTask) -> int:
    return len(task.offsets)


def _planned(config: MineConfig, aligned: AlignedPairs) -> Iterator[Segment]:
    """The segments of all sequences that are long enough."""
    margin = WARM + config.max_gap if isinstance(build_method(config), Detects) else 0
    counts = Counter(aligned.sequences)
    for segment in plan_segments(aligned.sequences, aligned.frames, margin, LENGTH):
        if counts[segment.sequence] >= config.min_length:
            yield segment


def _task(
    config: MineConfig,
    aligned: AlignedPairs,
    root: Path,
    survey: Survey,
    recipe: Mapping[str, object],
    number: int,
    segment: Segment,
) -> SegmentTask:
    path, rows = config.out / FILE.format(number), segment.rows
    told = survey.of(aligned.ids[row] for row in rows)
    return SegmentTask(path, aligned.source, root, config, aligned.offsets[rows], aligned.frames[rows], told, recipe)


def _joined(config: MineConfig, aligned: AlignedPairs, work: list[tuple[Segment, SegmentTask]]) -> Tubes:
    """The tubes of all sequences, one sequence after the other."""
    dropped, met = Counter[str](), Counter[str]()
    found: list[tuple[list[Tube], dict[int, int]]] = []
    content = SegmentTubes()
    for _, members in itertools.groupby(work, key=lambda each: each[0].sequence):
        pieces: list[tuple[Followed, tuple[int, int]]] = []
        pairs: dict[int, int] = {}
        for segment, task in members:
            content = read_segment(task.path) or _lost(task.path)
            pieces.append((content.followed, segment.owned))
            pairs |= dict(zip(task.positions.tolist(), segment.rows.tolist()))
            for what, positions in content.told.items():
                met[what] += sum(segment.owned[0] <= position < segment.owned[1] for position in positions)
        followed = join(pieces, config)
        dropped += followed.dropped
        found.append((followed.tubes, pairs))
    _tell(config, sum(len(tubes) for tubes, _ in found), dropped, met)
    counts = {"dropped": dict(sorted(dropped.items())), "cuts": met["cuts"], "duplicates": met["duplicates"]}
    return Tubes(tube_boxes(found), counts, content.weights_sha256, dict(content.class_names))


def _lost(path: Path) -> NoReturn:
    raise DataError(f"{path}: what was just followed is gone or damaged: {again() or 'run the same again'}")


def _tell_strides(aligned: AlignedPairs) -> None:
    """Say where frames are far apart: what moves fast is then not followed."""
    far = {name: stride for name, stride in aligned.strides.items() if stride >= STRIDE}
    if far:
        name = min(far)
        log.warning(
            "frames of %d of %d sequences are far apart, such as those of %s by %d numbers (a stride in the manifest?):"
            " what moves by its own size between two is not followed",
            *(len(far), len(aligned.strides), name, far[name]),
        )


def _tell(config: MineConfig, count: int, dropped: Counter[str], met: Counter[str]) -> None:
    """Say, in a line each, what stood in the way of tubes."""
    if met["cuts"]:
        log.info(
            "%d cuts: the frames before and after each are of different shots, and no tube goes over one", met["cuts"]
        )
    if met["duplicates"]:
        log.warning("%d frames show the picture before them once more, and are in no tube", met["duplicates"])
    if not count:
        why = ", ".join(f"{reason} {number}" for reason, number in sorted(dropped.items())) or "nothing was found"
        log.warning(
            "no tube of %d frames or more (%s; %d cuts): are these still pictures, or is --min-length too long?",
            *(config.min_length, why, met["cuts"]),
        )
