"""The work of one alignment task: read, register and judge a chunk of pairs, write their rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field

from pipeline import images
from pipeline.config import AlignConfig, Settings
from pipeline.pairing import fit, quality, register
from pipeline.pairing.sources import load_side
from pipeline.records import AlignedPair, Matrix9, PairFiles, Reason, Reject, Row, write_rows


class Part(Row):
    """One row of a part file: exactly one of the two is set."""

    aligned: AlignedPair | None = None
    reject: Reject | None = None


class Rig(Settings):
    """One camera in ``homographies.json``.

    Attributes:
        homography: TIR pixel -> RGB pixel, row-major, pixel centres.
        model: the family it belongs to.
        rgb_size: (width, height) of the pictures it holds for; None holds for any.
        tir_size: likewise.
        scores: parts of the score of the pooled frames, as for a pair.
    """

    homography: Matrix9
    model: fit.Fitted = "homography"
    rgb_size: tuple[int, int] | None = None
    tir_size: tuple[int, int] | None = None
    scores: dict[str, float] = Field(default_factory=dict)


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
    parts = [Part(reject=reject) for reject in task.rejects]
    parts += [_align_pair(task, pair) for pair in task.pairs]
    return write_rows(task.path, parts)


@dataclass(frozen=True)
class Pictures:
    """A pair in memory.

    Attributes:
        rgb: (H, W, 3) R, G, B.
        tir: (h, w).
        tir_range: raw values that became 0 and 255, where the thermal picture has 16 bits.
        tir_chroma: how far the thermal picture, as stored, is from gray.
    """

    rgb: images.Rgb
    tir: images.Tir
    tir_range: tuple[float, float] | None
    tir_chroma: float


def load(root: Path, pair: PairFiles, tir_range: tuple[float, float] | None) -> Pictures:
    """Read both pictures of a pair.

    Raises:
        UnreadableImageError: either cannot be read; the message names it.
    """
    rgb = images.decode_rgb(load_side(root, pair.rgb), pair.rgb)
    raw = images.decode(load_side(root, pair.tir), pair.tir)
    used = tir_range if raw.dtype == np.uint16 else None
    return Pictures(rgb, images.to_tir(raw, pair.tir, tir_range), used, quality.chroma(raw))


def _align_pair(task: Task, pair: PairFiles) -> Part:
    """Register one pair and keep it, or reject it with the first reason that applies.

    With ``min_score`` 0 only a picture that cannot be decoded is a reason; every other one becomes a flag.
    """
    config = task.config
    try:
        loaded = load(config.root, pair, task.tir_range)
    except images.UnreadableImageError as error:
        return Part(reject=_reject(pair, "decode", str(error)))
    rgb, tir = loaded.rgb, loaded.tir
    strict = config.min_score > 0
    early = quality.inspect(rgb, tir, loaded.tir_chroma)
    if early and early.reason and strict:
        return Part(reject=_reject(pair, early.reason, early.detail))
    found = _registration(task, rgb, tir)
    verdict = quality.judge(rgb, tir, found)
    if strict and verdict.reason:
        return Part(reject=_reject(pair, verdict.reason, verdict.detail))
    if verdict.score < config.min_score:
        detail = f"score {verdict.score:.3f} is below --min-score {config.min_score:g}"
        return Part(reject=_reject(pair, "low_score", detail))
    doubts = [*(early.flags if early else ()), *verdict.flags, early and early.reason, verdict.reason]
    row = AlignedPair(
        pair_id=pair.pair_id,
        sequence=pair.sequence,
        frame=pair.frame,
        rgb=pair.rgb,
        tir=pair.tir,
        rgb_size=(rgb.shape[1], rgb.shape[0]),
        tir_size=(tir.shape[1], tir.shape[0]),
        homography=tuple(map(float, found.homography.ravel())),
        model=found.model,
        score=verdict.score,
        scores=found.scores,
        flags=tuple(dict.fromkeys(filter(None, doubts))),
        timestamp=pair.timestamp,
        tir_range=loaded.tir_range,
    )
    if config.write_images:
        _write_images(config, row, tir)
    return Part(aligned=row)


def _write_images(config: AlignConfig, row: AlignedPair, tir: images.Tir) -> None:
    """Write a pair as it lies after alignment, in KAIST's layout: the RGB file's bytes, TIR resampled without loss."""
    folder = config.out / "images" / row.sequence
    suffix = Path(row.rgb).suffix if "#" not in row.rgb else ".png"
    warped = images.warp_to_rgb(tir, np.array(row.homography).reshape(3, 3), row.rgb_size)
    for side, data, end in (
        ("visible", load_side(config.root, row.rgb), suffix),
        ("lwir", images.encode(warped, ".png"), ".png"),
    ):
        file = folder / side / f"{row.frame}{end}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def _registration(task: Task, rgb: images.Rgb, tir: images.Tir) -> register.Registration:
    """Estimate the pair's matrix, or score the one that is known of its camera at this size."""
    rig = task.known
    sizes = ((rgb.shape[1], rgb.shape[0]), (tir.shape[1], tir.shape[0]))
    if rig is None or (rig.rgb_size or sizes[0], rig.tir_size or sizes[1]) != sizes:
        return register.register_pair(rgb, tir, model=task.config.model)
    if rig.model == "identity":
        return register.register_pair(rgb, tir, model="identity")
    return register.evaluate(rgb, tir, np.array(rig.homography).reshape(3, 3), rig.model)


def _reject(pair: PairFiles, reason: Reason, detail: str) -> Reject:
    return Reject(pair_id=pair.pair_id, rgb=pair.rgb, tir=pair.tir, stage="align", reason=reason, detail=detail)
