"""``track.json``: what a folder of results was made with, how fast, and what was amiss."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from pipeline.files.json_text import read_json, write_json
from pipeline.runtime.asked import MADE_BY, made_by
from trainer.sequences.dataset import DataSet
from trainer.sequences.track_note import TRACK
from trainer.track.runner import Job, read_seconds
from trainer.track.settings import TrackConfig
from trainer.trackers.model import Model


def write_note(config: TrackConfig, model: Model, job: Job, data: DataSet, faults: Mapping[str, str]) -> list[float]:
    """Write ``track.json``; sequences of earlier runs whose results are there stay in it.

    Returns:
        Frames/s of every sequence of this run that is tracked.

    Raises:
        DataError: the one of an earlier run is damaged.
    """
    path = config.out / TRACK
    earlier = read_json(path).get("sequences") if path.is_file() else None
    entries = dict(earlier) if isinstance(earlier, dict) else {}
    entries = {name: entry for name, entry in entries.items() if job.boxes_file(name).is_file()}
    seconds = {clip.name: read_seconds(job, clip) for clip in data.clips if job.tracked(clip)}
    speeds = {name: len(each) / max(float(each.sum()), 1e-9) for name, each in seconds.items()}
    entries |= {name: {"frames": len(seconds[name]), "fps": round(fps, 2)} for name, fps in speeds.items()}
    content: dict[str, object] = {
        "tracker": model.tracker,
        "weights": str(model.file.resolve()) if model.file else None,
        "weights_sha256": model.sha256,
        "params": job.params,
        "tir_range": job.tir_range,
        "seed": job.seed,
        "precision": job.precision,
        "format": job.format,
        "max_frames": config.max_frames,
        "device": job.device,
        "threads": job.threads,
        "dataset": config.dataset,
        "root": str(config.root.resolve()),
        "missing": list(data.missing),
        "unlisted": list(data.unlisted),
        "sequences": entries,
        "faults": dict(faults),
        "warnings": list(data.warnings),
        MADE_BY: made_by({"weights": model.sha256}, torch, np),
    }
    write_json(path, content)
    return list(speeds.values())
