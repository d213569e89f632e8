"""Which patches show one object, when, and which of them a draw takes: as DiMP and ATOM sample their videos."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.shards.reader import ShardReader
from trainer.data.shards import UNTOLD, Source
from trainer.data.tracks import Tracks

READER = ShardReader(Path("/a/shard-00000.h5"))
OTHER = ShardReader(Path("/b/shard-00000.h5"))


def source_of(
    rows: list[tuple[str, list[int]]], readers: list[int] | None = None, told: list[tuple[str, int]] | None = None
) -> Source:
    """Pairs by name, each with patches of these objects; ``told`` are the sequence and the frame that shards name."""
    ends = np.cumsum([0, *(len(tracks) for _, tracks in rows)])
    at = readers or [0] * len(rows)
    place = np.stack([at, np.arange(len(rows)), ends[:-1], ends[1:]], axis=1).astype(np.int64)
    track = np.array([each for _, tracks in rows for each in tracks], np.int32)
    names = tuple(("set", name) for name, _ in rows)
    known = told or [(name.rpartition("/")[0], UNTOLD) for name, _ in rows]
    sequence, frame = tuple(each for each, _ in known), np.array([each for _, each in known], np.int64)
    return Source((), (READER, OTHER), names, sequence, frame, place, np.ones((len(track), 4)), track)


def walk(frames: list[int], gap: int = 30) -> Tracks:
    """One object in the frames of one sequence; patch i is of frame i."""
    source = source_of([(f"v/{frame:05d}", [3]) for frame in frames])
    return Tracks(source, np.arange(len(frames)), gap)


def test_an_object_is_told_by_folder_sequence_and_number() -> None:
    rows = [("v/2", [5, -1, 7]), ("v/10", [7, 5]), ("w/1", [5]), ("v/1", [5]), ("v/3", [])]
    tracks = Tracks(source_of(rows, [0, 0, 0, 1, 0]), np.arange(5), 30)
    assert tracks.others(0).tolist() == tracks.others(4).tolist() == [0, 4]
    assert tracks.others(3).tolist() == [2, 3]
    for alone in (1, 5, 6):
        assert tracks.others(alone).tolist() == [alone]
    assert tracks.told() == {"patches": 7, "of_objects": 4, "objects": 2, "repeated": 3}


def test_pairs_that_do_not_count_are_no_other_instant() -> None:
    source = source_of([("v/1", [5]), ("v/2", [5]), ("v/3", [5])])
    assert Tracks(source, np.array([0, 2]), 30).others(0).tolist() == [0, 2]
    assert Tracks(source, np.array([1]), 30).told() == {"patches": 1, "of_objects": 0, "objects": 0, "repeated": 1}


def test_objects_are_in_the_order_of_time_whatever_the_order_of_names() -> None:
    tracks = walk([100, 20, 3])
    assert tracks.others(0).tolist() == [2, 1, 0]
    assert tracks.frame.tolist() == [3, 20, 100]


@given(
    st.lists(st.integers(0, 400), min_size=2, max_size=30, unique=True),
    st.integers(1, 4),
    st.sampled_from([3, 30, 200]),
    st.integers(0, 10**6),
    st.data(),
)
def test_the_test_branch_sees_what_comes_after_and_the_reference_what_comes_before(
    frames: list[int], images: int, gap: int, seed: int, data: st.DataObject
) -> None:
    tracks = walk(frames, gap)
    # Names that are further apart than a gap are times of day, and only their order counts.
    frames = [frame for _, frame in sorted(zip(tracks.patches.tolist(), tracks.frame.tolist()))]
    patch = data.draw(st.integers(0, len(frames) - 1))
    reference, test = tracks.draw(patch, images, np.random.default_rng(seed))
    assert len(reference) == len(test) == images
    base = frames[reference[0]]
    after, before = [f - base for f in frames if f > base], [base - f for f in frames if f < base]
    # It grows by 5 until there is one within it, and never further.
    reach = next(r for r in range(gap, 1000, 5) if min(after) <= r)
    assert all(0 < frames[each] - base <= reach for each in test)
    if before:
        reach = next(r for r in range(gap, 1000, 5) if min(before) <= r)
        assert all(0 < base - frames[each] <= reach for each in reference[1:])
    else:
        assert set(reference) == {reference[0]}
        assert images == 1 or len(frames) == 2 or frames[patch] != min(frames)
    place = sorted(frames).index(frames[patch])
    if place < len(frames) - 1 and (images == 1 or place > 0):
        assert reference[0] == patch


def test_every_instant_in_reach_is_drawn_and_as_often() -> None:
    tracks, rng = walk(list(range(0, 100, 10))), np.random.default_rng(0)
    draws = [tracks.draw(5, 3, rng) for _ in range(2000)]
    for counted, expected in (
        ([each for _, test in draws for each in test], {6, 7, 8}),
        ([each for reference, _ in draws for each in reference[1:]], {2, 3, 4}),
    ):
        values, counts = np.unique(counted, return_counts=True)
        assert set(values) == expected
        assert counts.max() / counts.min() < 1.2
    assert {reference[0] for reference, _ in draws} == {5}


def test_an_object_seen_once_is_repeated() -> None:
    tracks = walk([7])
    assert tracks.draw(0, 3, np.random.default_rng(0)) == ([0] * 3, [0] * 3)
    assert walk([1, 2]).draw(1, 3, np.random.default_rng(0)) == ([0] * 3, [1] * 3)


def test_ninety_five_thousand_pairs_are_indexed_within_a_second() -> None:
    rng, pairs = np.random.default_rng(0), 95_000
    names = tuple(("set", f"set{n // 5000:02d}/V{n // 1000 % 5:03d}/I{n % 1000:05d}") for n in range(pairs))
    counts = rng.integers(0, 6, pairs)
    ends = np.concatenate([[0], np.cumsum(counts)])
    place = np.stack([np.zeros(pairs, np.int64), np.arange(pairs), ends[:-1], ends[1:]], axis=1)
    track = (np.arange(ends[-1]) % 40).astype(np.int32)
    sequence = tuple(name.rpartition("/")[0] for _, name in names)
    untold = np.full(pairs, UNTOLD)
    source = Source((), (READER,), names, sequence, untold, place, np.ones((ends[-1], 4)), track)
    fastest = min(_seconds(source) for _ in range(3))
    assert fastest < 1.0


def _seconds(source: Source) -> float:
    begun = time.process_time()
    Tracks(source, np.arange(len(source.names)), 30)
    return time.process_time() - begun


def test_the_index_does_not_depend_on_the_order_of_pairs() -> None:
    source = source_of([("v/1", [5]), ("v/2", [5, 6]), ("w/3", [5])])
    first, other = Tracks(source, np.array([0, 1, 2]), 30), Tracks(dataclasses.replace(source), np.array([2, 0, 1]), 30)
    assert first.patches.tolist() == other.patches.tolist()


def test_sequence_and_frame_are_what_the_shards_say_where_they_do() -> None:
    """Ids may count otherwise: here backwards, and those of two sequences in one folder."""
    rows = [("v/30", [5]), ("v/20", [5]), ("v/10", [5]), ("v/00", [5])]
    tracks = Tracks(source_of(rows, told=[("a", 0), ("a", 7), ("a", 9), ("b", 8)]), np.arange(4), 30)
    assert tracks.others(0).tolist() == [0, 1, 2]
    assert tracks.others(3).tolist() == [3]
    assert tracks.frame.tolist() == [0, 7, 9, 8]
    by_id = Tracks(source_of(rows), np.arange(4), 30)
    assert by_id.others(0).tolist() == [3, 2, 1, 0]


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 40), st.integers(-1, 2)),
        min_size=1,
        max_size=60,
        unique=True,
    ),
    st.integers(1, 3),
    st.integers(0, 10**6),
)
def test_two_tubes_are_never_joined(rows: list[tuple[int, int, int, int]], images: int, seed: int) -> None:
    """Whatever is drawn is of the folder, the sequence and the number of the patch: no cut is crossed."""
    rows = sorted(rows)
    pairs = list(dict.fromkeys(row[:3] for row in rows))
    numbers = {pair: [row[3] for row in rows if row[:3] == pair] for pair in pairs}
    source = source_of(
        [(f"v{video}/{frame}", numbers[folder, video, frame]) for folder, video, frame in pairs],
        [folder for folder, _, _ in pairs],
        [(f"v{video}", frame) for _, video, frame in pairs],
    )
    tracks, rng = Tracks(source, np.arange(len(pairs)), 10), np.random.default_rng(seed)
    for patch, row in enumerate(rows):
        reference, test = tracks.draw(patch, images, rng)
        seen = [rows[each] for each in (*reference, *test)]
        assert {(folder, video, number) for folder, video, _, number in seen} == {(row[0], row[1], row[3])}
        if row[3] < 0 or sum((*other[:2], other[3]) == (*row[:2], row[3]) for other in rows) == 1:
            assert set(reference) == set(test) == {patch}
        else:
            assert min(rows[each][2] for each in test) > max(rows[each][2] for each in reference)
