"""The rows of a study: the same bytes in any order, and none twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import DataError
from trainer.study.results import ResultRow, read_results, write_results

from .planted import planted, rows_of

ROWS = rows_of(planted({"d3": 0.1, "shuffled": 0.0}, 0, sequences=3))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(ROWS))
def test_the_file_is_the_same_in_any_order(tmp_path: Path, order: list[ResultRow]) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    assert write_results(first, ROWS) == len(ROWS)
    write_results(second, order)
    assert first.read_bytes() == second.read_bytes()
    kept = {row.model_copy(update={"value": round(row.value, 6)}) for row in ROWS}
    assert set(read_results(first)) == kept


def test_a_line_has_sorted_keys_and_six_digits(tmp_path: Path) -> None:
    row = ResultRow(clip="c", measure="hit", row="a1", sequence="s", value=0.12345678, windows=3)
    write_results(tmp_path / "r.jsonl", [row])
    line = (tmp_path / "r.jsonl").read_text()
    content = json.loads(line)
    assert list(content) == sorted(content)
    assert (content["value"], content["seed"], content["rate_scale"]) == (0.123457, None, None)


def test_rows_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    row = ROWS[0]
    with pytest.raises(DataError, match="two rows of iou_from_peak of a1"):
        write_results(tmp_path / "r.jsonl", [*ROWS, row.model_copy(update={"value": 0.5})])
    with pytest.raises(DataError, match="is of two clips"):
        write_results(tmp_path / "r.jsonl", [*ROWS, row.model_copy(update={"clip": "z", "measure": "hit"})])
    assert not (tmp_path / "r.jsonl").exists()


@pytest.mark.parametrize(
    "line",
    [
        '{"row": "d3"}',
        "[]",
        "{",
        '{"clip": "c", "measure": "m", "row": "d3", "sequence": "s", "value": NaN, "windows": 1}',
    ],
)
def test_a_line_that_does_not_fit_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "results.jsonl").write_text(line + "\n")
    with pytest.raises(DataError, match=r"results.jsonl:1"):
        read_results(tmp_path / "results.jsonl")
