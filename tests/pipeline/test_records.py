"""Rows and JSON files: what is refused, with file and line, and that a reader never sees half a file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import records
from pipeline.errors import DataError
from pipeline.files.json_text import read_json, write_json
from pipeline.records import AlignedPair, Reject, read_rows, write_rows

from ..conftest import Data

GOOD = {"pair_id": "a/1", "rgb": "a/1.jpg", "tir": None, "stage": "align", "reason": "decode", "detail": "d"}


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=5))
def test_rows_of_any_text_come_back_with_the_place_they_start_at(texts: list[tuple[str, str]]) -> None:
    from tempfile import TemporaryDirectory

    rows = [Reject.model_validate(GOOD | {"pair_id": name, "detail": detail}) for name, detail in texts]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        assert write_rows(path, rows) == len(rows)
        assert list(read_rows(path, Reject)) == rows
        for at, row in records.locate_rows(path, Reject):
            with path.open("rb") as file:
                file.seek(at)
                assert Reject.model_validate_json(file.readline()) == row


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "row: Invalid JSON"),
        ("[1]", "row: "),
        (json.dumps(GOOD | {"extra": 1}), "extra: "),
        (json.dumps(GOOD | {"reason": "mood"}), "reason: "),
        (json.dumps({k: v for k, v in GOOD.items() if k != "stage"}), "stage: "),
        ("\udcff", "row: "),
    ],
)
def test_a_row_that_does_not_fit_is_named_by_file_line_and_field(tmp_path: Path, line: str, fault: str) -> None:
    path = tmp_path / "rejects.jsonl"
    path.write_bytes((json.dumps(GOOD) + "\n\n" + line + "\n").encode(errors="surrogateescape"))
    with pytest.raises(DataError, match=re.escape(f"{path}:3: {fault}")):
        list(read_rows(path, Reject))


def test_an_endless_line_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + " " * (records.MAX_LINE + 10))
    with pytest.raises(DataError, match=r"rejects\.jsonl:2: line is longer than"):
        list(read_rows(path, Reject))


def test_a_missing_file_says_which_stage_to_run(tmp_path: Path) -> None:
    for read in (lambda path: list(read_rows(path, Reject)), read_json):
        with pytest.raises(DataError, match=r"cannot read .*gone.*run the stage"):
            read(tmp_path / "gone")


@pytest.mark.parametrize("text", ["", "[1, 2]", "{", "\x00", "[" * 100_000])
def test_what_is_no_json_object_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataError, match=r"x\.json"):
        read_json(tmp_path / "x.json")


@pytest.mark.parametrize("path", ["/etc/passwd", "../a.jpg", "a/../../b.jpg", "a\\..\\..\\b", "\\\\host\\a"])
def test_a_path_may_not_leave_the_root(data: Data, path: str) -> None:
    with pytest.raises(ValueError, match="leaves the data set's root"):
        AlignedPair.model_validate(data.rows[0].model_dump() | {"rgb": path})


@pytest.mark.parametrize(
    "wrong", [{"score": 1.5}, {"score": float("nan")}, {"homography": (1.0,) * 8}, {"homography": (float("inf"),) * 9}]
)
def test_numbers_that_cannot_be_right_are_refused(data: Data, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        AlignedPair.model_validate(data.rows[0].model_dump() | wrong)


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    write_rows(path, [Reject.model_validate(GOOD)])

    def broken():  # type: ignore[no-untyped-def]
        yield Reject.model_validate(GOOD)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rows(path, broken())
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(path, {"a": float("nan")})
    assert len(list(read_rows(path, Reject))) == 1
