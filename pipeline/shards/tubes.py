"""Tubes in a folder of shards: the patches of one sequence that have one number, in the order of their frames."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.shards.reader import ShardReader
from pipeline.shards.schema import NO_TRACK


@dataclass(frozen=True, eq=False)
class StoredTube:
    """One object or region through a sequence.

    Attributes:
        sequence: its name.
        number: of the tube in it.
        step: of the sequence, in frames of the video: all stored pairs of it are whole steps from its first frame.
        frames: (n,) of the video, rising unless the shards are at fault.
        boxes: (n, 4) float32 x, y, w, h in stored-picture pixels.
        classes: (n,) of the patches, all the same unless the shards are at fault.
        rows: (n, 2) number of the shard and of the patch in it.
    """

    sequence: str
    number: int
    step: int
    frames: NDArray[np.int64]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int16]
    rows: NDArray[np.int64]

    @property
    def missing(self) -> NDArray[np.int64]:
        """(n-1,) steps of the sequence that are missing between two frames."""
        skipped: NDArray[np.int64] = np.diff(self.frames) // self.step - 1
        return skipped.clip(min=0)

    def __len__(self) -> int:
        return len(self.frames)


def stored_tubes(readers: Sequence[ShardReader]) -> Iterator[StoredTube]:
    """The tubes of some shards, by sequence and number; none where the shards do not name sequences.

    One shard is open at a time, and none is afterwards.
    """
    found: list[tuple[str, int, int, int, int]] = []
    boxes: list[NDArray[np.generic]] = []
    classes: list[NDArray[np.generic]] = []
    steps: dict[str, int] = {}
    for shard, reader in enumerate(readers):
        with closing(reader):
            boxes.append(reader.array("patches/box"))
            classes.append(reader.array("patches/class"))
            sequences, frames = reader.sequences(), reader.frames()
            if sequences is None or frames is None:
                continue
            # Frames count from the first of the sequence, so that all are multiples of its step.
            for name, frame in zip(sequences, frames.tolist(), strict=True):
                steps[name] = math.gcd(steps.get(name, 0), frame)
            owner, tracks = reader.array("patches/pair"), reader.tracks()
            for row in np.flatnonzero(tracks != NO_TRACK).tolist():
                pair = int(owner[row])
                found.append((sequences[pair], int(tracks[row]), int(frames[pair]), shard, row))
    for (sequence, number), members in itertools.groupby(sorted(found), key=lambda each: each[:2]):
        rows = np.array([each[2:] for each in members], np.int64)
        places = rows[:, 1:].tolist()
        yield StoredTube(
            sequence,
            number,
            steps[sequence] or 1,
            rows[:, 0],
            np.array([boxes[shard][row] for shard, row in places], np.float32),
            np.array([classes[shard][row] for shard, row in places], np.int16),
            rows[:, 1:],
        )


def tube_counts(tubes: Sequence[StoredTube]) -> dict[str, object]:
    """What the index says of the tubes that are stored.

    Returns:
        ``count``; ``boxes``; ``lengths``: boxes of the shortest, the median and the longest; ``classes``: class ->
        tubes; ``gaps``: how many there are within tubes, and how many steps, of the usual length, they skip.
    """
    lengths = [len(tube) for tube in tubes]
    missing = np.concatenate([np.zeros(0, np.int64), *(tube.missing for tube in tubes)])
    classes = Counter(int(tube.classes[0]) for tube in tubes)
    spread = {"shortest": min(lengths), "median": float(np.median(lengths)), "longest": max(lengths)} if lengths else {}
    return {
        "count": len(lengths),
        "boxes": sum(lengths),
        "lengths": spread,
        "classes": {str(kind): classes[kind] for kind in sorted(classes)},
        "gaps": {"count": int((missing > 0).sum()), "steps": int(missing.sum())},
    }


def tube_faults(tubes: Sequence[StoredTube], counts: object) -> Iterator[str]:
    """What cannot be right of the tubes of a folder: each is named by its sequence and number.

    Args:
        tubes: all of the folder.
        counts: what its index says of them.
    """
    for tube in tubes:
        name = f"tube {tube.number} of sequence {tube.sequence}"
        if not (np.diff(tube.frames) > 0).all():
            yield f"{name}: two boxes are of one frame"
        if len(np.unique(tube.classes)) > 1:
            yield f"{name}: its boxes are of classes {', '.join(map(str, np.unique(tube.classes)))}"
    derived = tube_counts(tubes)
    told = counts if isinstance(counts, dict) else {}
    for key, value in derived.items():
        if told.get(key) != value:
            yield f"the index says of tubes: {key} {told.get(key)}, the shards hold {value}"
