"""Look through a data set: its layout, its pictures, its labels. Nothing is written, nothing is registered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.detect import DetectorSpec, Pairs
from pipeline.detect.boxes_file import BoxesDetector, build
from pipeline.doctor import diagnosis
from pipeline.doctor.diagnosis import Diagnosis, Line
from pipeline.doctor.look import Seen, Task, look
from pipeline.doctor.settings import DoctorConfig
from pipeline.errors import DataError, UsageError
from pipeline.images import UnreadableImageError, picture_size
from pipeline.manifests import Manifest
from pipeline.pairing.discovery import ranges
from pipeline.pairing.discovery.discover import discover, sampled
from pipeline.pairing.discovery.recognition import manifest_of
from pipeline.pairing.discovery.sources import load_side
from pipeline.pairing.discovery.summary import Discovered
from pipeline.pairing.registration import clock
from pipeline.records import PairFiles
from pipeline.runtime.counting import Tally
from pipeline.runtime.executor import run_tasks
from pipeline.runtime.progress import ProgressBar

CHUNK = 100
"""Pairs of one sequence that make a task."""


@dataclass
class _Found:
    """What discovery tells: totals, what pictures are left out, frame rates, Hz, if times are known."""

    totals: Discovered = field(default_factory=Discovered)
    alone: set[str] = field(default_factory=set)
    rates: list[float] = field(default_factory=list)


def run(config: DoctorConfig) -> Diagnosis:
    """Look through a data set, as ``cmd-prep doctor`` does.

    Raises:
        DataError: no such folder, or no known layout fits it; the message says what the nearest ones lack.
        UsageError: no such manifest, or ``detections`` are of a kind that is not known.
    """
    if not config.root.is_dir():
        raise DataError(f"{config.root}: no such folder: give the data set's folder")
    manifest, why = manifest_of(config.root, config.manifest)
    # First of all: nobody should wait for the pictures to hear that it is no such file.
    boxes = _boxes(config.detections) if config.detections else None
    found = _survey(config, manifest)
    count = found.totals.pairs.total()
    total = min(config.pairs or count, count)
    with ProgressBar("look", total, "pairs") as bar:
        tally = Tally[Task](bar, lambda task: len(task.pairs))
        parts = list(run_tasks(look, _tasks(config, manifest, count), config.workers, tally=tally))
    seen = Seen()
    for part in sorted(parts, key=lambda part: part.number):
        seen.add(part)
    looked_at = "" if total == count else f"; the pictures of {total} were looked at"
    lines = [
        Line("layout", why),
        Line("pairs", f"{count} in {sum(map(bool, found.totals.pairs.values()))} sequences{looked_at}"),
        *(Line("how they pair", note, amiss=True) for note in found.totals.told()),
        *diagnosis.left_out(found.totals.rejects),
        *diagnosis.rates(found.rates),
        *diagnosis.pictures(seen),
        *(_labels(config, manifest, boxes, seen, found.alone) if boxes else ()),
    ]
    return Diagnosis(tuple(lines))


def _survey(config: DoctorConfig, manifest: Manifest) -> _Found:
    """Walk the data set once, without opening a picture."""
    found = _Found()
    for sequence in discover(config.root, manifest):
        found.totals.add(sequence)
        found.alone.update(reject.pair_id for reject in sequence.rejects)
        if rate := _rate([pair.timestamp for pair in sequence.pairs if pair.timestamp is not None]):
            found.rates.append(rate)
    return found


def _rate(times: list[float]) -> float:
    """Pairs a second, 0 where unknown; of gaps, pauses and lost frames do not count.

    A mean, since the nearest of 30 frames a second to each of 9 lie three or four frames apart.
    """
    gaps = np.diff(times)
    usual = float(np.median(gaps)) if len(gaps) else 0.0
    return 1 / float(gaps[gaps < 2 * usual].mean()) if usual > 0 else 0.0


def _tasks(config: DoctorConfig, manifest: Manifest, count: int) -> Iterator[Task]:
    """Chunks of every sequence; with ``pairs`` some pairs evenly spread over all."""
    number = 0
    for sequence, chosen in sampled(config.root, manifest, count, config.pairs):
        if not chosen:
            continue
        tir_range = ranges.sequence_range(config.root, sequence.pairs, sequence.manifest.tir_range)
        allowed = clock.tolerance(sequence.pairs)
        for first in range(0, len(chosen), CHUNK):
            yield Task(number, config.root, tuple(chosen[first : first + CHUNK]), tir_range, allowed)
            number += 1


def _boxes(detections: Path) -> BoxesDetector | DataError:
    """What reads files of boxes, or what is wrong with them.

    Raises:
        UsageError: they are not there, or of a kind that is not known.
    """
    try:
        return build(DetectorSpec(name="boxes", detections=detections))
    except DataError as error:
        return error


def _labels(
    config: DoctorConfig, manifest: Manifest, boxes: BoxesDetector | DataError, seen: Seen, alone: set[str]
) -> Iterable[Line]:
    """Lines about files of boxes: whose they are, and what is wrong with them."""
    if isinstance(boxes, DataError):
        return [Line("boxes", str(boxes), amiss=True)]
    pairs = {pair: size for pair, size in _sizes(config, manifest, seen.sizes) if pair not in seen.rejected}
    if not pairs:
        return [Line("boxes", "no pair can be read that they could belong to", amiss=True)]
    try:
        survey = boxes.survey(Pairs(pairs, (alone | seen.rejected).difference(pairs), seen.tir_sizes))
    except (DataError, UsageError) as error:
        return [Line("boxes", str(error), amiss=True)]
    lines = [Line("boxes", f"of {len(survey.names)} of {len(pairs)} pairs", amiss=len(survey.names) < len(pairs))]
    amiss = {key.replace("_", " "): str(n) for key, n in survey.counts.items() if n and _amiss(key)}
    return lines + [Line(key, count, amiss=True) for key, count in amiss.items()]


def _amiss(key: str) -> bool:
    """Whether a count of the survey is of something wrong."""
    return not key.endswith(("_found", "_rejected_pairs")) or key.endswith("_not_found")


def _sizes(
    config: DoctorConfig, manifest: Manifest, known: Mapping[str, tuple[int, int]]
) -> Iterator[tuple[str, tuple[int, int]]]:
    """(pair, (width, height) of its RGB picture), from the header where the picture was not looked at."""
    for sequence in discover(config.root, manifest):
        for pair in sequence.pairs:
            size = known.get(pair.pair_id) or _header(config, pair)
            if size:
                yield pair.pair_id, size


def _header(config: DoctorConfig, pair: PairFiles) -> tuple[int, int] | None:
    try:
        return picture_size(load_side(config.root, pair.rgb), pair.rgb)
    except UnreadableImageError:
        return None
