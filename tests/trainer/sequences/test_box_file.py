"""Boxes of frames in text files: blank rows, polygons, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DataError
from trainer.sequences.box_file import oddities, read_boxes

NAN = [float("nan")] * 4
FIRST, LAST = [1, 2, 3, 4], [5, 6, 7, 8]


def write(folder: Path, text: str) -> Path:
    path = folder / "a.txt"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("1,2,3,4\n\n5,6,7,8\n", [FIRST, NAN, LAST]),
        ("1,2,3,4\r\n \t\r\n\r\n5,6,7,8", [FIRST, NAN, NAN, LAST]),
        ("1,2,3,4\n,,,\n5,6,7,8\n", [FIRST, NAN, LAST]),
        ("\n\n1 2 3 4\n5 6 7 8\n", [NAN, NAN, FIRST, LAST]),
        ("1,2,3,4\n5,6,7,8\n\n\n \n", [FIRST, LAST]),
        ("1,2,3,4\r\r\n5,6,7,8\r\r\n", [FIRST, LAST]),
        ("\ufeff1,2,3,4\n\n5,6,7,8\n\n", [FIRST, NAN, LAST]),
    ],
)
def test_a_blank_row_inside_is_a_frame_and_at_the_end_it_is_nothing(
    tmp_path: Path, text: str, rows: list[list[float]]
) -> None:
    file = read_boxes(write(tmp_path, text))
    np.testing.assert_array_equal(file.boxes, rows)
    assert file.blank == rows.count(NAN)
    assert not file.polygons


def test_blank_rows_between_all_rows_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "1,2,3,4\n\n" * 4)
    with pytest.raises(DataError, match=r"a\.txt:2: every second row is blank: remove these, or write NaN"):
        read_boxes(path)
    assert read_boxes(write(tmp_path, "1,2,3,4\n\n" * 3)).blank == 2


def test_polygons_become_their_bounding_boxes(tmp_path: Path) -> None:
    file = read_boxes(write(tmp_path, "10,20,30,25,28,60.5,8,55\n\n1,1,1,5,4,5,4,1\nNaN,NaN,NaN,NaN,NaN,NaN,NaN,NaN\n"))
    np.testing.assert_array_equal(file.boxes, [[8, 20, 22, 40.5], NAN, [1, 1, 3, 4], NAN])
    assert file.polygons
    assert file.blank == 1
    with pytest.raises(DataError, match=r"a\.txt:2: row has 4 numbers, expected 8"):
        read_boxes(write(tmp_path, "1,1,1,5,4,5,4,1\n1,2,3,4\n"))


@pytest.mark.parametrize("row", ["1,5;2,0;3,5;4,0", "1,5 2,0 3,5 4,0", "1,5\t2,0\t3,5\t4,0", "1,5; 2,0; 3,5; 4,0"])
def test_decimal_commas_make_no_polygon(tmp_path: Path, row: str) -> None:
    path = write(tmp_path, f"{row}\n" * 3)
    with pytest.raises(DataError, match=r"a\.txt:1: 8 numbers apart by signs of two kinds: write decimal points"):
        read_boxes(path)


@pytest.mark.parametrize("separator", [",", ", ", " ", "  ", "\t", ";", " ; "])
def test_polygons_with_any_one_separator(tmp_path: Path, separator: str) -> None:
    file = read_boxes(write(tmp_path, separator.join(["1", "1", "1", "5", "4", "5", "4", "1"]) + " \n"))
    assert file.boxes.tolist() == [[1, 1, 3, 4]]


def test_what_is_odd_is_told_once_for_all_files(tmp_path: Path) -> None:
    blank = read_boxes(write(tmp_path, "1,2,3,4\n\n\n5,6,7,8\n"))
    polygon = read_boxes(write(tmp_path, "1,1,1,5,4,5,4,1\n"))
    whole = read_boxes(write(tmp_path, "1,2,3,4\n"))
    assert oddities({"a": whole}, "mine") == []
    assert oddities({"a": blank, "b": polygon, "c": blank, "d": polygon, "e": whole}, "mine") == [
        "mine: 4 blank rows taken as frames without a target, in 2 sequences (a 2, c 2)",
        "mine: polygons taken as their bounding boxes, in 2 sequences (b, d)",
    ]


@settings(max_examples=80, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text("1.,; \t\r\n-eNa", max_size=80).map(str.encode)))
def test_any_bytes_are_boxes_or_a_named_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "a.txt"
    path.write_bytes(data)
    try:
        boxes = read_boxes(path).boxes
    except DataError as error:
        assert "a.txt" in str(error)
    else:
        assert boxes.shape[1] == 4
        assert not np.isnan(boxes[-1]).all() or b"a" in data.lower()
