"""The rule of the split: what is known stays, what is new goes by its own hash, one clip has one side."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.split.record import Known, Split
from trainer.data.split.rule import decide
from trainer.data.split.side import HELD_OUT, TRAINING, Side, place_of

KEYS = st.integers(1, 30).map(lambda n: [f"kaist|set00/V{i:03d}" for i in range(n)])
Frames = dict[str, list[str]]


def clips(keys: list[str], count: int = 12) -> Frames:
    return {key: [f"I{frame:05d}" for frame in range(count)] for key in keys}


def own(frames: Frames) -> dict[str, dict[str, str]]:
    """Pictures that no two sequences share."""
    return {key: {frame: f"{key}/{frame}" for frame in each[:8]} for key, each in frames.items()}


def split(frames: Frames, share: float = 0.5, seed: int = 0, known: Split | None = None) -> Split:
    return decide(frames, own(frames), share, seed, known)


def sides(decided: Split, frames: Mapping[str, list[str]]) -> dict[tuple[str, str], str]:
    return {(key, frame): decided.sequences[key].side.of(frame) for key, each in frames.items() for frame in each}


def crossed(before: Mapping[tuple[str, str], str], after: Mapping[tuple[str, str], str]) -> list[tuple[str, str]]:
    """What trains on one hand and is held out on the other."""
    return [name for name in before.keys() & after.keys() if {before[name], after[name]} == {"training", "held_out"}]


@given(KEYS, st.floats(0.05, 0.95), st.integers(0, 99))
def test_both_sides_are_there(keys: list[str], share: float, seed: int) -> None:
    found = set(sides(split(clips(keys), share, seed), clips(keys)).values())
    assert {"training", "held_out"} <= found


@given(KEYS, st.floats(0.05, 0.95), st.integers(0, 99), st.data())
def test_without_parents_a_sequence_goes_by_its_own_hash(
    keys: list[str], share: float, seed: int, data: st.DataObject
) -> None:
    """Also under five sequences. Only where one side would be empty the others matter."""
    part = data.draw(st.permutations(keys).flatmap(lambda v: st.integers(1, len(v)).map(lambda n: v[:n])))
    below = {key for key in part if place_of(seed, key) < share}
    decided = split(clips(part), share, seed)
    if below and len(below) < len(part):
        assert {key for key in part if decided.sequences[key].side == HELD_OUT} == below
        assert {key for key in part if decided.sequences[key].side == TRAINING} == set(part) - below
    else:
        assert any(known.side.kind == "cut" for known in decided.sequences.values())


@given(KEYS, st.floats(0.05, 0.95), st.integers(0, 9), st.data())
def test_nothing_that_is_known_ever_moves(keys: list[str], share: float, seed: int, data: st.DataObject) -> None:
    """Sequences and frames come and go from one run to the next, and back again."""
    every = clips([*keys, "flir|a", "flir|b"])
    parent = {key: every[key] for key in keys}
    first = split(parent, share, seed)
    kept = data.draw(st.lists(st.sampled_from(sorted(every)), min_size=1, unique=True))
    child = {key: data.draw(st.lists(st.sampled_from(every[key]), min_size=1, unique=True)) for key in kept}
    second = split(child, share, seed, first)
    assert not crossed(sides(first, parent), sides(second, child))
    assert {key: second.sequences[key] for key in first.sequences} == dict(first.sequences)
    third = split(every, share, seed, second)
    assert not crossed(sides(first, parent), sides(third, every))
    assert not crossed(sides(second, child), sides(third, every))


def test_a_frame_fewer_moves_the_cut_by_less_than_the_gap() -> None:
    """Also where no parent says where the cut is."""
    whole = clips(["kaist|v"], 100)
    first = sides(split(whole, 0.1), whole)
    assert sorted(set(first.values())) == ["held_out", "left_out", "training"]
    for gone in range(100):
        less = {"kaist|v": [frame for place, frame in enumerate(whole["kaist|v"]) if place != gone]}
        assert not crossed(first, sides(split(less, 0.1), less))


def test_no_share_holds_nothing_out_and_few_short_ones_are_not_cut() -> None:
    short = clips(["k|a", "k|b", "k|c"], 1)
    assert {known.side for known in split(short, 0.0).sequences.values()} == {TRAINING}
    found = split(short, 0.01).sequences
    lowest = min(short, key=lambda key: place_of(0, key))
    assert {key for key in short if found[key].side == HELD_OUT} == {lowest}


def clip_twice(share: float, names: tuple[str, str], renamed: bool, known: Split | None = None) -> dict[str, Side]:
    """Two names of one clip among other sequences."""
    frames = clips([*names, "k|x", "k|y", "k|z"], 40)
    pictures = own(frames)
    if renamed:
        frames[names[1]] = [f"frame{place}" for place in range(40)]
    pictures[names[1]] = dict(zip(frames[names[1]], pictures[names[0]].values()))
    found = decide(frames, pictures, share, 0, known).sequences
    return {key: found[key].side for key in names}


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@given(st.text("abcdef", min_size=1, max_size=6), st.text("ghijk", min_size=1, max_size=6))
def test_the_same_clip_under_two_names_is_on_one_side(share: float, one: str, two: str) -> None:
    found = clip_twice(share, (f"k|{one}", f"k|{two}"), renamed=True)
    kinds = {side.kind for side in found.values()}
    assert len(kinds) == 1 or kinds == {"cut", "left_out"}


def test_it_is_told_in_one_line_with_both_names(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    clip_twice(0.3, ("k|a", "other|b"), renamed=True)
    assert [row.message for row in caplog.records] == ["the same clip under two names, kept on one side: k|a = other|b"]


def test_a_known_clip_has_its_side_under_a_new_name_too(caplog: pytest.LogCaptureFixture) -> None:
    frames = clips(["k|a"], 40)
    pictures = own(frames)["k|a"]
    cut = Side("cut", "I00010", "I00020")
    for side, renamed, wanted in (
        (TRAINING, True, "training"),
        (HELD_OUT, True, "held_out"),
        (cut, False, "cut"),
        (cut, True, "left_out"),
    ):
        for share in (0.01, 0.99):
            known = Split(share, 0, {"k|a": Known(side, pictures)})
            found = clip_twice(share, ("k|a", "k|b"), renamed, known)
            assert (found["k|a"], found["k|b"].kind) == (side, wanted)
            assert wanted != "cut" or found["k|b"] == cut
    apart = {"k|a": Known(TRAINING, pictures), "k|b": Known(HELD_OUT, pictures)}
    caplog.clear()
    assert clip_twice(0.5, ("k|a", "k|b"), renamed=False, known=Split(0.5, 0, apart)) == {
        "k|a": TRAINING,
        "k|b": HELD_OUT,
    }
    assert "on two sides since earlier runs: k|a = k|b" in caplog.text
