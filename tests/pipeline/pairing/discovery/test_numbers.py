"""Pairs by the numbers in names, and by order only where there is nothing to compare."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pairing.discovery.numbers import by_number, by_order
from pipeline.pairing.discovery.tree import Picture

NUMBERS = st.lists(st.integers(0, 400), unique=True, min_size=2, max_size=30)


def side(folder: str, frames: list[str]) -> list[Picture]:
    return [Picture(frame, f"{folder}/{frame}.jpg") for frame in frames]


def pairs(rgb: list[str], tir: list[str]) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """Names that were paired, names left alone, and what is told."""
    matches, notes = by_order(side("v", rgb), side("t", tir))
    cut = [tuple(path and path[2:-4] for path in (match.rgb, match.tir)) for match in matches]
    assert sorted(filter(None, sum(cut, ()))) == sorted(rgb + tir), "a picture was lost or used twice"
    assert all((match.reason is None) == bool(match.rgb and match.tir) for match in matches)
    return [(a, b) for a, b in cut if a and b], [a or b for a, b in cut if not (a and b)], notes


@given(NUMBERS, NUMBERS)
def test_equal_numbers_whatever_else_is_missing(rgb: list[int], tir: list[int]) -> None:
    found, alone, _ = pairs([f"{n:05d}v" for n in sorted(rgb)], [f"{n}i" for n in sorted(tir)])
    common = set(rgb) & set(tir)
    if common:
        assert [(int(a[:-1]), int(b[:-1])) for a, b in found] == [(n, n) for n in sorted(common)]
        assert len(alone) == len(rgb) + len(tir) - 2 * len(common)
    else:
        assert len(found) == (len(rgb) if len(rgb) == len(tir) else 0)


def test_one_missing_on_each_side() -> None:
    names = [f"{n:06d}" for n in range(1, 13)]
    found, alone, notes = pairs(
        [n for n in names if n != "000004"],
        [n for n in names if n != "000010"],
    )
    assert found == [(n, n) for n in names if n not in ("000004", "000010")]
    assert (alone, notes) == (["000004", "000010"], [])


@pytest.mark.parametrize(
    ("visible", "thermal"),
    [
        ("cam1_{:03d}_v2", "cam2_{:03d}_t1"),
        ("set7 cam1 {}", "{}"),
        ("2024010112{:02d}00_{:04d}", "2024010112{:02d}01_{:04d}"),
        ("10.30.{:02d}-{:02d}", "10.30.{:02d}-{:02d}"),
    ],
)
def test_the_number_that_counts_is_found_among_others(visible: str, thermal: str) -> None:
    rgb = [visible.format(n, n) for n in range(1, 10) if n != 3]
    tir = [thermal.format(n, n) for n in range(1, 10) if n != 7]
    kept = (1, 2, 4, 5, 6, 8, 9)
    assert pairs(rgb, tir)[0] == [(visible.format(n, n), thermal.format(n, n)) for n in kept]


def test_stamps_that_meet_now_and_then_are_no_numbers_to_go_by() -> None:
    rgb = [f"2014_05_{n // 10:02d}_{n % 10 * 100:03d}" for n in range(20)]
    tir = [f"2014_05_{n // 10:02d}_{n % 10 * 100 + (n != 9) * 3:03d}" for n in range(20)]
    found, alone, (note,) = pairs(rgb, tir)
    assert (found, alone) == (list(zip(rgb, tir)), [])
    assert note.startswith("paired by order: the numbers of visible names (2014_05_00_000 to 2014_05_01_900)")


def test_order_is_told_wherever_it_decides() -> None:
    found, alone, (note,) = pairs(["0v", "3v"], ["1i", "4i"])
    assert (found, alone) == ([("0v", "1i"), ("3v", "4i")], [])
    assert note == "paired by order: the numbers of visible names (0v to 3v) are not those of thermal ones (1i to 4i)"
    plain = "paired by order: visible names (a to b) and thermal ones (c to d) hold no numbers to compare"
    assert pairs(["a", "b"], ["c", "d"]) == ([("a", "c"), ("b", "d")], [], [plain])
    single = "paired by order: visible names (a) and thermal ones (z) hold no numbers to compare"
    assert pairs(["1", "a"], ["1", "z"]) == ([("1", "1"), ("a", "z")], [], [single])
    assert pairs(["1", "2"], ["1", "2"]) == ([("1", "1"), ("2", "2")], [], [])


def test_equal_names_decide_where_there_are_no_numbers() -> None:
    assert pairs(["a", "c", "d"], ["A", "b", "d"]) == ([("a", "A"), ("d", "d")], ["b", "c"], [])


def test_unequal_counts_pair_nothing_without_numbers_and_every_picture_is_told() -> None:
    assert pairs(["a", "b"], ["c"]) == ([], ["a", "b", "c"], [])
    matches, _ = by_order(side("v", ["a", "b"]), side("t", ["c"]))
    assert "2 visible and 1 thermal" in matches[0].detail


def test_a_shift_throughout_is_paired_by_number_and_told() -> None:
    found, alone, (note,) = pairs([str(n) for n in range(2, 8)], [str(n) for n in range(1, 7)])
    assert (found, alone) == ([(str(n), str(n)) for n in range(2, 7)], ["1", "7"])
    assert "every thermal number is the visible one in its place -1" in note


def test_second_picture_of_a_number_is_told() -> None:
    found, alone, _ = pairs(["1", "01", "2"], ["1", "2"])
    assert (found, alone) == ([("1", "1"), ("2", "2")], ["01"])


def test_a_count_pairs_although_stamps_differ_and_begins_anew_with_each_flight() -> None:
    rgb = ["20240101120000_0001", "20240101120004_0002", "20240102090000_0001", "20240102090005_0003"]
    tir = ["20240101120001_0001", "20240101120004_0002", "20240102090001_0001", "20240102090005_0002", "x"]
    matches = by_number(side("v", rgb), side("t", tir), "%Y%m%d%H%M%S", 3)
    assert [(m.rgb, m.tir) for m in matches if not m.reason] == [
        (f"v/{a}.jpg", f"t/{b}.jpg") for a, b in zip(rgb[:3], tir[:3])
    ]
    assert [m.skew for m in matches] == [None] * len(matches)
    assert {m.rgb or m.tir: m.detail for m in matches if m.reason} == {
        "v/20240102090005_0003.jpg": "no thermal picture in this sequence",
        "t/20240102090005_0002.jpg": "no visible picture near in time",
        "t/x.jpg": "name holds no number after its time",
    }
    late, alone = by_number(side("v", rgb[:1]), side("t", ["20240101130000_0001"]), "%Y%m%d%H%M%S", 3)
    assert (late.reason, alone.reason) == ("temporal_mismatch", "temporal_mismatch")


def test_two_pictures_of_one_number_are_told_and_never_both_paired() -> None:
    visible = [Picture(name, f"rgb/v{name}.jpg") for name in ("01", "1", "2")]
    thermal = [Picture(name, f"tir/t{name}.jpg") for name in ("1", "2", "02")]
    matches, _ = by_order(visible, thermal)
    assert [(match.rgb, match.tir) for match in matches if match.rgb and match.tir] == [
        ("rgb/v01.jpg", "tir/t1.jpg"),
        ("rgb/v2.jpg", "tir/t2.jpg"),
    ]
    told = {match.rgb or match.tir: match.detail for match in matches if not (match.rgb and match.tir)}
    assert told == {
        "rgb/v1.jpg": "second picture of this number: rgb/v01.jpg is used",
        "tir/t02.jpg": "second picture of this number: tir/t2.jpg is used",
    }
