"""What the classes of files become in shards, and which class is meant by what people type."""

from __future__ import annotations

import pytest

from pipeline.detect.class_numbers import settle
from pipeline.detect.classes import class_name, counts_by_name, parse_class, wanted_classes
from pipeline.errors import DataError, UsageError


def test_numbers_without_names_are_as_the_format_defines_them() -> None:
    settled = settle("labels", {0, 1, 300, -1}, {}, "index", None)
    assert (settled.of, settled.names, settled.recorded) == ({-1: -1, 0: 0, 1: 1, 300: 300}, {}, {})


@pytest.mark.parametrize(
    ("seen", "of"),
    [
        ({0, 3}, {0: 0, 3: 3}),
        ({3, 12}, {3: 3, 12: 12}),
        ({1, 91}, {1: 1, 91: 91}),
        ({1, 3, 80}, {1: 0, 3: 2, 80: 70}),
        ({1, 90}, {1: 0, 90: 79}),
    ],
)
def test_a_number_that_only_one_reading_has_settles_all(seen: set[int], of: dict[int, int]) -> None:
    settled = settle("results", seen, {}, "unknown", None)
    assert settled.of == {-1: -1} | of
    assert settled.recorded == ({"class_ids": "coco"} if of.get(1) == 0 else {})


def test_numbers_that_can_be_read_in_two_ways_are_refused_with_both() -> None:
    with pytest.raises(DataError, match=r"coco 1 is person, 3 is car; .*index 1 is bicycle, 3 is motorcycle"):
        settle("results", {1, 3}, {}, "unknown", None)
    assert settle("results", {1, 3}, {}, "unknown", "coco").of == {-1: -1, 1: 0, 3: 2}
    assert settle("results", {1, 3}, {}, "unknown", "index").of == {-1: -1, 1: 1, 3: 3}
    assert settle("labels", {1, 3}, {}, "index", "coco").of == {-1: -1, 1: 0, 3: 2}
    with pytest.raises(DataError, match="COCO has no category 0"):
        settle("results", {0, 1}, {}, "unknown", "coco")


def test_names_decide_whatever_the_numbers_are() -> None:
    categories = {1: "Person", 2: "bike_rack", 7: "aeroplane", 9: "anchor"}
    settled = settle("coco", {1, 2, 7}, categories, "unknown", None)
    assert settled.of == {-1: -1, 1: 0, 2: 81, 7: 4, 9: 80}
    assert settled.names == {80: "anchor", 81: "bike rack"}
    assert settled.recorded == {"classes_by_name": True, "class_names": {"80": "anchor", "81": "bike rack"}}
    assert settle("voc", {"car", "people"}, {}, "index", None).of == {-1: -1, "car": 2, "people": 80}


@pytest.mark.parametrize("categories", [{1: "person", 3: "car"}, {0: "person", 2: "car"}])
def test_nothing_is_noted_where_version_0_1_read_the_same(categories: dict[int, str]) -> None:
    settled = settle("coco", categories, categories, "unknown", None)
    assert settled.recorded == {}
    assert {settled.of[number] for number in categories} == {0, 2}


def test_a_number_without_a_name_among_names_is_refused() -> None:
    with pytest.raises(DataError, match="class 5 has no name: it names 2, from 0 to 1"):
        settle("labels", {0, 5}, {0: "a", 1: "b"}, "index", None)
    for seen, categories in (({0}, {0: "a"}), ({"car"}, {})):
        with pytest.raises(UsageError, match="--class-ids coco: labels names its classes: leave it out"):
            settle("labels", seen, categories, "index", "coco")


def test_classes_are_typed_by_name_or_number() -> None:
    assert [parse_class(word) for word in ("person", "Traffic_Light", "tvmonitor", "2", 3, "cyclist")] == [
        *(0, 9, 62, 2, 3),
        "cyclist",
    ]
    assert wanted_classes((0, "cyclist"), {80: "anchor", 81: "cyclist"}) == {0, 81}
    with pytest.raises(UsageError, match="--classes cyclits: no class is called so: did you mean cyclist"):
        wanted_classes(("cyclits",), {80: "cyclist"})
    with pytest.raises(UsageError, match="--classes peson: no class is called so: did you mean person"):
        wanted_classes(("peson",), {})
    named = {0: "person", 1: "bicycle", 80: "cyclist"}
    with pytest.raises(UsageError, match=r"called so: did you mean person\? beside COCO's there are cyclist$"):
        wanted_classes(("people",), named)
    with pytest.raises(UsageError, match=r"called so: name one of COCO's: person, bicycle, car, .*, \.\.\.$"):
        wanted_classes(("xyzzy",), {0: "person"})


def test_classes_are_shown_by_name() -> None:
    counts = {"-1": 5, "0": 2, "10": 6, "2": 1, "80": 3, "95": 4}
    rest = [
        ("person (0)", 2),
        ("car (2)", 1),
        ("fire hydrant (10)", 6),
        ("cyclist (80)", 3),
        ("class 95", 4),
    ]
    assert list(counts_by_name(counts, {80: "cyclist"}).items()) == [("no class", 5), *rest]
    told = counts_by_name(counts, {80: "cyclist"}, fallbacks=4)
    assert list(told.items()) == [("no detection: random patch", 4), ("no class", 1), *rest]
    assert "no class" not in counts_by_name(counts, {}, fallbacks=5)
    assert class_name(79, {}) == "toothbrush"
