"""The pairs that ``align`` left: a survey of all of them, before any is worked on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.detect import Pairs
from pipeline.errors import DataError
from pipeline.files.json_text import read_json
from pipeline.files.nearby import nearby
from pipeline.images.orientation import FLAG
from pipeline.mine.pairs.instants import instants
from pipeline.next_command import ANEW, made_again, to_type
from pipeline.records import AlignedPair, Reject, locate_rows, read_rows

Size = tuple[int, int]


@dataclass(frozen=True)
class AlignedPairs:
    """All rows of ``aligned.jsonl``, in the order of pair ids, since shards must not depend on the order of rows.

    Attributes:
        source: the file.
        ids: of the pairs.
        offsets: where each row starts in the file, bytes.
        sizes: (width, height) of each RGB and each TIR picture.
        tir_ranges: how TIR became 8 bits: ``"8-bit"`` (as stored), [low, high] (one fixed range), ``"sequence"`` (a
            range found in each sequence).
        turned: how many have a picture that an EXIF orientation would turn, as `align` flagged them.
        sequences: the sequence of each pair.
        frames: (n,) int64 where each lies in its sequence (:mod:`pipeline.mine.pairs.instants`).
        strides: sequence -> frames of the video that a step is.
    """

    source: Path
    ids: list[str]
    offsets: NDArray[np.int64]
    sizes: list[tuple[Size, Size]]
    tir_ranges: list[Any]
    turned: int
    sequences: list[str]
    frames: NDArray[np.int64]
    strides: dict[str, int]

    @property
    def video_frames(self) -> NDArray[np.int64]:
        """(n,) frames of the video from the first one of the pair's sequence."""
        return self.frames * np.array([self.strides[sequence] for sequence in self.sequences], np.int64)

    @cached_property
    def pairs(self) -> Pairs:
        """What a detector is told of them, and of those that were rejected."""
        rejects = self.source.with_name("rejects.jsonl")
        rejected = {row.pair_id for row in read_rows(rejects, Reject)} if rejects.is_file() else set()
        both = dict(zip(self.ids, self.sizes))
        tir = {pair: tir for pair, (rgb, tir) in both.items() if tir != rgb}
        return Pairs({pair: rgb for pair, (rgb, _) in both.items()}, rejected.difference(self.ids), tir)


def survey_pairs(source: Path) -> AlignedPairs:
    """Read ``aligned.jsonl`` once.

    Raises:
        DataError: there is none, it holds no pair, a row does not fit, or two are of one pair; better now than in the
            middle of the work.
    """
    if not source.is_file():
        # Where something else lies, such as the data set itself, nothing should be aligned into.
        out = Path("aligned") if source.parent.is_dir() else source.parent
        first = made_again(source.parent) or to_type("cmd-prep", "align", "--root", "DATA_SET", "--out", out)
        meant = nearby(source.parent, lambda near: (near / source.name).is_file())
        raise DataError(f"{source}: no such file: {meant}correct --aligned, or align first: {first}")
    rows: dict[str, tuple[int, tuple[Size, Size]]] = {}
    when: dict[str, tuple[str, str, float | None]] = {}
    ranges: set[tuple[float, float] | None] = set()
    turned = 0
    for at, row in locate_rows(source, AlignedPair):
        if row.pair_id in rows:
            raise DataError(f"{source}: two rows for pair {row.pair_id}: keep one, or {_again(source)}")
        rows[row.pair_id] = at, (row.rgb_size, row.tir_size)
        when[row.pair_id] = row.sequence, row.frame, row.timestamp
        ranges.add(row.tir_range)
        turned += FLAG in row.flags
    if not rows:
        raise DataError(f"{source} holds no aligned pair: see rejects.jsonl beside it")
    deep = sorted(each for each in ranges if each)
    policies: list[Any] = ["8-bit"] if None in ranges else []
    policies += [list(deep[0])] if len(deep) == 1 else ["sequence"] if deep else []
    ids = sorted(rows)
    offsets, sizes = np.array([rows[name][0] for name in ids]), [rows[name][1] for name in ids]
    sequences = [when[name][0] for name in ids]
    frames, strides = _clocks([when[name] for name in ids])
    return AlignedPairs(source, ids, offsets, sizes, policies, turned, sequences, frames, strides)


def _clocks(rows: list[tuple[str, str, float | None]]) -> tuple[NDArray[np.int64], dict[str, int]]:
    """The position of each row (sequence, frame, timestamp) in its sequence, and the stride of each sequence."""
    members: dict[str, list[int]] = {}
    for number, (sequence, _, _) in enumerate(rows):
        members.setdefault(sequence, []).append(number)
    frames, strides = np.empty(len(rows), np.int64), dict[str, int]()
    for sequence, own in members.items():
        found = instants([rows[i][1] for i in own], [rows[i][2] for i in own])
        frames[own], strides[sequence] = found.positions, found.stride
    return frames, strides


def _again(made: Path) -> str:
    """What makes a file of ``align`` again."""
    line = made_again(made.parent, *ANEW)
    return f"align again: {line}" if line else "align again"


def aligned_root(summary: Path) -> Path:
    """The data set's folder, as ``align`` noted it."""
    root = read_json(summary).get("root")
    if not isinstance(root, str):
        raise DataError(f"{summary} does not name the data set's folder: pass --root, or {_again(summary)}")
    return Path(root)


def manifest_name(summary: Path) -> str | None:
    """The name of the data set's manifest or layout, as ``align`` noted it; None where it did not."""
    name = read_json(summary).get("manifest") if summary.is_file() else None
    return name if isinstance(name, str) and name else None
