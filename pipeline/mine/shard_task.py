"""The work of one mining task: read a shard's pairs, propose boxes, cut patches, write the file."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from pipeline import boxes, images
from pipeline.detect import Detector, DetectorSpec, build_detector, select
from pipeline.mine import proposals
from pipeline.mine.proposals import Proposal
from pipeline.mine.settings import MineConfig
from pipeline.pairing.discovery.sources import load_side
from pipeline.patches import cut
from pipeline.records import AlignedPair, Matrix9, Reject
from pipeline.runtime.memory import keep_freed_memory
from pipeline.shards.writer import Pair, Pairs, Patch, Shard, write_shard

ROW = TypeAdapter(AlignedPair)
IDENTITY: Matrix9 = (1, 0, 0, 0, 1, 0, 0, 0, 1)
_kept = threading.local()


@dataclass(frozen=True)
class Task:
    """One shard: where it goes, and which rows of ``aligned.jsonl`` (byte offsets) go into it."""

    path: Path
    aligned: Path
    root: Path
    config: MineConfig
    recipe: dict[str, Any]
    offsets: NDArray[np.int64]


@dataclass(frozen=True)
class Loaded:
    """A pair in memory; pixels are there only if something needs them, and then as a reader of the shard sees them."""

    row: AlignedPair
    pair: Pair
    rgb: images.Rgb | None
    tir: images.Tir | None


def mine_shard(task: Task) -> str:
    """Make one shard; return its file name.

    A pair that cannot be read is recorded as a reject; an error of the detector or the disk ends the task.
    """
    keep_freed_memory()
    config = task.config
    detector = build_detector(detector_spec(config)) if config.method == "detection" else None
    shard = Shard(config=task.recipe, patch_size=config.patch_size, pairs=_empty_pairs())
    if detector:
        shard.detector, shard.weights_sha256 = config.detector, detector.weights_sha256
    for batch in _batches(task, detector.batch_size if detector else 1, ahead=detector is not None):
        read = [each for each in batch if isinstance(each, Loaded)]
        found = _propose(read, config, detector)
        for each in batch:
            if isinstance(each, Loaded):
                _add(shard, each, next(found), config)
            else:
                shard.rejects.append(each)
    write_shard(task.path, shard)
    return task.path.name


def _empty_pairs() -> Pairs:
    """Where a shard's pairs are gathered, one after the other in the same memory."""
    if not hasattr(_kept, "pairs"):
        _kept.pairs = Pairs()
    _kept.pairs.clear()
    found: Pairs = _kept.pairs
    return found


def detector_spec(config: MineConfig) -> DetectorSpec:
    """The detector that the settings ask for."""
    return DetectorSpec(
        name=config.detector,
        weights=config.weights,
        config=config.detector_config,
        detections=config.detections,
        confidence=config.confidence,
        batch_size=config.batch_size,
        device=config.device,
        backend=config.backend,
    )


def _batches(task: Task, size: int, *, ahead: bool) -> Iterator[list[Loaded | Reject]]:
    """The task's pairs in batches; ``ahead``: the next one is read while this one is worked on."""
    parts = [task.offsets[first : first + size] for first in range(0, len(task.offsets), size)]
    with task.aligned.open("rb") as rows:
        if not ahead:
            yield from (_load_batch(task, rows, part) for part in parts)
            return
        # Reading and decoding let go of the interpreter, and so does the detector.
        with ThreadPoolExecutor(1) as reader:
            coming: deque[Future[list[Loaded | Reject]]] = deque()
            for part in parts:
                coming.append(reader.submit(_load_batch, task, rows, part))
                if len(coming) > 1:
                    yield coming.popleft().result()
            yield from (last.result() for last in coming)


def _load_batch(task: Task, rows: BinaryIO, offsets: NDArray[np.int64]) -> list[Loaded | Reject]:
    batch: list[Loaded | Reject] = []
    for offset in offsets:
        rows.seek(int(offset))
        row = ROW.validate_json(rows.readline())
        try:
            batch.append(_load(task, row))
        except images.UnreadableImageError as error:
            batch.append(_reject(row, "decode", str(error)))
    return batch


def _load(task: Task, row: AlignedPair) -> Loaded:
    """Read a pair; bytes stay verbatim where nothing is warped, and are decoded only where pixels are needed."""
    config = task.config
    tight = config.patch_size > 0
    rgb_bytes, tir_bytes = load_side(task.root, row.rgb), load_side(task.root, row.tir)
    rgb = images.decode_rgb(rgb_bytes, row.rgb) if tight or config.method == "detection" else None
    _check_size(row.rgb, row.rgb_size, rgb, rgb_bytes)
    matrix, valid = _frame(row.homography, row.tir_size)
    warp = row.rgb_size != row.tir_size or row.tir_range is not None or row.homography != IDENTITY
    tir = images.decode_tir(tir_bytes, row.tir, row.tir_range) if tight or warp else None
    _check_size(row.tir, row.tir_size, tir, tir_bytes)
    if warp and tir is not None:
        tir = images.warp_to_rgb(tir, matrix, row.rgb_size)
        tir_bytes = images.encode(tir, "." + config.warped_format)
        if tight and config.warped_format == "jpg":
            tir = images.decode_tir(tir_bytes, row.tir)
    return Loaded(row, Pair(row.pair_id, rgb_bytes, tir_bytes, matrix, valid), rgb, tir)


@lru_cache(maxsize=64)
def _frame(homography: Matrix9, size: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The matrix (3, 3) and the TIR footprint (4, 2), worked out once where all pairs of a camera share them."""
    matrix = np.array(homography).reshape(3, 3)
    return matrix, boxes.footprint(matrix, *size)


def _check_size(name: str, expected: tuple[int, int], pixels: NDArray[np.uint8] | None, data: bytes) -> None:
    """See to it that a picture has the size that it was aligned at; the header tells it where it is not decoded."""
    actual = images.picture_size(data, name) if pixels is None else (pixels.shape[1], pixels.shape[0])
    if actual != expected:
        raise images.UnreadableImageError(f"{name}: is {actual} now, was {expected} when aligned: align again")


def _propose(
    batch: list[Loaded], config: MineConfig, detector: Detector | None
) -> Iterator[tuple[list[Proposal], list[Reject]]]:
    """Pseudo boxes of each pair of a batch, and what was left out."""
    detections = (
        detector.detect([p.rgb for p in batch if p.rgb is not None], [p.row.pair_id for p in batch])
        if (detector and batch)
        else []
    )
    for number, loaded in enumerate(batch):
        area = proposals.common_area(loaded.row.rgb_size, loaded.pair.valid)
        if config.method == "center":
            yield proposals.center(area, config.center_fraction), []
        elif config.method == "random":
            rng = proposals.pair_rng(config.seed, loaded.row.pair_id)
            yield proposals.random(area, loaded.row.rgb_size, config.patches_per_pair, config, rng), []
        else:
            chosen = select(
                detections[number],
                classes=config.classes or None,
                min_size=config.min_size,
                max_size=config.max_size or None,
                limit=config.patches_per_pair,
            )
            found = [Proposal(b, float(s), int(c)) for b, s, c in zip(chosen.boxes, chosen.scores, chosen.classes)]
            inside, outside = proposals.covered(found, loaded.pair.valid)
            rejects = []
            if outside:
                detail = f"{len(outside)} of {len(found)} boxes are less than 95 % inside the TIR footprint"
                rejects.append(_reject(loaded.row, "outside_tir", detail))
            if not inside and config.fallback == "random":
                rng = proposals.pair_rng(config.seed, loaded.row.pair_id)
                inside = proposals.random(area, loaded.row.rgb_size, 1, config, rng)
            yield inside, rejects


def _add(shard: Shard, loaded: Loaded, found: tuple[list[Proposal], list[Reject]], config: MineConfig) -> None:
    """Put a pair and its patches into the shard, or its reject."""
    chosen, rejects = found
    shard.rejects += rejects
    if not chosen:
        if not rejects:
            empty = config.method == "detection" and config.fallback == "skip"
            reason, detail = (
                ("no_detection", "nothing found") if empty else ("outside_tir", "no common area to cut from")
            )
            shard.rejects.append(_reject(loaded.row, reason, detail))
        return
    shard.pairs.append(loaded.pair)
    for proposal in chosen:
        # Cut by the box as it is stored, in float32, so that a check can derive the same patch again.
        box = proposal.box.astype(np.float32).astype(np.float64)
        rgb, tir = (
            None if side is None or not config.patch_size else cut(side, box, config.patch_size)
            for side in (loaded.rgb, loaded.tir)
        )
        shard.patches.append(Patch(len(shard.pairs) - 1, box, proposal.score, proposal.category, rgb, tir))


def _reject(row: AlignedPair, reason: str, detail: str) -> Reject:
    content = {"pair_id": row.pair_id, "rgb": row.rgb, "tir": row.tir, "stage": "mine", "reason": reason}
    return Reject.model_validate(content | {"detail": detail})
