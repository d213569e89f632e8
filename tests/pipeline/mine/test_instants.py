"""Which frame of a sequence comes after which, and how many steps lie between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mine.pairs.instants import FAR, instants

NAMES: dict[str, tuple[list[str], list[int], int]] = {
    "numbers without zeros in front": (["f9", "f10", "f11"], [0, 1, 2], 1),
    "a stride": (["I00000", "I00020", "I00040", "I00060"], [0, 1, 2, 3], 20),
    "a frame that is missing": (["I00000", "I00005", "I00010", "I00020"], [0, 1, 2, 4], 5),
    "a count behind a time": (["20230101_0007", "20230101_0008", "20230102_0009"], [0, 1, 2], 1),
    "a count that begins anew": (["12_5", "12_9", "13_1"], [0, 1, 2], 1),
    "milliseconds": (["1000033", "1000066", "1000100", "1000166"], [0, 1, 2, 4], 1),
    "milliseconds at an exact rate": (["1000", "1100", "1200", "1400"], [0, 1, 2, 4], 1),
    "the longest stride": (["0", "30", "60", "120"], [0, 1, 2, 4], 30),
    "further apart than a stride": (["0", "31", "62", "124"], [0, 1, 2, 4], 1),
    "a stride that not all keep": (["0", "5", "10", "15", "22"], [0, 1, 2, 3, 4], 1),
    "no numbers": (["alpha", "beta", "gamma"], [0, 1, 2], 1),
    "some without a number": (["a", "a1", "a2"], [0, 1, 2], 1),
    "one frame": (["a7"], [0], 1),
    "as good as apart for ever": (["1", "2", "3", "99999999999"], [0, 1, 2, 2 + FAR], 1),
}


@pytest.mark.parametrize("case", NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_frames_are_put_in_order_whatever_order_they_come_in(case: str, seed: int) -> None:
    names, positions, step = NAMES[case]
    mixed = np.random.default_rng(seed).permutation(len(names))
    found = instants([names[i] for i in mixed], [None] * len(names))
    assert found.positions.tolist() == [positions[i] for i in mixed]
    assert found.stride == step


def test_timestamps_go_before_names_where_all_are_known_and_differ() -> None:
    assert instants(["1", "2", "3"], [0.3, 0.2, 0.1]).positions.tolist() == [2, 1, 0]
    assert instants(["1", "2", "3"], [0.3, None, 0.1]).positions.tolist() == [0, 1, 2]
    assert instants(["1", "2", "3"], [0.3, 0.3, 0.1]).positions.tolist() == [0, 1, 2]
    jitter = instants(list("abcd"), [10.0, 10.041, 10.079, 10.161])
    assert jitter.positions.tolist() == [0, 1, 2, 4]
    assert jitter.stride == 1


TIMED: dict[str, tuple[list[str], list[float], list[int], int]] = {
    "a clip": ([f"{i:06d}" for i in range(4)], [i / 30 for i in range(4)], [0, 1, 2, 3], 1),
    "every fifth frame of a clip": (
        [f"{i:06d}" for i in (0, 5, 10, 20)],
        [i / 30 for i in (0, 5, 10, 20)],
        [0, 1, 2, 4],
        5,
    ),
    "a fast camera": (["0", "4", "8"], [0, 4 / 400, 8 / 400], [0, 1, 2], 4),
    "milliseconds": (["1000", "1020", "1040", "1080"], [1.0, 1.02, 1.04, 1.08], [0, 1, 2, 4], 1),
    "slow milliseconds": (["1000", "1100", "1200"], [1.0, 1.1, 1.2], [0, 1, 2], 1),
    "names against time": (["20", "10", "0"], [0.0, 0.1, 0.2], [0, 1, 2], 1),
    "two frames": (["0", "5"], [0, 5 / 30], [0, 1], 1),
    "one frame": (["5"], [5 / 30], [0], 1),
}


@pytest.mark.parametrize("case", TIMED)
@pytest.mark.parametrize("seed", range(3))
def test_names_tell_the_stride_of_frames_with_timestamps_too(case: str, seed: int) -> None:
    names, times, positions, stride = TIMED[case]
    mixed = np.random.default_rng(seed).permutation(len(names))
    found = instants([names[i] for i in mixed], [times[i] for i in mixed])
    assert found.positions.tolist() == [positions[i] for i in mixed]
    assert found.stride == stride


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30, unique=True))
def test_no_two_frames_are_at_one_instant(numbers: list[int]) -> None:
    positions = instants([f"f{number:05d}" for number in numbers], [None] * len(numbers)).positions
    assert min(positions) == 0
    assert [n for _, n in sorted(zip(positions.tolist(), numbers))] == sorted(numbers)
    assert len(set(positions.tolist())) == len(numbers)
