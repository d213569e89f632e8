"""The pairs of one mining task in memory: read, seen to be whole and unchanged, decoded where pixels are needed."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from pipeline import boxes, images
from pipeline.detect import Survey
from pipeline.files.sightings import SEEN, load
from pipeline.mine.methods import PairView
from pipeline.mine.pairs import pictures
from pipeline.mine.proposals import GivenBoxes
from pipeline.mine.settings import MineConfig
from pipeline.pairing.discovery.sources import load_with_state
from pipeline.records import AlignedPair, Matrix9, Reject
from pipeline.shards.writer import Pair

ROW = TypeAdapter(AlignedPair)
IDENTITY: Matrix9 = (1, 0, 0, 0, 1, 0, 0, 0, 1)
T = TypeVar("T")
AT_ONCE = 8
"""Pairs read before anybody can work on them, and handed to the second thread: one by one, the handing over would cost
what it saves."""


@dataclass(frozen=True)
class Task:
    """One shard: where it goes, which rows of ``aligned.jsonl`` (byte offsets) go into it, what is settled of them.

    ``frames`` (n,) count frames of the video from the first one of each row's sequence; ``given`` are boxes of tubes.
    """

    path: Path
    aligned: Path
    root: Path
    config: MineConfig
    recipe: dict[str, Any]
    offsets: NDArray[np.int64]
    frames: NDArray[np.int64]
    survey: Survey
    given: GivenBoxes | None = None


@dataclass(frozen=True)
class Loaded:
    """A pair in memory, the bytes of its files, and which of them must be hashed, with what should come out.

    Pixels are there only if something needs them, and then as a reader of the shard sees them.
    """

    row: AlignedPair
    pair: Pair
    rgb: images.Rgb | None
    tir: images.Tir | None
    files: dict[str, bytes]
    unseen: dict[str, str]

    @property
    def view(self) -> PairView:
        """The pair as a mining method sees it."""
        return PairView(self.row.pair_id, self.row.rgb_size, self.pair.valid, self.row, self.rgb)


@contextlib.contextmanager
def reading(task: Task, *, looks: bool) -> Iterator[Callable[[int], Iterator[list[Loaded | Reject]]]]:
    """The task's pairs in batches of a size that is told when the first pairs are being read.

    So a detector is loaded meanwhile. Where pixels are needed, a second thread reads while a batch is worked on.
    Elsewhere there is little to do but to read, and the second thread hashes what ``align`` has not seen as it is now.
    """
    count, decodes = len(task.offsets), looks or task.config.patch_size > 0
    seen = load(task.aligned.with_name(SEEN))
    # Reading, decoding and hashing let go of the interpreter, and so does a detector.
    with task.aligned.open("rb") as rows, ThreadPoolExecutor(1) as beside:

        def begin(part: slice) -> Future[list[Loaded | Reject]]:
            if decodes:
                return beside.submit(lambda: _unchanged(_load_all(task, rows, seen, part, looks)))
            pairs = _load_all(task, rows, seen, part, looks)
            if any(isinstance(each, Loaded) and each.unseen for each in pairs):
                return beside.submit(_unchanged, pairs)
            done: Future[list[Loaded | Reject]] = Future()
            done.set_result(pairs)
            return done

        first = begin(slice(0, AT_ONCE))

        def batches(size: int) -> Iterator[list[Loaded | Reject]]:
            at_once = size if looks else size * math.ceil(AT_ONCE / size)
            for pairs in ahead(itertools.chain([first], map(begin, parts(count, at_once, AT_ONCE)))):
                yield from (pairs[start : start + size] for start in range(0, len(pairs), size))

        yield batches


def parts(count: int, size: int, start: int = 0) -> list[slice]:
    """The things from ``start`` to ``count`` in parts of ``size``."""
    return [slice(first, first + size) for first in range(start, count, size)]


def ahead(begun: Iterable[Future[T]]) -> Iterator[T]:
    """What comes of things as they are begun; each is waited for when the next has begun."""
    before: Future[T] | None = None
    for following in begun:
        if before:
            yield before.result()
        before = following
    if before:
        yield before.result()


def _load_all(task: Task, rows: BinaryIO, seen: frozenset[int], part: slice, looks: bool) -> list[Loaded | Reject]:
    loaded: list[Loaded | Reject] = []
    for offset, frame in zip(task.offsets[part], task.frames[part]):
        rows.seek(int(offset))
        row = ROW.validate_json(rows.readline())
        try:
            loaded.append(_load(task, row, seen, int(frame), looks))
        except images.UnreadableImageError as error:
            loaded.append(reject(row, error.reason, str(error)))
        except cv2.error as error:
            loaded.append(refused(row, error))
    return loaded


def _unchanged(pairs: list[Loaded | Reject]) -> list[Loaded | Reject]:
    """Pairs in memory, less those whose files are no longer those that were aligned."""
    checked: list[Loaded | Reject] = []
    for each in pairs:
        if isinstance(each, Loaded):
            try:
                pictures.refuse_changed(each.row, each.unseen, each.files)
            except images.ChangedFileError as error:
                checked.append(reject(each.row, error.reason, str(error)))
                continue
        checked.append(each)
    return checked


def _load(task: Task, row: AlignedPair, seen: frozenset[int], frame: int, looks: bool) -> Loaded:
    """Read a pair; bytes stay verbatim where nothing is warped, and are decoded only where pixels are needed."""
    config = task.config
    tight = config.patch_size > 0
    rgb_bytes, rgb_state = load_with_state(task.root, row.rgb)
    tir_bytes, tir_state = load_with_state(task.root, row.tir)
    files = {"rgb": rgb_bytes, "tir": tir_bytes}
    unseen = pictures.unseen(row, rgb_state, tir_state, seen)
    matrix, valid = placed(row)
    warp = row.rgb_size != row.tir_size or row.tir_range is not None or row.homography != IDENTITY
    try:
        rgb = pictures.rgb(row, rgb_bytes, needed=tight or looks)
        tir = pictures.tir(row, tir_bytes, needed=tight or warp)
    except images.UnreadableImageError:
        # Of a file that is another one now, that is what to say.
        pictures.refuse_changed(row, unseen, files)
        raise
    if warp and tir is not None:
        tir = images.warp_to_rgb(tir, matrix, row.rgb_size)
        tir_bytes = images.encode(tir, "." + config.warped_format)
        if tight and config.warped_format == "jpg":
            tir = images.decode_tir(tir_bytes, row.tir)
    pair = Pair(row.pair_id, rgb_bytes, tir_bytes, matrix, valid, row.sequence, frame)
    return Loaded(row, pair, rgb, tir, files, unseen)


def placed(row: AlignedPair) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The matrix (3, 3) of a pair, TIR pixel -> RGB pixel, and its TIR footprint (4, 2)."""
    return _frame(np.array(row.homography, np.float64).tobytes(), row.tir_size)


@lru_cache(maxsize=64)
def _frame(homography: bytes, size: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The matrix (3, 3) and the TIR footprint (4, 2), worked out once where all pairs of a camera share them.

    By the bytes of its nine float64: 0.0 equals -0.0, and would bring the sign of whichever pair came first.
    """
    matrix = np.frombuffer(homography).reshape(3, 3)
    return matrix, boxes.footprint(matrix, *size)


def refused(row: AlignedPair, error: cv2.error) -> Reject:
    """A pair whose pixels OpenCV refuses to work on."""
    return reject(row, "decode", f"{row.rgb}, {row.tir}: {images.refusal(error)}")


def reject(row: AlignedPair, reason: str, detail: str) -> Reject:
    """A pair that is left out in this stage."""
    content = {"pair_id": row.pair_id, "rgb": row.rgb, "tir": row.tir, "stage": "mine", "reason": reason}
    return Reject.model_validate(content | {"detail": detail})
