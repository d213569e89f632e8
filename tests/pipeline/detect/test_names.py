"""Which name in a file of boxes belongs to which pair."""

from __future__ import annotations

import pytest

from pipeline.detect.names import match, nearest
from pipeline.errors import DataError

PAIRS = ["set00/V000/I00000", "set00/V000/I00001", "set00/V001/I00000"]


def found(names: list[str], pairs: list[str], rejected: tuple[str, ...] = ()) -> dict[str, str]:
    return match("boxes", names, pairs, rejected).names


@pytest.mark.parametrize(
    ("name", "pair", "how"),
    [
        ("010001.txt", "pairs/010001", ""),
        ("010001_jpg.rf.0000000000000000000000001f3d5b79.txt", "pairs/010001", "without the marks of export tools"),
        ("010001_png.rf.A9bzQ.png", "pairs/010001", "without the marks of export tools"),
        ("3f2a-010001.jpg", "pairs/010001", "without the marks of export tools"),
        ("images/12345678-010001.jpg", "pairs/010001", "without the marks of export tools"),
        ("..\\data\\media\\upload\\1a2b3c4d-010001.JPG", "pairs/010001", "without the marks of export tools"),
        ("010001.jpg.txt", "pairs/010001", "without the marks of export tools"),
        ("train2017/010001.webp", "pairs/010001", "without the marks of export tools"),
        ("images/train/pairs/010001.dcm", "pairs/010001", "without the marks of export tools"),
        ("SET00/v000/i00000.PNG", "set00/V000/I00000", "without the marks of export tools"),
        ("47", "pairs/000047", "as numbers"),
        ("images/47.jpg", "pairs/000047", "as numbers"),
        ("a/47", "a/000047", "as numbers"),
        ("mu\u0308ller/1.png", "m\u00fcller/1", ""),
    ],
)
def test_a_name_is_read_as_people_and_their_tools_write_it(name: str, pair: str, how: str) -> None:
    other = "pairs/999999"
    result = match("boxes", [name, "b/unlike.txt"], [pair, other])
    assert (result.names, result.bare, result.unknown) == ({pair: name}, [other], ["b/unlike.txt"])
    assert dict(result.read_as) == ({how: (name, pair)} if how else {})


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("set01/V003/I00000.jpg", "set00/V000/I00000"),
        ("2025-08-01.jpg", "a/08-01"),
        ("1-010001.jpg", "a/010001"),
        ("47", "a/I00047"),
        ("470", "a/000047"),
        ("lwir/I00000.jpg", "set00/V000/I00000"),
    ],
)
def test_what_is_only_alike_is_another_name(name: str, pair: str) -> None:
    assert found([name], [pair]) == {}


def test_the_strictest_reading_is_taken_first() -> None:
    names = ["a/47.txt", "a/000047_jpg.rf.0f.txt", "a/000047.txt"]
    result = match("boxes", names, ["a/000047", "a/47"])
    assert result.names == {"a/000047": "a/000047.txt", "a/47": "a/47.txt"}
    assert result.unknown == ["a/000047_jpg.rf.0f.txt"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["I00000.txt"], "entry I00000.txt could be pair set00/V000/I00000 or set00/V001/I00000"),
        (["0a1b2c3d-I00000.txt"], "entry 0a1b2c3d-I00000.txt could be pair set00/V000/I00000 or set00/V001/I00000"),
        (["a/set00_V000_I00001.txt", "b/set00_V000_I00001.txt"], "could both be pair set00/V000/I00001: keep one"),
        (["I00001_jpg.rf.aa.txt", "I00001_jpg.rf.bb.txt"], "could both be pair set00/V000/I00001: keep one"),
        (["set00/V000/I00000.jpg", "set00_V000_I00000.png"], "two entries for one picture"),
    ],
)
def test_a_name_in_doubt_is_refused_in_whatever_order(names: list[str], told: str) -> None:
    for pairs in (PAIRS, PAIRS[::-1]):
        for order in (names, names[::-1]):
            with pytest.raises(DataError, match=told):
                found(order, pairs)


def test_a_number_of_two_sequences_is_refused() -> None:
    with pytest.raises(DataError, match="entry 47 could be pair a/000047 or b/00047"):
        found(["47"], ["b/00047", "a/000047"])


def test_names_of_rejected_pairs_are_told_apart_and_may_be_meant() -> None:
    result = match("boxes", ["a/1.txt", "a/2.txt", "a/9.txt"], ["a/1", "a/3"], ["a/2"])
    assert (result.names, result.rejected, result.unknown, result.bare) == (
        {"a/1": "a/1.txt"},
        ["a/2.txt"],
        ["a/9.txt"],
        ["a/3"],
    )
    with pytest.raises(DataError, match=r"entry 1.txt could be pair a/1 or b/1"):
        found(["1.txt"], ["a/1"], ("b/1",))
    assert found(["1.txt", "b/1.txt"], ["a/1"], ("b/1",)) == {"a/1": "1.txt"}


def test_the_nearest_pair_is_offered() -> None:
    assert nearest("frame_I00001_v2.txt", PAIRS) == "set00/V000/I00001"
    assert nearest("zebra.txt", PAIRS) is None


@pytest.mark.parametrize("name", ["data/video-a1-I00001-frame.jpg", "a1/lwir/I00001.jpg", "up/7/x_a1_I00001.jpg"])
def test_the_nearest_of_several_sequences_is_that_of_its_folders(name: str) -> None:
    assert nearest(name, ["k/a0/I00001", "k/a1/I00001", "k/a2/I00001", "k/a1/I00002"]) == "k/a1/I00001"
