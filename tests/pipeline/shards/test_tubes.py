"""Tubes as they are read from shards: what is a gap in one, and what is a stride of its sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.shards.reader import ShardReader
from pipeline.shards.tubes import stored_tubes, tube_counts
from pipeline.shards.writer import Pair, Patch, Shard, write_shard

BOX = np.array([4.0, 5.0, 20.0, 30.0])
FOOTPRINT = np.array([[0.0, 0.0], [64.0, 0.0], [64.0, 48.0], [0.0, 48.0]])


def shards(folder: Path, tubes: Sequence[tuple[str, Sequence[int]]], per_shard: int = 4) -> list[ShardReader]:
    """Shards of tubes, each given as its sequence and its frames; their pictures are empty."""
    seen: dict[tuple[str, int], list[int]] = {}
    for number, (sequence, frames) in enumerate(tubes):
        for frame in frames:
            seen.setdefault((sequence, frame), []).append(number)
    pairs, readers = sorted(seen), []
    for first in range(0, len(pairs), per_shard):
        shard = Shard({"method": "detection"})
        for row, (sequence, frame) in enumerate(pairs[first : first + per_shard]):
            shard.pairs.append(Pair(f"{sequence}/{frame}", b"", b"", np.eye(3), FOOTPRINT, sequence, frame))
            shard.patches += [Patch(row, BOX, 1.0, 0, None, None, number) for number in seen[sequence, frame]]
        readers.append(ShardReader(folder / f"shard-{first:05d}.h5"))
        write_shard(readers[-1].path, shard)
    return readers


CASES: Mapping[str, tuple[list[tuple[str, Sequence[int]]], list[list[int]]]] = {
    "mostly every second frame": ([("a", (0, 2, 4, 5, 7, 9, 10, 12))], [[1, 1, 0, 1, 1, 0, 1]]),
    "every second frame of a sequence that has all": ([("a", range(6)), ("a", (0, 2, 4))], [[0] * 5, [1, 1]]),
    "a stride": ([("a", (0, 5, 15, 20)), ("b", (0, 1, 4))], [[0, 1, 0], [0, 2]]),
    "a first frame that no tube goes through": ([("a", (3, 5, 6, 8))], [[1, 0, 1]]),
    "one frame, the first": ([("a", (0,))], [[]]),
}


@pytest.mark.parametrize(("tubes", "missing"), CASES.values(), ids=CASES)
def test_what_a_tube_skips_are_steps_of_its_sequence_and_never_fewer_than_none(
    tmp_path: Path, tubes: list[tuple[str, Sequence[int]]], missing: list[list[int]]
) -> None:
    found = list(stored_tubes(shards(tmp_path, tubes)))
    assert [tube.missing.tolist() for tube in found] == missing
    every = [steps for each in missing for steps in each]
    assert tube_counts(found)["gaps"] == {"count": sum(steps > 0 for steps in every), "steps": sum(every)}
