"""Pairs without a detection that get a random patch: counted, told, and limited."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import mine
from pipeline.mine import MineConfig

from ...conftest import Data, Run, done, told


def words(data: Data, found: int, *more: object) -> tuple[object, ...]:
    """Mine the six pairs with boxes for some of them."""
    path = data.root / "boxes.jsonl"
    rows = [
        {"pair_id": row.pair_id, "boxes": [[20, 20, 40, 40]] if number < found else []}
        for number, row in enumerate(sorted(data.rows, key=lambda row: row.pair_id))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    detector = ("--method", "detection", "--detector", "boxes", "--detections", path)
    return ("mine", "--aligned", data.aligned, *detector, "--pairs-per-shard", 4, "--out", data.root / "s", *more)


def totals(data: Data) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((data.root / "s/index.json").read_text())["totals"]
    return content


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_their_share_stands_in_the_table_and_the_index_and_is_kept_on_resume(
    data: Data, prep: Run, workers: int
) -> None:
    table = done(prep(*words(data, 4, "--workers", workers)))
    assert "fell back to random         2 (33% of the pairs stored)" in table
    assert "no detection: random patch  2\n" in table
    assert (totals(data)["fallbacks"], totals(data)["fallback_ratio"]) == (2, 0.333333)
    (data.root / "s/shard-00001.h5").unlink()
    assert done(prep(*words(data, 4))).count("2 (33% of the pairs stored)") == 1


@pytest.mark.parametrize(("found", "warned"), [(2, True), (3, False)])
def test_more_than_half_is_a_warning(data: Data, prep: Run, found: int, warned: bool, caplog: Any) -> None:
    done(prep(*words(data, found)))
    assert ("4 of 6 pairs (67 %) had no detection and got a random patch" in caplog.text) == warned


def test_more_than_is_allowed_ends_with_1_and_all_is_there(data: Data, prep: Run) -> None:
    limit = ("--max-fallback-ratio", 0.3)
    told(
        prep(*words(data, 4, *limit)), 1, "33%", "got a random patch, more than --max-fallback-ratio 0.3: ", "complete"
    )
    assert totals(data)["pairs"] == 6
    done(prep("verify", data.root / "s", "--deep"))
    done(prep(*words(data, 4, "--max-fallback-ratio", 0.34)))


def test_boxes_that_are_all_dropped_count_as_none(data: Data, prep: Run) -> None:
    assert "6 (100%" in done(prep(*words(data, 6, "--min-size", 50)))


@pytest.mark.parametrize("how", [{"method": "center"}, {"method": "random"}])
def test_what_looks_for_nothing_has_no_share(data: Data, how: dict[str, str], tmp_path: Path) -> None:
    result = mine.run(MineConfig.model_validate({"aligned": data.aligned, "out": tmp_path / "s"} | how))
    assert (result.fallbacks, result.fallback_ratio) == (None, 0)
    assert not {"fallbacks", "fallback_ratio"} & json.loads(result.index.read_text())["totals"].keys()


def test_a_pair_that_is_skipped_did_not_fall_back(data: Data, prep: Run) -> None:
    assert "fell back" not in done(prep(*words(data, 4, "--fallback", "skip")))
    assert totals(data)["rejects"] == {"no_detection": 2}
