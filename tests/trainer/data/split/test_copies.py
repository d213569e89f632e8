"""The same clip under two names, found by its pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.split.copies import COMMON, SAMPLE, groups_of, same_frames, sampled, told

SIZES = st.lists(st.integers(1000, 9000), min_size=40, max_size=80, unique=True)


def found(sizes: dict[str, int], pictures: dict[str, str]) -> dict[str, str]:
    return {frame: pictures[frame] for frame in sampled(sizes)}


@given(SIZES, st.integers(0, 9), st.integers(0, 9))
def test_a_clip_that_lacks_frames_and_is_named_otherwise_is_the_same(sizes: list[int], head: int, tail: int) -> None:
    names = [f"I{place:04d}" for place in range(len(sizes))]
    whole = dict(zip(names, sizes))
    other = {f"frame{place}": size for place, size in enumerate(sizes[head : len(sizes) - tail])}
    pictures = {name: str(size) for name, size in (whole | other).items()}
    table = {"a": found(whole, pictures), "b": found(other, pictures), "c": {"x": "another"}}
    assert groups_of(table) == [["a", "b"], ["c"]]
    assert len(sampled(whole)) == SAMPLE


def test_pictures_of_one_size_are_compared_too() -> None:
    """As uncompressed files are, of which one lacks the first frame."""
    whole = {f"{place:03d}": 500 for place in range(50)}
    less = dict(list(whole.items())[1:])
    pictures = {name: f"picture {name}" for name in whole}
    assert groups_of({"a": found(whole, pictures), "b": found(less, pictures)}) == [["a", "b"]]


def test_a_black_picture_in_common_joins_nothing() -> None:
    clips = {name: {str(place): f"{name}{place}" for place in range(7)} | {"7": "black"} for name in "abc"}
    assert groups_of(clips) == [["a"], ["b"], ["c"]]
    alone = {f"v{number:02d}": {"0": "black"} for number in range(COMMON + 1)}
    assert len(groups_of(alone)) == COMMON + 1


def test_three_names_are_one_group_and_are_told_so() -> None:
    rng = np.random.default_rng(0)
    picture = {str(place): str(rng.integers(1 << 40)) for place in range(8)}
    groups = groups_of({"c": picture, "a": picture, "d": {"0": "else"}, "b": picture})
    assert groups == [["a", "b", "c"], ["d"]]
    assert told(groups[:1]) == "a = b = c"
    assert told([["a", "b"]] * 5) == "a = b, a = b, a = b and 2 more"


@pytest.mark.parametrize(
    ("other", "same"),
    [({"1": "p", "2": "q"}, True), ({"1": "p", "9": "z"}, True), ({"2": "p"}, False), ({"3": "z"}, False)],
)
def test_frames_that_are_named_alike(other: dict[str, str], same: bool) -> None:
    assert same_frames({"1": "p", "2": "q"}, other) is same
