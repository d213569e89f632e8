"""Stage 1: find the pairs, register each, score it, and keep or reject it with a reason.

One task is a chunk of one sequence; its rows go to a part file that is renamed into place when whole, so a killed run
loses at most the chunks in flight. Parts are merged, in order, into ``aligned.jsonl`` and ``rejects.jsonl``.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from pipeline.align import calibration, page
from pipeline.align.chunk import Task, align_chunk
from pipeline.align.merge import merge
from pipeline.align.result import AlignResult, result_of
from pipeline.align.settings import BEFORE, RESULTS, AlignConfig
from pipeline.config import differing, refuse_idle
from pipeline.errors import DataError
from pipeline.files.json_text import read_json, write_json
from pipeline.files.sightings import SEEN
from pipeline.manifests import Manifest
from pipeline.next_command import ANEW
from pipeline.pages import html
from pipeline.pairing.discovery import ranges
from pipeline.pairing.discovery.discover import discover, sampled
from pipeline.pairing.discovery.recognition import manifest_of
from pipeline.pairing.discovery.sources import file_of
from pipeline.pairing.discovery.summary import Discovered
from pipeline.runtime.asked import MADE_BY, again, made_by
from pipeline.runtime.counting import Tally
from pipeline.runtime.executor import run_tasks
from pipeline.runtime.output import PLAN, made_in, owned
from pipeline.runtime.progress import ProgressBar

log = logging.getLogger(__name__)

CHUNK = 200
"""Pairs of one sequence that make a task."""
SUMMARY = "align.json"
MADE = ("aligned.jsonl", "rejects.jsonl", SEEN, "align.json", "homographies.json", "plan.json", "report.html")
WORK = ("parts/*.jsonl", "parts/*.json", "images/**/*")


@dataclass(frozen=True)
class Source:
    """A data set as discovered.

    Attributes:
        manifest: how it lies on disk.
        why: why that one.
        pairs: how many there are.
        fingerprint: of its pairs and their files.
        notes: what should be told of how they were found.
        cameras: that took them.
    """

    manifest: Manifest
    why: str
    pairs: int
    fingerprint: str
    notes: list[str]
    cameras: set[str]


def run(config: AlignConfig, *, report: bool = True) -> AlignResult:
    """Align a data set, as ``cmd-prep align`` does.

    Args:
        config: settings and whereabouts.
        report: write ``report.html`` too.

    Raises:
        UsageError: settings or an output folder that do not fit, a setting that would have no effect, or a report that
            cannot be written.
        DataError: no pairs where ``root`` says.
    """
    start = time.monotonic()
    refuse_idle(differing(config), config.without_effect())
    if not config.root.is_dir():
        raise DataError(f"{config.root}: no such folder: correct --root")
    source = survey(config.root, config.manifest)
    if config.preview:
        config = config.model_copy(update={"out": config.out / "preview", "on_existing": "overwrite"})
    results = _results(config)
    plan = {
        "stage": "align",
        "results": results,
        "settings": config.record(),
        "files": source.fingerprint,
        "manifest": source.manifest.model_dump(mode="json"),
        "homographies": calibration.fingerprint(config.homographies),
    }
    if not _finished(config):
        refuse_idle(differing(config), calibration.idle_beside_known(config, source.cameras))
    before = {f"settings.{name}": value for name, value in BEFORE.items()}
    with owned(config.out, plan, config.on_existing, MADE + WORK, before=before):
        if results < RESULTS:
            log.warning(
                "%s was finished by an earlier version, for which drawings in both pictures were evidence: "
                "%s registers all pairs anew",
                *(config.out, again(*ANEW) or " ".join(ANEW)),
            )
        if (config.out / SUMMARY).is_file():
            log.info("%s is finished and kept", config.out)
        else:
            _align(config, source, start)
        result = result_of(config.out, read_json(config.out / SUMMARY))
        if report:
            result = replace(result, page=html.save(page.build(config.out, config.root), config.out / "report.html"))
        return replace(result, files=made_in(config.out, MADE + WORK))


def _finished(config: AlignConfig) -> bool:
    """Whether the folder holds finished work that is kept."""
    return config.on_existing == "resume" and all((config.out / name).is_file() for name in (SUMMARY, PLAN))


def _results(config: AlignConfig) -> int:
    """The plan's ``results``: those of a folder that is kept since an earlier version finished it."""
    found = read_json(config.out / PLAN).get("results", 1) if _finished(config) else RESULTS
    return found if isinstance(found, int) and found < RESULTS else RESULTS


def _align(config: AlignConfig, source: Source, start: float) -> None:
    """Do the work; its summary, written last, marks the folder as finished."""
    log.info(
        "plan: align %s pairs, layout %s: %s, then each pair; makes aligned.jsonl, rejects.jsonl, report.html in %s",
        f"{_total(config, source):,}",
        source.manifest.name,
        "known matrices" if config.homographies else f"a matrix for what is one rig (cameras: {len(source.cameras):,})",
        config.out,
    )
    parts, rigs = _work(config, source)
    summary = merge(config.out, parts, rigs, ranged=config.tir_range is not None)
    summary |= {"settings": config.record(), "root": str(config.root.resolve()), "manifest": source.manifest.name}
    summary |= {"layout_reason": source.why, "seconds": round(time.monotonic() - start, 3)}
    summary |= {"notes": source.notes} if source.notes else {}
    inputs = {"pairs": source.fingerprint, "homographies": calibration.fingerprint(config.homographies)}
    summary[MADE_BY] = made_by(inputs, np, cv2)
    summary |= calibration.truth_errors(config.root, config.out / "aligned.jsonl")
    write_json(config.out / SUMMARY, summary)
    shutil.rmtree(config.out / "parts")


def survey(root: Path, name: str) -> Source:
    """Resolve the manifest and walk the data set once.

    Raises:
        DataError: nothing there fits the layout.
    """
    manifest, why = manifest_of(root, name)
    if name == "auto":
        # A folder that merely looks like a data set owes nobody that data set's number of pairs.
        manifest = manifest.model_copy(update={"counts": {}})
    digest, seen = hashlib.sha256(), Discovered()
    for sequence in discover(root, manifest):
        for pair in sequence.pairs:
            sizes = [_size(root, side) for side in (pair.rgb, pair.tir)]
            digest.update(f"{pair.pair_id}\0{pair.rgb}\0{pair.tir}\0{sizes}\n".encode())
        for reject in sequence.rejects:
            digest.update(f"{reject.pair_id}\0{reject.reason}\n".encode())
        seen.add(sequence)
    for warning in seen.warnings():
        log.warning("%s", warning)
    return Source(manifest, why, seen.pairs.total(), digest.hexdigest(), seen.told(), seen.cameras)


def _size(root: Path, locator: str) -> int:
    try:
        return (root / file_of(locator)).stat().st_size
    except OSError:
        return -1


def _work(config: AlignConfig, source: Source) -> tuple[list[Path], calibration.Rigs]:
    """Run what is not finished; return the part files in order, and what is known of the cameras."""
    folder = config.out / "parts"
    folder.mkdir(exist_ok=True)
    rigs = calibration.calibrate(config, source.manifest)
    usable = calibration.usable(rigs)
    paths: list[Path] = []

    def todo() -> Iterator[Task]:
        for task in _tasks(config, source, usable):
            paths.append(task.path)
            if task.path.is_file():
                bar.keep(len(task.pairs))
            else:
                yield task

    with ProgressBar("align", _total(config, source), "pairs") as bar:
        tally = Tally[Task](bar, lambda task: len(task.pairs))
        for _ in run_tasks(align_chunk, todo(), config.workers, config.scheduler, tally=tally):
            pass
    return paths, rigs


def _total(config: AlignConfig, source: Source) -> int:
    return min(config.preview or source.pairs, source.pairs)


def _tasks(config: AlignConfig, source: Source, rigs: calibration.Rigs) -> Iterator[Task]:
    """Chunks of every sequence, numbered in discovery order; a preview takes pairs evenly spread over all."""
    number = 0
    for sequence, chosen in sampled(config.root, source.manifest, source.pairs, config.preview):
        rejects = () if config.preview else tuple(sequence.rejects)
        tir_range = ranges.sequence_range(config.root, sequence.pairs, config.tir_range or sequence.manifest.tir_range)
        rig = calibration.known_rig(rigs, sequence.camera, config, sequence.manifest)
        for first in range(0, max(len(chosen), 1 if rejects else 0), CHUNK):
            path = config.out / "parts" / f"{number:06d}.jsonl"
            chunk = tuple(chosen[first : first + CHUNK])
            yield Task(path, config, chunk, rejects if first == 0 else (), rig, tir_range)
            number += 1
