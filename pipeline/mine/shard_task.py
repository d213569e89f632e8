"""The work of one mining task: read a shard's pairs, propose boxes, cut patches, write the file."""

from __future__ import annotations

import platform
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from pipeline import boxes, images
from pipeline.detect import Survey
from pipeline.detect.classes import names_beyond_coco
from pipeline.errors import UsageError
from pipeline.mine import pictures
from pipeline.mine.methods import Method, PairView, Proposed, build_method
from pipeline.mine.proposals import Proposal
from pipeline.mine.settings import MineConfig
from pipeline.pairing.discovery.sources import load_side
from pipeline.patches import cut
from pipeline.records import AlignedPair, Matrix9, Reason, Reject
from pipeline.runtime.memory import keep_freed_memory
from pipeline.shards.writer import Pair, Pairs, Patch, Shard, write_shard

ROW = TypeAdapter(AlignedPair)
IDENTITY: Matrix9 = (1, 0, 0, 0, 1, 0, 0, 0, 1)
NOTHING: tuple[Reason, str] = ("no_detection", "nothing proposed")
"""Why a pair is left out for which a method proposes nothing and does not say why."""
_kept = threading.local()


@dataclass(frozen=True)
class Task:
    """One shard: where it goes, which rows of ``aligned.jsonl`` (byte offsets) go into it, what is settled of them."""

    path: Path
    aligned: Path
    root: Path
    config: MineConfig
    recipe: dict[str, Any]
    offsets: NDArray[np.int64]
    survey: Survey


@dataclass(frozen=True)
class Loaded:
    """A pair in memory; pixels are there only if something needs them, and then as a reader of the shard sees them."""

    row: AlignedPair
    pair: Pair
    rgb: images.Rgb | None
    tir: images.Tir | None

    @property
    def view(self) -> PairView:
        """The pair as a mining method sees it."""
        return PairView(self.row.pair_id, self.row.rgb_size, self.pair.valid, self.row, self.rgb)


def mine_shard(task: Task) -> str:
    """Make one shard; return its file name.

    A pair that cannot be read is recorded as a reject; an error of the detector or the disk ends the task.
    """
    keep_freed_memory()
    config = task.config
    method = build_method(config)
    _same_sources(method, task.recipe)
    method.surveyed = task.survey
    method.open(config)
    # Once more: a detector is imported only when it is built.
    _same_sources(method, task.recipe)
    shard = Shard(config=task.recipe, patch_size=config.patch_size, pairs=_empty_pairs())
    shard.detector, shard.weights_sha256 = method.detector, method.weights_sha256
    shard.fallbacks = 0 if method.falls_back else None
    shard.class_names = names_beyond_coco(method.class_names)
    for batch in _batches(task, method):
        views = [each.view for each in batch if isinstance(each, Loaded)]
        following = iter(_propose(method, views))
        for each in batch:
            if isinstance(each, Loaded):
                _add(shard, each, next(following), config.patch_size)
            else:
                shard.rejects.append(each)
    write_shard(task.path, shard)
    return task.path.name


def _propose(method: Method, views: list[PairView]) -> list[Proposed]:
    """What a method proposes for a batch; a picture that OpenCV refuses to work on is left out, not its batch.

    Raises:
        UsageError: it proposes for fewer pairs, or for more.
    """
    try:
        proposed = list(method.propose(views))
    except cv2.error as error:
        if len(views) == 1:
            return [Proposed([], [("decode", images.refusal(error))])]
        return [alone for view in views for alone in _propose(method, [view])]
    if len(proposed) != len(views):
        name = method.settings.method
        raise UsageError(f"method {name}: proposed for {len(proposed)} of {len(views)} pairs: mend it")
    return proposed


def _empty_pairs() -> Pairs:
    """Where a shard's pairs are gathered, one after the other in the same memory."""
    if not hasattr(_kept, "pairs"):
        _kept.pairs = Pairs()
    _kept.pairs.clear()
    pairs: Pairs = _kept.pairs
    return pairs


def _same_sources(method: Method, recipe: Mapping[str, Any]) -> None:
    """See to it that a worker elsewhere has the very code that the run was started with.

    Raises:
        UsageError: what is plugged in is another version.
    """
    for name, sha256 in method.sources().items():
        if recipe.get(name) != sha256:
            raise UsageError(
                f"{name} on {platform.node()} is {sha256[:16]}, the run was started with "
                f"{str(recipe.get(name))[:16]}: give every worker the same file"
            )


def _batches(task: Task, method: Method) -> Iterator[list[Loaded | Reject]]:
    """The task's pairs in batches; where the method looks at pictures, the next is read while one is worked on."""
    size, looks = method.batch_size, method.looks
    parts = [task.offsets[first : first + size] for first in range(0, len(task.offsets), size)]
    with task.aligned.open("rb") as rows:
        if not looks:
            yield from (_load_batch(task, rows, part, looks) for part in parts)
            return
        # Reading and decoding let go of the interpreter, and so does a detector.
        with ThreadPoolExecutor(1) as reader:
            coming: deque[Future[list[Loaded | Reject]]] = deque()
            for part in parts:
                coming.append(reader.submit(_load_batch, task, rows, part, looks))
                if len(coming) > 1:
                    yield coming.popleft().result()
            yield from (last.result() for last in coming)


def _load_batch(task: Task, rows: BinaryIO, offsets: NDArray[np.int64], looks: bool) -> list[Loaded | Reject]:
    batch: list[Loaded | Reject] = []
    for offset in offsets:
        rows.seek(int(offset))
        row = ROW.validate_json(rows.readline())
        try:
            batch.append(_load(task, row, looks))
        except images.UnreadableImageError as error:
            batch.append(_reject(row, error.reason, str(error)))
        except cv2.error as error:
            batch.append(_refused(row, error))
    return batch


def _load(task: Task, row: AlignedPair, looks: bool) -> Loaded:
    """Read a pair; bytes stay verbatim where nothing is warped, and are decoded only where pixels are needed."""
    config = task.config
    tight = config.patch_size > 0
    rgb_bytes, tir_bytes = load_side(task.root, row.rgb), load_side(task.root, row.tir)
    rgb = pictures.rgb(row, rgb_bytes, needed=tight or looks)
    matrix, valid = _frame(np.array(row.homography, np.float64).tobytes(), row.tir_size)
    warp = row.rgb_size != row.tir_size or row.tir_range is not None or row.homography != IDENTITY
    tir = pictures.tir(row, tir_bytes, needed=tight or warp)
    if warp and tir is not None:
        tir = images.warp_to_rgb(tir, matrix, row.rgb_size)
        tir_bytes = images.encode(tir, "." + config.warped_format)
        if tight and config.warped_format == "jpg":
            tir = images.decode_tir(tir_bytes, row.tir)
    return Loaded(row, Pair(row.pair_id, rgb_bytes, tir_bytes, matrix, valid), rgb, tir)


@lru_cache(maxsize=64)
def _frame(homography: bytes, size: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The matrix (3, 3) and the TIR footprint (4, 2), worked out once where all pairs of a camera share them.

    By the bytes of its nine float64: 0.0 equals -0.0, and would bring the sign of whichever pair came first.
    """
    matrix = np.frombuffer(homography).reshape(3, 3)
    return matrix, boxes.footprint(matrix, *size)


def _add(shard: Shard, loaded: Loaded, proposed: Proposed, side: int) -> None:
    """Put a pair and its patches of ``side`` pixels into the shard, and what was left out to the rejects."""
    left_out = proposed.left_out if proposed.left_out or proposed.proposals else [NOTHING]
    shard.rejects += [_reject(loaded.row, reason, detail) for reason, detail in left_out]
    if not proposed.proposals:
        return
    try:
        patches = [_patch(len(shard.pairs), loaded, proposal, side) for proposal in proposed.proposals]
    except cv2.error as error:
        shard.rejects.append(_refused(loaded.row, error))
        return
    shard.pairs.append(loaded.pair)
    shard.patches += patches
    if shard.fallbacks is not None:
        shard.fallbacks += proposed.fell_back


def _patch(pair: int, loaded: Loaded, proposal: Proposal, side: int) -> Patch:
    """Cut by the box as it is stored, in float32, so that a check can derive the same patch again."""
    box = proposal.box.astype(np.float32).astype(np.float64)
    rgb, tir = (
        None if picture is None or not side else cut(picture, box, side) for picture in (loaded.rgb, loaded.tir)
    )
    return Patch(pair, box, proposal.score, proposal.category, rgb, tir, proposal.track)


def _refused(row: AlignedPair, error: cv2.error) -> Reject:
    return _reject(row, "decode", f"{row.rgb}, {row.tir}: {images.refusal(error)}")


def _reject(row: AlignedPair, reason: str, detail: str) -> Reject:
    content = {"pair_id": row.pair_id, "rgb": row.rgb, "tir": row.tir, "stage": "mine", "reason": reason}
    return Reject.model_validate(content | {"detail": detail})
