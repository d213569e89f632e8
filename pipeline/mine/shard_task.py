"""The work of one mining task: read a shard's pairs, propose boxes, cut patches, write the file."""

from __future__ import annotations

import threading

import cv2
import numpy as np

from pipeline import images
from pipeline.detect.classes import names_beyond_coco
from pipeline.errors import UsageError
from pipeline.mine.methods import Method, PairView, Proposed, build_method, open_method
from pipeline.mine.pairs import Loaded, Task, reading, refused, reject
from pipeline.mine.proposals import Proposal
from pipeline.mine.tubes.tube_boxes import FromTubes
from pipeline.patches import cut
from pipeline.records import Reason
from pipeline.runtime.counting import count
from pipeline.runtime.memory import keep_freed_memory
from pipeline.shards.writer import Pairs, Patch, Shard, write_shard

NOTHING: tuple[Reason, str] = ("no_detection", "nothing proposed")
"""Why a pair is left out for which a method proposes nothing and does not say why."""
_kept = threading.local()


def mine_shard(task: Task) -> str:
    """Make one shard; return its file name.

    A pair that cannot be read is recorded as a reject; an error of the detector or the disk ends the task.
    """
    keep_freed_memory()
    config = task.config
    looks = task.given is None and build_method(config).looks
    with reading(task, looks=looks) as batches:
        method = _opened(task)
        shard = _shard(task, method)
        for batch in batches(method.batch_size):
            views = [each.view for each in batch if isinstance(each, Loaded)]
            following = iter(_propose(method, views))
            for each in batch:
                if isinstance(each, Loaded):
                    _add(shard, each, next(following), config.patch_size)
                else:
                    shard.rejects.append(each)
            count(len(batch))
    write_shard(task.path, shard)
    return task.path.name


def _opened(task: Task) -> Method:
    """The method that proposes the task's boxes, ready to work; where tubes are settled, what hands those on."""
    if task.given is None:
        return open_method(task.config, task.recipe, task.survey)
    method = build_method(task.config)
    method.refuse_other_sources(task.recipe)
    return FromTubes(task.config, task.given, method.detector)


def _shard(task: Task, method: Method) -> Shard:
    """The task's shard, with no pair in it yet."""
    shard = Shard(config=task.recipe, patch_size=task.config.patch_size, pairs=_empty_pairs())
    shard.detector, shard.weights_sha256 = method.detector, method.weights_sha256
    shard.fallbacks = 0 if method.falls_back else None
    shard.class_names = names_beyond_coco(method.class_names)
    return shard


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


def _add(shard: Shard, loaded: Loaded, proposed: Proposed, side: int) -> None:
    """Put a pair and its patches of ``side`` pixels into the shard, and what was left out to the rejects."""
    left_out = proposed.left_out if proposed.left_out or proposed.proposals else [NOTHING]
    shard.rejects += [reject(loaded.row, reason, detail) for reason, detail in left_out]
    if not proposed.proposals:
        return
    try:
        patches = [_patch(len(shard.pairs), loaded, proposal, side) for proposal in proposed.proposals]
    except cv2.error as error:
        shard.rejects.append(refused(loaded.row, error))
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
