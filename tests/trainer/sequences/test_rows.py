"""Text files of boxes as people write them, and files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DataError
from trainer.sequences.rows import MAX_BYTES, read_rows


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3,4\n5,6,7,8\n",
        "1\t2\t3\t4\r\n5\t6\t7\t8",
        "1 2  3 4\n\n 5 6 7 8 \n\n",
        "1, 2, 3, 4\n5; 6; 7; 8\n",
        "\ufeff1.0,2e0,+3,4.\n5,6,7,8",
        "1,2,3,4\r\r\n5,6,7,8\r\r\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_commas_tabs_and_spaces_all_do(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.removeprefix("\ufeff").encode(encoding) if encoding == "utf-16" else text.encode())
    assert read_rows(path, 4).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_nan_and_infinity_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("NaN,nan,inf,-Inf\n1e400,1,1,1\n")
    found = read_rows(path, 4)
    assert np.isnan(found[0, :2]).all()
    assert found[0, 2:].tolist() == [np.inf, -np.inf]
    assert found[1, 0] == np.inf


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "file is empty"),
        (b" \n\n", "file is empty"),
        (b"1,2,3,4\n1,2,3\n", "a.txt:2: row has 3 numbers, expected 4"),
        (b"1,2,3,4,5,6,7,8\n", "a.txt:1: row has 8 numbers, expected 4"),
        (b"1,,3,4\n", "a.txt:1: row has 3 numbers"),
        (b"1,2,3,4\nx,y,w,h\n", "a.txt:2: 'x' is not a number"),
        (b"<html>not found</html>", "a.txt:1: '<html>not' is not a number"),
        (b"1,2,3,4\n\xff\xfe\x00\x01", "byte 8 is not UTF-8 text"),
        (b"\x89PNG\r\n\x1a\n", "byte 0 is not UTF-8 text"),
        (b"\xff\xfe1\x00,", "is not UTF-16-LE text"),
        (b"1,2,3,0x1F\n", "'0x1F' is not a number"),
    ],
)
def test_what_is_no_table_of_boxes_is_named_with_its_row(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(DataError) as told:
        read_rows(path, 4)
    assert said in str(told.value)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)


def test_a_line_of_100_megabytes_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(DataError, match=f"larger than {MAX_BYTES} bytes"):
        read_rows(path, 4)
    with pytest.raises(DataError, match="cannot read"):
        read_rows(tmp_path, 4)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_a_named_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "a.txt"
    path.write_bytes(data)
    try:
        assert read_rows(path, 4).shape[1] == 4
    except DataError as error:
        assert "a.txt" in str(error)
