"""Which two patches a held-out window shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.shards.reader import ShardReader
from trainer.data.shards import UNTOLD, Source
from trainer.data.tracks import Tracks, frame_numbers
from trainer.measure.instants import REACH, instants_of

Patches = list[tuple[str, int]]
"""Pair id and track of each patch, those of a pair in a row."""


def source_of(patches: Patches) -> Source:
    """Opened shards without readers."""
    ids = list(dict.fromkeys(pair_id for pair_id, _ in patches))
    ends = np.cumsum([sum(pair_id == each for pair_id, _ in patches) for each in ids])
    rows = np.arange(len(ids))
    place = np.stack([0 * rows, rows, np.concatenate([[0], ends[:-1]]), ends], axis=1)
    tracks = np.array([track for _, track in patches], np.int32)
    reader = ShardReader(Path("shards/shard-00000.h5"))
    names = tuple(("set", each) for each in ids)
    sequence, untold = tuple(each.rpartition("/")[0] for each in ids), np.full(len(ids), UNTOLD)
    return Source((), (reader,), names, sequence, untold, place, np.zeros((len(patches), 4)), tracks)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 90), st.integers(-1, 2)), min_size=1, max_size=60, unique=True
    ),
    st.integers(0, 99),
)
def test_both_instants_are_of_one_track_and_apart_by_1_to_30_frames(
    rows: list[tuple[int, int, int]], seed: int
) -> None:
    source = source_of([(f"s{sequence}/{frame:06d}", track) for sequence, frame, track in sorted(rows)])
    instants = instants_of(source, np.arange(len(source.names)))
    sequences: dict[int, list[int]] = {}
    for sequence, frame, track in sorted(rows):
        if track >= 0:
            sequences.setdefault(sequence, []).append(frame)
    # Numbers count where neighbours lie within reach of one another; else the order does.
    number = {
        f"s{sequence}/{frame:06d}": frame if np.diff(sorted(set(frames))).min(initial=99) <= REACH else order
        for sequence, frames in sequences.items()
        for order, frame in enumerate(sorted(set(frames)))
    }
    if not instants.two_frames:
        later = [
            (a, b)
            for a in sorted(rows)
            for b in sorted(rows)
            if a[0] == b[0]
            and a[2] == b[2] >= 0
            and 1 <= number[f"s{b[0]}/{b[1]:06d}"] - number[f"s{a[0]}/{a[1]:06d}"] <= REACH
        ]
        assert later == []
    for draw in range(20):
        sequence, reference, test = instants.draw(draw, seed)
        owner = np.repeat(np.arange(len(source.names)), source.place[:, 3] - source.place[:, 2])
        names = [source.names[owner[patch]][1] for patch in (reference, test)]
        assert {f"set/{name.split('/')[0]}" for name in names} == {instants.sequences[sequence]}
        if instants.two_frames:
            assert source.track[reference] == source.track[test] >= 0
            assert 1 <= number[names[1]] - number[names[0]] <= REACH
        else:
            assert reference == test


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 150), st.integers(0, 2)), min_size=2, max_size=40, unique=True)
)
def test_all_instants_within_reach_of_one_another_are_drawn_from(rows: list[tuple[int, int, int]]) -> None:
    source = source_of([(f"s{sequence}/{frame:06d}", track) for sequence, frame, track in sorted(rows)])
    tracks = Tracks(source, np.arange(len(source.names)), REACH)
    expected = {
        (int(tracks.patches[one]), int(tracks.patches[two]))
        for one in range(len(tracks.patches))
        for two in range(len(tracks.patches))
        if tracks.first[one] == tracks.first[two] and 1 <= tracks.frame[two] - tracks.frame[one] <= REACH
    }
    instants = instants_of(source, np.arange(len(source.names)))
    rows_of = np.concatenate(instants.starts).tolist() if instants.two_frames else []
    drawn = [(instants.patches[one], instants.patches[two]) for one, first, end in rows_of for two in range(first, end)]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == expected


def test_sequences_take_turns_and_a_shorter_test_is_the_beginning_of_a_longer_one() -> None:
    source = source_of([(f"s{sequence}/{frame}", 0) for sequence in range(7) for frame in range(sequence + 2)])
    instants = instants_of(source, np.arange(len(source.names)))
    assert (instants.kind, len(instants.sequences)) == ("two frames", 7)
    drawn = [instants.draw(number, 5)[0] for number in range(28)]
    assert np.bincount(drawn).tolist() == [4] * 7
    assert drawn != sorted(drawn)
    assert [instants.draw(number, 5) for number in range(28)] != [instants.draw(number, 6) for number in range(28)]


def test_pairs_that_train_are_not_drawn_and_without_tracks_a_patch_is_seen_with_itself() -> None:
    source = source_of([(f"s{sequence}/{frame}", -1) for sequence in range(4) for frame in range(3)])
    instants = instants_of(source, np.arange(3, 6))
    assert (instants.kind, instants.sequences) == ("same frame", ("set/s1",))
    for number in range(9):
        _, reference, test = instants.draw(number, 0)
        assert reference == test
        # A patch a pair.
        assert 3 <= reference < 6


@pytest.mark.parametrize("track", [0, -1])
def test_the_shards_say_which_sequence_a_pair_is_of_and_not_its_id(track: int) -> None:
    source = source_of([(f"{folder}/{frame}", track) for folder in "ab" for frame in range(3)])
    renamed = replace(source, sequence=("morning",) * 3 + ("evening",) * 3)
    instants = instants_of(renamed, np.arange(6))
    assert instants.sequences == ("set/evening", "set/morning")
    for number in range(9):
        sequence, reference, test = instants.draw(number, 0)
        # A patch a pair.
        assert {renamed.sequence[reference], renamed.sequence[test]} == {instants.sequences[sequence].split("/")[1]}


def test_a_target_that_is_seen_once_has_no_two_frames() -> None:
    source = source_of([("a/1", 3), ("a/2", 4), ("b/1", 3), ("b/1", 3)])
    assert instants_of(source, np.arange(3)).kind == "same frame"


@pytest.mark.parametrize(
    ("ids", "numbers"),
    [
        (["a/v1_003", "a/v1_021", "a/v1_100"], [3, 21, 100]),
        (["a/1591600000033", "a/1591600000066"], [0, 1]),
        (["a/1591600000033", "a/1591600000043"], [1591600000033, 1591600000043]),
        (["a/f-1-x2", "a/f-2-x9"], [0, 1]),
        (["a/one", "a/two"], [0, 1]),
        (["a/x1", "a/x1_2"], [0, 1]),
        (["a/5"], [0]),
        (["a/" + "9" * 30, "a/" + "9" * 29 + "8"], [0, 1]),
    ],
)
def test_frames_are_counted_by_number_where_ids_differ_in_one_alone(ids: list[str], numbers: list[int]) -> None:
    assert frame_numbers(ids, REACH).tolist() == numbers
