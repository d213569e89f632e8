"""Names, codes and reasons that are markup stay text in every report."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from pipeline.detect.formats.box_lines import BoxesRow
from pipeline.records import AlignedPair, Reject, write_rows
from trainer.commands.evaluate import main as evaluate

from ..conftest import Data, Run, done

EVIL = "<script>alert(1)"
EDGE = '"><img src=x onerror=alert(2)>'


def rename(row: AlignedPair, root: Path) -> AlignedPair:
    """A pair whose names, files and flags are markup."""
    files = {}
    for side in ("rgb", "tir"):
        path = root / getattr(row, side)
        target = path.with_name(f"{EVIL}{path.name}")
        path.rename(target)
        files[side] = target.relative_to(root).as_posix()
    names = {"pair_id": f"{EVIL}/{row.frame}{EDGE}", "sequence": EVIL, "frame": row.frame + EDGE}
    return row.model_copy(update=names | files | {"flags": (EVIL, EDGE)})


def clean(page: str) -> None:
    assert EVIL not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_pairs_and_shards(data: Data, prep: Run, tmp_path: Path) -> None:
    rows = [rename(row, data.root) for row in data.rows]
    data.rewrite(rows)
    lost = Reject(pair_id=EVIL, rgb=EVIL, tir=EDGE, stage="align", reason="decode", detail=EVIL + EDGE)
    write_rows(data.aligned / "rejects.jsonl", [lost])
    summary = json.loads((data.aligned / "align.json").read_text())
    summary |= {"reasons": {EVIL: 1}, "flags": {EVIL: 1}, "layout_reason": EVIL + EDGE, "models": {EVIL: 1}}
    (data.aligned / "align.json").write_text(json.dumps(summary))
    (data.root / rows[0].rgb).write_bytes(b"no picture")
    done(prep("report", data.aligned, "--out", tmp_path / "aligned.html"))
    clean((tmp_path / "aligned.html").read_text())
    found = [BoxesRow(pair_id=row.pair_id, boxes=((30, 30, 40, 40),), classes=(5,)) for row in rows]
    write_rows(tmp_path / "boxes.jsonl", found)
    words = ("--method", "detection", "--detector", "boxes", "--detections", tmp_path / "boxes.jsonl")
    done(prep("mine", "--aligned", data.aligned, *words, "--out", tmp_path / "shards"))
    done(prep("report", tmp_path / "shards", "--out", tmp_path / "shards.html"))
    clean((tmp_path / "shards.html").read_text())


def test_evaluation(tmp_path: Path) -> None:
    head = "name: x\ntitle: t\nkind: sequences\nsource: s\nlicence: l\nframes: ['{sequence}']\n"
    (tmp_path / "m.yaml").write_text(f"{head}truth: ['{{sequence}}.txt']\nsequences: {{'{EVIL}': 3}}\n")
    for folder in ("truth", "mine"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{EVIL}.txt").write_text("10,10,20,20\n" * 3)
    words = ["--dataset", tmp_path / "m.yaml", "--annotations", tmp_path / "truth", "--out", tmp_path / "report"]
    result = CliRunner().invoke(evaluate, [*map(str, words), "--results", f"{EVIL}={tmp_path / 'mine'}"])
    done(result)
    clean((tmp_path / "report/report.html").read_text())
