"""``cmd-prep synth``: a folder of synthetic RGB-TIR pairs and TIR tracking sequences, with the truth about them."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import cv2
import numpy as np

from pipeline.errors import UsageError
from pipeline.files.json_text import write_json
from pipeline.files.writing import write_text, written_text
from pipeline.runtime.asked import MADE_BY, again, drop_settings, keep_settings, made_by
from pipeline.runtime.counting import Tally
from pipeline.runtime.executor import run_tasks
from pipeline.runtime.output import made_in
from pipeline.runtime.progress import ProgressBar
from pipeline.synthetic import sequences
from pipeline.synthetic.detector import Errors, detected
from pipeline.synthetic.optics.noise import Draw, stream
from pipeline.synthetic.scene import tracking_layout
from pipeline.synthetic.scene.scene import PAIRS, TRACKING
from pipeline.synthetic.settings import SynthConfig
from pipeline.synthetic.truth import head, in_plain_view, sequence_head

CHUNK = 32
"""Pairs a task; each frame is a function of the seed, the sequence and its number, so the cut changes nothing."""
_MADE = ("pairs", "tracking", "tracking_rgb")
NOTE = "synth.json"
"""What was made, and how it came about; written last."""
_UNFINISHED = ".unfinished"
"""Says of a folder of pairs that synth makes it, until its truth does."""


@dataclass(frozen=True)
class _Task:
    config: SynthConfig
    order: int
    kind: int
    index: int
    start: int

    @property
    def frames(self) -> range:
        """Frames of the sequence that it makes."""
        config = self.config
        if self.kind == PAIRS:
            return range(self.start, min(self.start + CHUNK, config.frames))
        return range(config.tracking_frames)


@dataclass(frozen=True)
class _Done:
    task: _Task
    rows: list[dict[str, object]]
    size: int


def _make(task: _Task) -> _Done:
    """Do one task: some pairs of a sequence, or a whole tracking sequence."""
    config = task.config
    if task.kind == PAIRS:
        rows, size = sequences.write_pairs(config.out / "pairs", config.seed, task.index, task.frames, config.size)
        return _Done(task, rows, size)
    root = config.out / "tracking"
    twins = config.out / "tracking_rgb" if config.tracking_rgb else None
    size = sequences.write_tracking(root, config.seed, task.index, config.tracking_frames, config.size, twins)
    return _Done(task, [], size)


def _tasks(config: SynthConfig) -> Iterator[_Task]:
    order = 0
    for index in range(config.sequences):
        for start in range(0, config.frames, CHUNK):
            yield _Task(config, order, PAIRS, index, start)
            order += 1
    for index in range(config.tracking if config.tracking_frames else 0):
        yield _Task(config, order, TRACKING, index, 0)
        order += 1


def _in_order(results: Iterator[_Done]) -> Iterator[_Done]:
    """Results in the order of their tasks, holding back only those that overtook another."""
    early: dict[int, _Done] = {}
    following = 0
    for result in results:
        early[result.task.order] = result
        while following in early:
            yield early.pop(following)
            following += 1


def _prepare(config: SynthConfig) -> None:
    """Make the output folder, empty but for what is not ours.

    Raises:
        UsageError: it holds something and may not be overwritten, or holds what this command did not make.
    """
    out = config.out
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file: choose another --out")
    if out.exists() and any(out.iterdir()):
        if not config.overwrite:
            line = again("--overwrite") or "overwrite it"
            raise UsageError(f"{out} is not empty: choose another --out or make all of it anew: {line}")
        ours = any((out / "pairs" / name).is_file() for name in ("truth.json", _UNFINISHED))
        if not ours and any((out / name).exists() for name in _MADE):
            raise UsageError(f"{out} holds pairs or tracking that synth did not make: choose another --out")
        for name in _MADE:
            if (out / name).is_dir():
                shutil.rmtree(out / name)
        drop_settings(out)
        (out / NOTE).unlink(missing_ok=True)
    for name in _MADE if config.tracking_rgb else _MADE[:2]:
        (out / name).mkdir(parents=True, exist_ok=True)
    keep_settings(out)
    write_text(out / "pairs" / _UNFINISHED, "")


def _record(
    config: SynthConfig, results: Iterator[_Done], truth: IO[str], found: IO[str], seen: IO[str]
) -> dict[str, int]:
    """Stream the truth, the boxes in plain view, and those with errors to their files as results come in."""
    truth.write(head(config))
    total = {"pairs": 0, "objects": 0, "detections": 0, "bytes": 0}
    for done in results:
        total["bytes"] += done.size
        task = done.task
        if task.kind != PAIRS:
            continue
        name = sequences.pair_name(task.index)
        if task.start == 0:
            truth.write(("" if task.index == 0 else "]},\n") + sequence_head(config, task.index))
        for position, row in enumerate(done.rows):
            truth.write((",\n" if task.start + position else "") + json.dumps(row))
            detection = in_plain_view(name, row)
            found.write(json.dumps(detection) + "\n")
            rng = stream(config.seed, PAIRS, task.index, Draw.DETECTED, task.start + position)
            seen.write(json.dumps(detected(detection, config.size, Errors(), rng)) + "\n")
            total["pairs"] += 1
            total["objects"] += len(row["objects"]) if isinstance(row["objects"], list) else 0
            total["detections"] += len(detection["boxes"]) if isinstance(detection["boxes"], list) else 0
    truth.write(("]}\n" if total["pairs"] else "") + "]}\n")
    return total


def run(config: SynthConfig) -> dict[str, object]:
    """Write ``pairs/``, ``tracking/`` and, where asked for, ``tracking_rgb/`` under ``config.out``.

    Returns:
        What was made: ``pairs``, ``sequences``, ``objects``, ``detections``, ``tracking`` (names), ``tracking_frames``,
        ``tracking_rgb_frames``, ``bytes``, ``seconds``, ``files``.

    Raises:
        UsageError: nothing is asked for, or the folder is in use or cannot be written.
    """
    if not config.sequences and not config.tracking:
        raise UsageError("--sequences 0 --tracking 0 makes nothing: raise one of them")
    begun = time.perf_counter()
    try:
        _prepare(config)
        pairs = config.out / "pairs"
        files = [written_text(pairs / name) for name in ("truth.json", "detections.jsonl", "detected.jsonl")]
        tasks = list(_tasks(config))
        with (
            files[0] as truth,
            files[1] as exact,
            files[2] as seen,
            ProgressBar("synth", sum(len(task.frames) for task in tasks), "frames") as bar,
        ):
            tally = Tally[_Task](bar, lambda task: len(task.frames))
            results = _in_order(run_tasks(_make, tasks, config.workers, tally=tally))
            total = _record(config, results, truth, exact, seen)
        (pairs / _UNFINISHED).unlink()
        names = [tracking_layout.name(index) for index in range(config.tracking if config.tracking_frames else 0)]
        made = total | {
            "sequences": config.sequences,
            "tracking": names,
            "tracking_frames": len(names) * config.tracking_frames,
            "tracking_rgb_frames": len(names) * config.tracking_frames if config.tracking_rgb else 0,
        }
        note = {"seed": config.seed, "size": list(config.size), MADE_BY: made_by({}, np, cv2)}
        write_json(config.out / NOTE, made | note)
    except OSError as error:
        raise UsageError(f"cannot write to {config.out}: {error.strerror or error}: choose another --out") from error
    return {**made, "seconds": round(time.perf_counter() - begun, 2), "files": made_in(config.out, (*_MADE, NOTE))}
