"""``cmd-track``: find the sequences, track what is not finished in several processes, say what came of it."""

from __future__ import annotations

import functools
import glob
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config import differing, recorded
from pipeline.errors import DataError, UsageError, some
from pipeline.files.json_text import read_json
from pipeline.runtime.device import resolve_device
from pipeline.runtime.output import PLAN, made_in, owned
from pipeline.runtime.progress import ProgressBar
from trainer.sequences.dataset import Clip, DataSet, load_data_set
from trainer.sequences.frames import first_kind
from trainer.sequences.odd_frames import odd_frames
from trainer.sequences.track_note import TRACK
from trainer.track import videos
from trainer.track.drawing import FRAMES
from trainer.track.formats import results_of, sequences_in
from trainer.track.pool import run_tasks
from trainer.track.runner import Done, Job, Runner
from trainer.track.settings import BEFORE, RESULTS, TrackConfig, parse_params
from trainer.track.track_json import write_note
from trainer.trackers.model import Model, find_model, find_yardstick, range_warning
from trainer.trackers.tracker import settled
from trainer.yardsticks import YARDSTICKS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tracked:
    """What a run left.

    Attributes:
        tracker: the base tracker, or the yardstick.
        weights: the file that it ran with; None for a yardstick.
        sequences: how many are tracked.
        frames: how many they have.
        frames_per_second: mean over sequences.
        results: folder of each sequence's boxes and times, and ``track.json``.
        files: all that lies there of what the command makes: files, and folders of what lies deeper.
    """

    tracker: str
    weights: Path | None
    sequences: int
    frames: int
    frames_per_second: float
    results: Path
    files: tuple[Path, ...]

    def rows(self) -> list[tuple[object, ...]]:
        """What the command prints."""
        by: list[tuple[object, ...]] = [("tracker", self.tracker), ("weights", self.weights)]
        return [
            *(by if self.weights else [("yardstick", self.tracker)]),
            ("sequences", self.sequences),
            ("frames", self.frames),
            ("frames/s", self.frames_per_second),
            ("results", self.results),
        ]


def run(config: TrackConfig) -> Tracked:
    """Track every sequence.

    Raises:
        UsageError: settings, weights or an output folder that do not fit, or a setting that would have no effect.
        DataError: no sequences, or some that could not be tracked: the others are finished.
        CmdTirError: a process died, or another run holds the folder.
    """
    config.refuse_idle(differing(config))
    model = _model(config)
    params = parse_params(model.tracker, config.params, model.window) if model.file else {}
    data = load_data_set(config.dataset, config.root, config.sequences).first(config.max_frames)
    job = _job(config, model, params, data)
    _warn(config, job, model, data)
    if not data.clips:
        raise DataError(_failed(data.faults))
    _spare_data(job, data)
    # Settings and weights that do not fit are told before a folder is touched or a process started.
    if job.video:
        videos.refuse_unable(job.video)
    runner = Runner(job)
    names = [clip.name for clip in data.clips]
    plan, made = _plan(config, model, job), _made(config.out, names)
    with owned(config.out, plan, config.on_existing, made, before=BEFORE):
        todo = [clip for clip in data.clips if not job.finished(clip)]
        if len(todo) < len(names):
            log.info("%d of %d sequences are finished and kept", len(names) - len(todo), len(names))
        faults = dict(data.faults) | _work(runner, todo, _workers(config, job))
        speeds = write_note(config, model, job, data, faults)
    if faults:
        total = len(names) + len(data.faults)
        raise DataError(f"{_failed(faults)}; {len(speeds)} of {total} sequences are finished in {config.out}")
    frames = sum(len(clip.pictures) for clip in data.clips)
    there = made_in(config.out, made)
    return Tracked(model.tracker, model.file, len(names), frames, float(np.mean(speeds)), config.out, there)


def _model(config: TrackConfig) -> Model:
    if config.yardstick:
        return find_yardstick(config.yardstick)
    if not config.weights:
        raise UsageError(f"nothing to track with: give --weights FILE|RUN, or --yardstick {' or '.join(YARDSTICKS)}")
    return find_model(config.weights, config.tracker)


def _job(config: TrackConfig, model: Model, params: dict[str, Any], data: DataSet) -> Job:
    fixed = data.manifest.tir_range if isinstance(data.manifest.tir_range, tuple) else None
    device = str(resolve_device(config.device)) if model.file else "cpu"
    return Job(
        tracker=model.tracker,
        weights=model.file,
        device=device,
        threads=config.threads,
        params=_begun(config, params, settled(model.tracker, params, device)) if model.file else {},
        tir_range=config.tir_range or fixed,
        seed=config.seed,
        precision=config.precision,
        out=config.out,
        format=config.format,
        frames=config.save_frames,
        video=config.save_video,
    )


def _begun(config: TrackConfig, typed: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as they come out here; what is left to what is at hand stays as it was in a folder to go on with.

    So one machine finishes what another began, which had a GPU or other packages, and no folder mixes two.
    """
    plan = config.out / PLAN
    begun = read_json(plan).get("params") if config.on_existing == "resume" and plan.is_file() else None
    left = {name for name in found if typed.get(name, "auto") == "auto"}
    return {**found, **{name: begun[name] for name in left & begun.keys()}} if isinstance(begun, dict) else {**found}


def _warn(config: TrackConfig, job: Job, model: Model, data: DataSet) -> None:
    """Say what is odd about the data before the work begins.

    Raises:
        DataError: sequences are in colour where heat is expected.
    """
    lines = [*data.warnings, *(f"{name} cannot be tracked: {fault}" for name, fault in data.faults.items())]
    kinds = {clip.name: first_kind(clip.pictures[0]) for clip in data.clips}
    if coloured := [name for name, kind in kinds.items() if kind == "colour"]:
        if config.modality == "tir":
            raise DataError(
                f"in colour, not TIR in grey: {some(coloured)}: export TIR in false colours in grey (white hot), "
                "track visible sequences with --modality rgb, or choose others with --sequences"
            )
        lines.append(f"in colour, and tracked so: {some(coloured)}")
    firsts = {clip.pictures[0]: kinds[clip.name] for clip in data.clips}
    if odd := range_warning(model.learnt, firsts, job.tir_range):
        lines.append(odd)
    for line in lines:
        log.warning("warning: %s", line)


def _spare_data(job: Job, data: DataSet) -> None:
    """Refuse a folder for results in which they would take the place of the data.

    Raises:
        UsageError: it is one.
    """
    for clip in data.clips:
        drawn = (job.out / FRAMES / clip.name).resolve()
        if job.boxes_file(clip.name).resolve() == clip.source or clip.pictures[0].parent.resolve() == drawn:
            raise UsageError(f"--out {job.out} holds the ground truth or frames of {clip.name}: choose another folder")


def _workers(config: TrackConfig, job: Job) -> int:
    """Processes: one a core, or one in all where they would share a GPU and its memory."""
    return config.workers or ((os.cpu_count() or 1) if job.device == "cpu" else 1)


def _plan(config: TrackConfig, model: Model, job: Job) -> dict[str, object]:
    """What decides the results; a run that goes on must agree."""
    settings = {"tracker": model.tracker, "params": job.params, "tir_range": job.tir_range, "seed": job.seed}
    settings |= {"precision": job.precision, "format": job.format, "max_frames": config.max_frames}
    return {
        "stage": "track",
        "results": RESULTS,
        **recorded(settings, BEFORE),
        "weights_sha256": model.sha256,
        "root": str(config.root.resolve()),
    }


def _made(out: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Patterns of what this run makes and an earlier one made, which is told by its times: never of any text file."""
    every = sorted({*names, *sequences_in(out)})
    kinds = (f"{FRAMES}/{{}}/*.jpg", *(f"{videos.FOLDER}/{{}}.{kind}" for kind in videos.FORMATS))
    drawn = (kind.format(glob.escape(name)) for name in every for kind in kinds)
    return (*results_of(every), *drawn, TRACK, PLAN)


def _work(runner: Runner, todo: Sequence[Clip], workers: int) -> dict[str, str]:
    """Track sequences, the longest first so that no process is left alone with one; returns faults by name."""
    todo = sorted(todo, key=lambda clip: -len(clip.pictures))
    workers = min(workers, len(todo))
    start: Callable[[], Runner] = functools.partial(Runner, runner.job) if workers > 1 else lambda: runner
    faults: dict[str, str] = {}
    turned: dict[str, int] = {}
    blank: dict[str, int] = {}
    frames, done = sum(len(clip.pictures) for clip in todo), 0
    if todo:
        told = f"{len(todo):,} sequences, {frames:,} frames, with {runner.job.tracker}, {workers} at once"
        log.info("plan: track %s; makes the boxes and times of each in %s", told, runner.job.out)
    with ProgressBar("track", frames, "frames") as bar:
        for message in run_tasks(start, todo, workers):
            if not isinstance(message, Done):
                bar.advance(message)
                continue
            done += 1
            bar.advance(0, f"{done}/{len(todo)} sequences")
            turned |= {message.name: message.turned} if message.turned else {}
            blank |= {message.name: message.blank} if message.blank else {}
            if message.fault:
                faults[message.name] = message.fault
                log.warning("warning: %s failed: %s", message.name, message.fault)
    for line in odd_frames(turned, blank):
        log.warning("warning: %s", line)
    return faults


def _failed(faults: Mapping[str, str]) -> str:
    """What failed: the first in full, the others by name."""
    name, fault = next(iter(faults.items()))
    others = f" (failed are {len(faults)} sequences: {some(list(faults))})" if len(faults) > 1 else ""
    return f"{name}: {fault}{others}"
