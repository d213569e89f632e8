"""From result files and published curves to scores: one-pass evaluation of several trackers on one benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DataError, UsageError, some
from pipeline.files.nearby import nearby
from pipeline.next_command import made_again
from pipeline.runtime.progress import ProgressBar
from trainer.evaluate import ope
from trainer.evaluate.begun import begun
from trainer.evaluate.bootstrap import Difference, differences
from trainer.evaluate.published import read_published
from trainer.evaluate.results import find_result, read_result, strangers
from trainer.evaluate.scores import ScoredTracker
from trainer.sequences.benchmark import Benchmark, load_benchmark
from trainer.sequences.box_file import BoxFile, oddities
from trainer.sequences.rows import Boxes
from trainer.sequences.track_note import tracked_by
from trainer.yardsticks import YARDSTICKS

SHOWN = 12
"""Trackers that a legend has room for."""
_NAMED = 5
"""Most sequences that a command names; without names it tracks all."""


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured; ``warnings`` is what a reader of the scores must know."""

    benchmark: Benchmark
    trackers: tuple[ScoredTracker, ...]
    differences: tuple[Difference, ...]
    warnings: tuple[str, ...]

    def ranked(self, metric: str = "success") -> list[ScoredTracker]:
        """Trackers by score, best first."""
        return sorted(self.trackers, key=lambda tracker: -(tracker.score(metric) or 0))

    def shown(self, most: int = SHOWN) -> list[ScoredTracker]:
        """The trackers that there is room for, best first: one's own, and the best of the others."""
        ranked = self.ranked()
        room = sorted(ranked, key=lambda tracker: not tracker.own)[:most]
        return [tracker for tracker in ranked if tracker in room]


@dataclass
class _Faults:
    """What was careless in one tracker's files, and the files: counts by sequence."""

    mended: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    extra: dict[str, int] = field(default_factory=dict)
    files: dict[str, BoxFile] = field(default_factory=dict)

    def told(self, name: str) -> list[str]:
        """One line a kind of fault that occurred."""
        kinds = (
            (self.mended, "with NaN or a size not above 0 replaced by the last good row, as the toolkit does"),
            (self.kept, "partly NaN or infinite kept, as the toolkit keeps them"),
            (self.extra, "beyond the ground truth ignored"),
        )
        return oddities(self.files, name) + [
            f"{name}: {sum(counts.values())} rows {what}, in {len(counts)} sequences "
            f"({some([f'{sequence} {count}' for sequence, count in counts.items()])})"
            for counts, what in kinds
            if counts
        ]


def evaluate(
    dataset: str,
    annotations: Path | None = None,
    results: Sequence[tuple[str, Path]] = (),
    curves: Path | None = None,
    attributes: Path | None = None,
    only: Sequence[str] = (),
    seed: int = 0,
) -> Evaluation:
    """Score every tracker.

    Args:
        dataset: manifest of the benchmark.
        annotations: folder of ground truth; needed for ``results``.
        results: name and folder of each tracker that was run.
        curves: folder of published curves.
        attributes: folder of attribute flags.
        only: sequences to evaluate; none: all.
        seed: of the bootstrap.

    Raises:
        UsageError: settings that do not go together, or two trackers of one name.
        DataError: a missing or unreadable file, or one with too few rows; named.
    """
    if not results and not curves:
        raise UsageError("nothing to evaluate: give --results NAME=DIR or --curves DIR")
    if results and not annotations:
        raise UsageError("--results needs --annotations: the folder of ground truth")
    benchmark = begun(load_benchmark(dataset, annotations, attributes, only), results, curves)
    warnings = list(benchmark.warnings)
    with ProgressBar("measure", len(results) * len(benchmark.sequences), "sequences") as bar:
        trackers = [measure_tracker(name, folder, benchmark, warnings, bar) for name, folder in results]
    if curves:
        trackers += [ScoredTracker(name, published) for name, published in read_published(curves, benchmark).items()]
    names = [tracker.name for tracker in trackers]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"two trackers are called {', '.join(twice)}: choose another NAME in --results NAME=DIR")
    pairs = [
        difference
        for metric in benchmark.metrics
        for difference in differences(metric, {t.name: t.scores(metric) for t in trackers}, seed)
    ]
    return Evaluation(benchmark, tuple(trackers), tuple(pairs), tuple(warnings))


def measure_tracker(
    name: str, folder: Path, benchmark: Benchmark, warnings: list[str], bar: ProgressBar
) -> ScoredTracker:
    """Read and measure one tracker's results; what was careless in them is added to ``warnings``.

    Args:
        name: the tracker's.
        folder: of its result files.
        benchmark: to measure it on.
        warnings: changed.
        bar: counts sequences.

    Raises:
        DataError: the folder, a sequence's file, or rows are missing; named.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder: correct --results {name}=DIR")
    files = {sequence: find_result(folder, name, sequence) for sequence in benchmark.sequences}
    if missing := [sequence for sequence, path in files.items() if path is None]:
        raise DataError(
            f"{folder / missing[0]}.txt: no such file: {name} lacks {len(missing)} of {len(files)} sequences "
            f"({some(missing)}): {_meant(folder, name, files)}choose others with --sequences, or "
            f"{_track(folder, missing)}"
        )
    if unknown := strangers(folder, benchmark.known()):
        warnings.append(f"{name}: {len(unknown)} results of unknown sequences ignored ({some(unknown)})")
    faults = _Faults()
    boxes: dict[str, Boxes] = {}
    measured: list[dict[str, NDArray[np.float64]]] = []
    for sequence, path in files.items():
        if path:
            boxes[sequence], truth = _prepare(path, sequence, benchmark.truth[sequence], faults)
            measured.append(ope.curves(ope.measure(boxes[sequence], truth)))
        bar.advance(1)
    warnings += faults.told(name)
    scored = {metric: np.stack([curve[metric] for curve in measured]) for metric in benchmark.metrics}
    return ScoredTracker(name, scored, boxes, tracked_by(folder) in YARDSTICKS)


def _meant(folder: Path, name: str, files: Mapping[str, Path | None]) -> str:
    """The folders that were meant by one without any results, with a space after them; empty where none are near."""
    if any(files.values()):
        return ""
    return nearby(folder, lambda near: near.is_dir() and any(find_result(near, name, each) for each in files))


def _track(folder: Path, sequences: Sequence[str]) -> str:
    """What makes results that a folder lacks."""
    told = ("--sequences", ",".join(sequences)) if len(sequences) <= _NAMED else ()
    line = made_again(folder, *told)
    return f"track them: {line}" if line else "track them to their ends"


def _prepare(path: Path, sequence: str, truth: Boxes, faults: _Faults) -> tuple[Boxes, Boxes]:
    """Mended boxes and their ground truth, both from the first valid frame on."""
    faults.files[sequence] = read_result(path)
    boxes, truth = ope.from_first_valid(faults.files[sequence].boxes, truth)
    if len(boxes) < len(truth):
        raise DataError(f"{path}: {len(boxes)} rows for {len(truth)} frames: {_track(path.parent, [sequence])}")
    if len(boxes) > len(truth):
        faults.extra[sequence] = len(boxes) - len(truth)
        boxes = boxes[: len(truth)]
    mended, bad = ope.mend(boxes, truth)
    odd = ~np.isfinite(boxes).all(axis=1) & ~bad
    if bad.any():
        faults.mended[sequence] = int(bad.sum())
    if odd[1:].any():
        faults.kept[sequence] = int(odd[1:].sum())
    return mended, truth
