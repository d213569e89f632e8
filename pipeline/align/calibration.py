"""One matrix a camera: estimated from a spread of its frames, or handed in; and the error against a known truth."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pydantic import ValidationError

from pipeline import images
from pipeline.align.pictures import decode, read
from pipeline.align.rows import Rig
from pipeline.align.settings import AlignConfig
from pipeline.boxes import corners, project
from pipeline.config import Settings
from pipeline.errors import DataError, UsageError, first_fault
from pipeline.files.json_text import MAX_JSON, read_json, write_json
from pipeline.files.plain import read_plain
from pipeline.manifests import Manifest
from pipeline.pairing.discovery import ranges
from pipeline.pairing.discovery.discover import discover
from pipeline.pairing.registration import quality, register
from pipeline.pairing.registration.features import Grey, luminance
from pipeline.records import AlignedPair, PairFiles, read_rows
from pipeline.runtime.counting import Tally
from pipeline.runtime.executor import run_tasks
from pipeline.runtime.progress import ProgressBar

log = logging.getLogger(__name__)

FRAMES = 24
"""Frames of one camera whose evidence is pooled."""

SPLIT_LIMIT = 5.0
"""Distance, in RGB pixels, of the corners of two half fits above which a camera's matrix is not trusted."""

Rigs = dict[str, Rig]
"""Camera -> its matrix; a camera that is missing is registered pair by pair."""


class RigFile(Settings):
    """``homographies.json``: what ``align`` writes beside its rows and reads with ``--homographies``."""

    cameras: dict[str, Rig]


@dataclass(frozen=True)
class Task:
    """One camera to calibrate: its sampled pairs, each with the 16-bit range of its sequence."""

    config: AlignConfig
    camera: str
    pairs: tuple[tuple[PairFiles, tuple[float, float] | None], ...]


def fingerprint(path: Path | None) -> str | None:
    """SHA-256 of a file of known matrices.

    Raises:
        UsageError: it is not there, no plain file, or too large for one.
    """
    if path is None:
        return None
    try:
        return hashlib.sha256(read_plain(path, MAX_JSON)).hexdigest()
    except OSError as error:
        told = f"no such file to read ({error.strerror})"
        raise UsageError(f"--homographies {path}: {told}: pass the homographies.json of an earlier align") from error


def calibrate(config: AlignConfig, manifest: Manifest) -> Rigs:
    """The matrices known before pairs are looked at: from the file, from pooled frames, or none.

    Estimates are kept in ``parts/rigs.json``, so that a rerun does not repeat them, and in ``homographies.json``.
    """
    if config.homographies:
        return _read(config.homographies)
    kept = config.out / "parts" / "rigs.json"
    if not kept.is_file():
        samples = list(_samples(config, manifest))
        total = sum(len(task.pairs) for task in samples)
        with ProgressBar("align: matrices of rigs", total, "pairs", keep=False, shown=total > 0) as bar:
            tally = Tally[Task](bar, lambda task: len(task.pairs))
            estimates = dict(run_tasks(_estimate, samples, config.workers, config.scheduler, tally=tally))
        rigs = {camera: rig for camera, rig in sorted(estimates.items()) if rig}
        good = {camera: rig for camera, rig in rigs.items() if rig.trusted}
        for path, chosen in ((config.out / "homographies.json", good), (kept, rigs)):
            if chosen or path == kept:
                write_json(path, RigFile(cameras=chosen).model_dump(mode="json"))
    return _read(kept)


def idle_beside_known(config: AlignConfig, cameras: Collection[str]) -> dict[str, str]:
    """The settings that do nothing since the matrix of every camera is handed in -> what would use them.

    Where a matrix is one for pictures of a size, pairs of another size are registered, to which ``model`` applies.
    """
    if not config.homographies:
        return {}
    rigs = {camera: rig for camera, rig in _read(config.homographies).items() if rig.trusted}
    if not rigs.keys() >= set(cameras):
        return {}
    idle = {"estimate": "cameras that --homographies does not name"}
    if all(rigs[camera].rgb_size is None and rigs[camera].tir_size is None for camera in cameras):
        idle["model"] = idle["estimate"]
    return idle


def usable(rigs: Rigs) -> Rigs:
    """The cameras whose matrix is trusted; the rest are named in a warning and will be registered pair by pair."""
    for camera, rig in rigs.items():
        if not rig.trusted:
            log.warning(
                "camera %s: two halves of its frames disagree by %.1f px, more than %g: registering it pair by pair",
                camera,
                rig.scores["split"],
                SPLIT_LIMIT,
            )
    return {camera: rig for camera, rig in rigs.items() if rig.trusted}


def known_rig(rigs: Rigs, camera: str, config: AlignConfig, manifest: Manifest) -> Rig | None:
    """What is known of a camera: its own matrix, or what the manifest says of a data set registered by its makers."""
    if camera in rigs or config.estimate or config.model != "auto":
        return rigs.get(camera)
    if manifest.prior == "matrix" and manifest.matrix:
        return Rig(homography=manifest.matrix)
    if manifest.prior == "identity":
        return Rig(homography=(1, 0, 0, 0, 1, 0, 0, 0, 1), model="identity")
    return None


def _read(path: Path) -> Rigs:
    try:
        return RigFile.model_validate(read_json(path)).cameras
    except ValidationError as error:
        fault = first_fault(error)
        raise DataError(f"{path}: {fault.key}: {fault.message}") from error


def _spread(items: list[Any], count: int) -> list[Any]:
    """At most ``count`` items, evenly spread."""
    picks = np.unique(np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int))
    return [items[i] for i in picks]


def _samples(config: AlignConfig, manifest: Manifest) -> Iterator[Task]:
    """A spread of every camera's frames; only the sampled ones are held."""
    cameras: dict[str, list[tuple[PairFiles, tuple[float, float] | None]]] = {}
    for sequence in discover(config.root, manifest):
        if sequence.pairs and (config.estimate or sequence.manifest.prior) == "sequence":
            tir_range = ranges.sequence_range(
                config.root, sequence.pairs, config.tir_range or sequence.manifest.tir_range
            )
            cameras.setdefault(sequence.camera, []).extend((p, tir_range) for p in _spread(sequence.pairs, FRAMES))
    for camera, pairs in cameras.items():
        yield Task(config, camera, tuple(_spread(pairs, FRAMES)))


def _estimate(task: Task) -> tuple[str, Rig | None]:
    """Pool the frames of one camera, of their most common size; None where there are none.

    Those that there are doubts about, such as cameras of two aspects, count where there are no others.
    """
    sound: dict[tuple[tuple[int, ...], tuple[int, ...]], list[tuple[Grey, images.Tir]]] = {}
    doubtful = sound.copy()
    for pair, tir_range in task.pairs:
        try:
            loaded = decode(read(task.config.root, pair), pair, tir_range)
            early = quality.inspect(loaded.rgb, loaded.tir)
        except (images.UnreadableImageError, cv2.error):
            continue
        if early is None or not early.reason:
            sizes = (loaded.rgb.shape[1::-1], loaded.tir.shape[::-1])
            (doubtful if early else sound).setdefault(sizes, []).append((luminance(loaded.rgb), loaded.tir))
    frames = sound or doubtful
    if not frames:
        return task.camera, None
    (rgb_size, tir_size), chosen = max(frames.items(), key=lambda item: len(item[1]))
    try:
        fit = register.register_sequence(chosen, model=task.config.model)
    except cv2.error:
        # Each pair is then tried, and those that are at fault rejected by name.
        return task.camera, None
    rig = Rig.model_validate(
        {
            "homography": tuple(map(float, fit.homography.ravel())),
            "model": fit.model,
            "rgb_size": rgb_size,
            "tir_size": tir_size,
            "scores": fit.scores,
            "trusted": fit.scores["split"] <= SPLIT_LIMIT,
        }
    )
    return task.camera, rig


def truth_errors(root: Path, aligned: Path) -> dict[str, Any]:
    """Corner error of the estimates where ``ROOT/truth.json`` (as ``synth`` writes it) knows the answer.

    Returns:
        ``{"truth": {"pairs", "median_px", "p95_px", "over_5px"}}``: per pair the mean distance of the four TIR corners
        mapped by estimate and truth, in RGB pixels; empty where there is no truth, or a file of another kind.
    """
    path = root / "truth.json"
    if not path.is_file():
        return {}
    try:
        content: dict[str, Any] = read_json(path)
        truth = {
            f"{sequence['sequence']}/{frame['frame']}": np.reshape(frame["homography"], (3, 3)).astype(np.float64)
            for sequence in content.get("sequences", ())
            for frame in sequence["frames"]
        }
    except (DataError, KeyError, TypeError, ValueError):
        log.warning("%s is not what `cmd-prep synth` writes: errors against it are not measured", path)
        return {}
    errors = []
    for row in read_rows(aligned, AlignedPair):
        if row.pair_id in truth:
            box = corners((0, 0, *row.tir_size))
            gap = project(np.reshape(row.homography, (3, 3)), box) - project(truth[row.pair_id], box)
            errors.append(np.hypot(*gap.T).mean())
    if not errors:
        return {}
    return {
        "truth": {
            "pairs": len(errors),
            "median_px": round(float(np.median(errors)), 3),
            "p95_px": round(float(np.quantile(errors, 0.95)), 3),
            "over_5px": round(float(np.mean(np.array(errors) > 5)), 4),
        }
    }
