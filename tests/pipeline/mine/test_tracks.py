"""The numbers of objects, from boxes in files to shards, whatever the workers and the shards."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline import report
from pipeline.shards.folder import open_shards

from ...conftest import Data, Run, done


def found(folder: Path) -> dict[tuple[str, float], int]:
    shards = open_shards(folder)
    return {(shards.pairs[patch.pair].pair_id, float(patch.box[0])): patch.track for patch in shards.patches}


def test_shards_have_each_box_s_object_whatever_the_workers_and_the_shards(data: Data, prep: Run) -> None:
    path = data.root / "boxes.jsonl"
    rows = [{"pair_id": row.pair_id, "boxes": [[20, 20, 24, 40], [70, 20, 24, 40]]} for row in data.rows]
    rows = [row | {"id": ["red", None if n == 1 else 4]} for n, row in enumerate(rows)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ("--aligned", data.aligned, "--method", "detection", "--detector", "boxes", "--detections", path)
    kept = []
    for name, more in (("a", ("--workers", 1)), ("b", ("--workers", 2, "--pairs-per-shard", 1))):
        done(prep("mine", *words, *more, "--patch-size", 0, "--out", data.root / name))
        done(prep("verify", data.root / name, "--deep"))
        kept.append(found(data.root / name))
    assert kept[0] == kept[1]
    red = {track for (_, x), track in kept[0].items() if x == 20}
    assert len(red) == 1
    assert min(red) > 4
    assert [kept[0][row.pair_id, 70] for row in data.rows] == [-1 if n == 1 else 4 for n in range(len(data.rows))]
    total = 2 * len(data.rows) - 1
    assert dict(row[:2] for row in report.overview(data.root / "a")[0])["tracked"] == str(total)
    page = report.write(data.root / "a", data.root / "page.html").read_text()
    assert "patches with an object&#39;s id" in page


def test_center_knows_no_objects(data: Data, prep: Run) -> None:
    done(prep("mine", "--aligned", data.aligned, "--method", "center", "--out", data.root / "c"))
    assert set(found(data.root / "c").values()) == {-1}
    assert "tracked" not in dict(row[:2] for row in report.overview(data.root / "c"))
