"""What `run` of align hands back: what the files say, typed; a notebook and the command get the same."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from pipeline import align
from pipeline.align import AlignConfig
from pipeline.records import AlignedPair, Reject, read_rows

from ...conftest import Run, done, told
from ...offered import offered

pytestmark = pytest.mark.usefixtures("registered")


def test_the_result_says_what_the_folder_holds(tree: Path, tmp_path: Path, drawn: None) -> None:
    (tree / "set00/V001/lwir/I00002.jpg").write_bytes(b"no picture")
    out = tmp_path / "out"
    result = align.run(AlignConfig(root=tree, out=out))
    summary = json.loads((out / "align.json").read_text())
    assert (result.pairs_in, result.aligned, result.rejected, result.reasons) == (6, 5, 1, {"decode": 1})
    assert len(list(read_rows(result.rows, AlignedPair))) == result.aligned
    assert len(list(read_rows(result.rejects, Reject))) == result.rejected
    assert result.page == out / "report.html"
    assert "Alignment of data" in result.page.read_text()
    for name in ("manifest", "layout_reason", "rejected_ratio", "flags", "models", "seconds"):
        assert getattr(result, name) == summary[name]
    assert {name: dataclasses.asdict(camera) for name, camera in result.cameras.items()} == summary["cameras"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.aligned = 6  # type: ignore[misc]


def test_a_finished_folder_gives_the_same_result_and_the_page_can_be_left_out(tree: Path, tmp_path: Path) -> None:
    first = align.run(AlignConfig(root=tree, out=tmp_path / "out"), report=False)
    assert first.page is None
    assert not (tmp_path / "out/report.html").exists()
    assert align.run(AlignConfig(root=tree, out=tmp_path / "out"), report=False) == first


def test_a_preview_goes_into_a_folder_of_its_own(tree: Path, tmp_path: Path) -> None:
    result = align.run(AlignConfig(root=tree, out=tmp_path / "out", preview=2), report=False)
    assert (result.out, result.pairs_in) == (tmp_path / "out/preview", 2)


def test_a_summary_that_was_altered_is_named(tree: Path, prep: Run, tmp_path: Path) -> None:
    words = ("align", "--root", tree, "--out", tmp_path / "out")
    done(prep(*words))
    path = tmp_path / "out/align.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"aligned": "many"}))
    cure = offered(told(prep(*words), 3, f"{path}: aligned: "))
    done(prep(*cure[1:]))
