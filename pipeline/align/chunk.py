"""The work of one alignment task: read, register and judge a chunk of pairs, write their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline import images
from pipeline.align import pictures, sequence_flags
from pipeline.align.rows import Part, Rig
from pipeline.align.settings import AlignConfig
from pipeline.files.writing import write_bytes
from pipeline.pairing.registration import clock, drift, motion, quality, register
from pipeline.pairing.registration.features import Grey, luminance
from pipeline.records import AlignedPair, PairFiles, Reason, Reject, write_rows
from pipeline.runtime.counting import count


@dataclass(frozen=True)
class Task:
    """A chunk of one sequence's pairs, and what is known of their camera.

    Attributes:
        path: the part file to write.
        config: settings of the run.
        pairs: what to align.
        rejects: rows that discovery already rejected, to be written along.
        known: the matrix of their camera, where it is not estimated pair by pair.
        tir_range: raw values of 16-bit TIR that become 0 and 255.
    """

    path: Path
    config: AlignConfig
    pairs: tuple[PairFiles, ...]
    rejects: tuple[Reject, ...]
    known: Rig | None
    tir_range: tuple[float, float] | None


def align_chunk(task: Task) -> int:
    """Align the pairs of a task; return how many rows were written."""
    rejects = [Part(reject=reject) for reject in task.rejects]
    allowed = clock.tolerance(task.pairs)
    if task.known and task.config.homographies and task.config.min_score == 0:
        known = task.known
        return write_rows(task.path, [*rejects, *_each(task.pairs, lambda pair: _apply(task, pair, known, allowed))])
    film = motion.Film() if task.known and not task.config.preview else None
    parts = sequence_flags.drifting(_each(task.pairs, lambda pair: _align_pair(task, pair, allowed, film)))
    if film:
        parts = sequence_flags.skewed(parts, film.skew())
    return write_rows(task.path, [*rejects, *parts])


def _each(pairs: Sequence[PairFiles], work: Callable[[PairFiles], Part]) -> list[Part]:
    """A part a pair; one that OpenCV refuses to work on, for whatever is odd about its pictures, is a reject."""
    parts = []
    for pair in pairs:
        try:
            parts.append(work(pair))
        except cv2.error as error:
            parts.append(Part(reject=_reject(pair, "decode", f"{pair.rgb}, {pair.tir}: {images.refusal(error)}")))
        count()
    return parts


def _align_pair(task: Task, pair: PairFiles, allowed: float, film: motion.Film | None) -> Part:
    """Register one pair and keep it, or reject it with the first reason that applies.

    With ``min_score`` 0 only a picture that is not whole, or not thermal, is a reason; every other one becomes a flag.

    Args:
        task: what is known of the sequence.
        pair: the pair.
        allowed: seconds of skew.
        film: collects the frames whose motion is to be compared; None compares nothing.
    """
    config = task.config
    try:
        encoded = pictures.read(config.root, pair)
        loaded = pictures.decode(encoded, pair, task.tir_range)
    except images.UnreadableImageError as error:
        return Part(reject=_reject(pair, error.reason, str(error)))
    rgb, tir = loaded.rgb, loaded.tir
    early = clock.skewed(pair, allowed) or quality.inspect(rgb, tir)
    if early and early.reason and config.min_score > 0:
        return Part(reject=_reject(pair, early.reason, early.detail))
    grey = luminance(rgb)
    fit = _registration(task, grey, tir)
    facts: dict[str, Any] = {}
    if _fits(task.known, rgb.shape[1::-1], tir.shape[::-1]):
        facts = {"camera": pair.camera, "drift": drift.significant(fit.scores)}
        if film:
            film.add(pair.pair_id, grey, tir, fit.homography)
    verdict = quality.judge(rgb, tir, fit)
    if config.min_score > 0 and verdict.reason:
        return Part(reject=_reject(pair, verdict.reason, verdict.detail), **facts)
    if verdict.score < config.min_score:
        low = f"score {verdict.score:.3f} is below --min-score {config.min_score:g}"
        return Part(reject=_reject(pair, "low_score", "; ".join(filter(None, (low, verdict.detail)))), **facts)
    doubts = [*encoded.flags, *(early.flags if early else ()), *verdict.flags, early and early.reason, verdict.reason]
    row = AlignedPair(
        **_named(pair),
        rgb_size=(rgb.shape[1], rgb.shape[0]),
        tir_size=(tir.shape[1], tir.shape[0]),
        homography=tuple(map(float, fit.homography.ravel())),
        model=fit.model,
        score=verdict.score,
        scores=fit.scores,
        flags=tuple(dict.fromkeys(filter(None, doubts))),
        tir_range=loaded.tir_range,
        **encoded.hashes,
    )
    if config.write_images:
        _write_images(config, row, encoded.rgb, tir)
    return Part(aligned=row, seen=encoded.seen, **facts)


def _apply(task: Task, pair: PairFiles, rig: Rig, allowed: float) -> Part:
    """Give a pair the matrix that was handed in: nothing is fitted or judged, and no pixel needed.

    Both pictures are checked whole all the same. The score is the one that the matrix came with, 0 where it came
    without. A pair of another size is registered.
    """
    try:
        encoded = pictures.read(task.config.root, pair)
        rgb_size = images.check(encoded.rgb, pair.rgb)
        tir_size, deep = images.check_tir(encoded.tir, pair.tir, task.tir_range)
    except images.UnreadableImageError as error:
        return Part(reject=_reject(pair, error.reason, str(error)))
    if not _fits(rig, rgb_size, tir_size):
        return _align_pair(task, pair, allowed, None)
    score = quality.calibrated(rig.scores) if {"agreement", "spread", "drift"} <= rig.scores.keys() else 0.0
    late = clock.skewed(pair, allowed)
    row = AlignedPair(
        **_named(pair),
        rgb_size=rgb_size,
        tir_size=tir_size,
        homography=rig.homography,
        model=rig.model,
        score=round(score, 6),
        scores={},
        flags=("unverified", *encoded.flags, *((late.reason,) if late and late.reason else ())),
        tir_range=task.tir_range if deep else None,
        **encoded.hashes,
    )
    if task.config.write_images:
        _write_images(task.config, row, encoded.rgb, pictures.decode(encoded, pair, task.tir_range).tir)
    return Part(aligned=row, seen=encoded.seen, camera=pair.camera)


def _named(pair: PairFiles) -> dict[str, Any]:
    """What a row of ``aligned.jsonl`` takes over from discovery."""
    return pair.model_dump(include={"pair_id", "sequence", "frame", "rgb", "tir", "timestamp"})


def _write_images(config: AlignConfig, row: AlignedPair, rgb: bytes, tir: images.Tir) -> None:
    """Write a pair as it lies after alignment, in KAIST's layout: the RGB file's bytes, TIR resampled without loss."""
    folder = config.out / "images" / row.sequence
    suffix = Path(row.rgb).suffix if "#" not in row.rgb else ".png"
    warped = images.warp_to_rgb(tir, np.array(row.homography).reshape(3, 3), row.rgb_size)
    for side, data, end in (
        ("visible", rgb, suffix),
        ("lwir", images.encode(warped, ".png"), ".png"),
    ):
        file = folder / side / f"{row.frame}{end}"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(file, data)


def _fits(rig: Rig | None, rgb_size: Sequence[int], tir_size: Sequence[int]) -> bool:
    """Whether a matrix is known for pictures of these sizes (width, height)."""
    if rig is None:
        return False
    return (rig.rgb_size or tuple(rgb_size), rig.tir_size or tuple(tir_size)) == (tuple(rgb_size), tuple(tir_size))


def _registration(task: Task, grey: Grey, tir: images.Tir) -> register.Registration:
    """Estimate the pair's matrix, or score the one that is known of its camera at this size."""
    rig = task.known
    if rig is None or not _fits(rig, grey.shape[::-1], tir.shape[::-1]):
        return register.register_pair(grey, tir, model=task.config.model)
    if rig.model == "identity":
        return register.register_pair(grey, tir, model="identity")
    matrix = np.array(rig.homography).reshape(3, 3)
    return register.evaluate(grey, tir, matrix, rig.model, enough=partial(quality.sure, least=task.config.min_score))


def _reject(pair: PairFiles, reason: Reason, detail: str) -> Reject:
    return Reject(pair_id=pair.pair_id, rgb=pair.rgb, tir=pair.tir, stage="align", reason=reason, detail=detail)
