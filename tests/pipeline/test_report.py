"""`cmd-prep report` and `inspect`: one self-contained page, real pictures, nothing of the data taken for markup."""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline import images
from pipeline.next_command import made_again
from pipeline.records import Reject, write_rows

from ..conftest import Data, Run, done, told
from ..page_parts import check_parts

HOSTILE = "<script>alert(1)</script>"


def pictures(page: str) -> list[np.ndarray]:
    """Every picture of a page, decoded."""
    found = re.findall(r'<img src="data:image/(?:jpeg|webp);base64,([^"]+)"', page)
    assert page.count("<img") == len(found)
    return [images.decode_rgb(base64.b64decode(text), "picture of the page") for text in found]


def check_self_contained(page: str) -> None:
    """Nothing is loaded from anywhere, and nothing runs but what the page says it runs."""
    check_parts(page)
    assert not re.search(r"<(link|iframe|object|embed|base)\b", page, re.IGNORECASE)
    assert "@import" not in page
    assert page.rstrip().endswith("</html>")


def test_the_page_of_aligned_pairs(data: Data, prep: Run) -> None:
    write_rows(
        data.aligned / "rejects.jsonl",
        [Reject(pair_id="seq9/7", rgb=None, tir="t.png", stage="align", reason="decode", detail="cut in half")],
    )
    out = data.root / "deep/er/page.html"
    assert done(prep("report", data.aligned, "--out", out)).strip() == str(out)
    page = out.read_text()
    check_self_contained(page)
    drawn = pictures(page)
    assert len(drawn) == 6 * 8 + 2, "RGB, TIR, three views before and after, and the residual of one a sequence"
    assert page.count('type="range"') == 6 * 3
    assert all(picture.std() > 5 for picture in drawn), "an empty picture"
    for row in data.rows:
        assert f"{row.pair_id}: score {row.score:.2f}" in page
    for text in ("checkerboard", "edges", "Worst pairs", "Best pairs", "cut in half", "seq9/7", "<svg"):
        assert text in page
    assert page.index("seq0/0: score") < page.index("Best pairs") < page.index("seq1/5: score")


@pytest.mark.parametrize("method", ["center", "random", "detection"])
def test_the_page_of_shards(mined: dict[str, Path], prep: Run, tmp_path: Path, method: str) -> None:
    done(prep("report", mined[method], "--out", tmp_path / "p.html", "--samples", 4))
    page = (tmp_path / "p.html").read_text()
    check_self_contained(page)
    drawn = pictures(page)
    assert len(drawn) == 4 * 6, "RGB, the box's surroundings twice, label, and two tight patches of four patches"
    assert sum(picture.shape == (280, 280, 3) for picture in drawn) == 4 * 3
    assert all(picture.std() > 2 for picture in drawn)
    assert sum(picture.shape == (100, 100, 3) for picture in drawn) == 8
    index = json.loads((mined[method] / "index.json").read_text())
    for text in (index["shards"][0]["sha256"], index["source"]["aligned_sha256"], "<td>pairs_per_shard</td>"):
        assert text in page
    for text in ("Gaussian label", "shard-00001.h5", "box size"):
        assert text in page
    # What nobody called anything is not called that: neither under the bars nor over each patch.
    told = (", score 1.00, box " in page, "what they were called" in page, "no class" in page)
    assert told == ((True, True, False) if method == "detection" else (False, False, False))


def test_names_from_the_data_are_escaped(data: Data, prep: Run) -> None:
    rows = [
        row.model_copy(update={"pair_id": f"{HOSTILE}/{i}", "sequence": HOSTILE}) for i, row in enumerate(data.rows)
    ]
    data.rewrite(rows)
    hostile = Reject(pair_id=f"{HOSTILE}'\"&", rgb=None, tir=None, stage="align", reason="blank", detail=HOSTILE)
    write_rows(data.aligned / "rejects.jsonl", [hostile])
    done(prep("report", data.aligned, "--out", data.root / "a.html"))
    done(prep("mine", "--aligned", data.aligned, "--method", "center", "--out", data.root / "s"))
    done(prep("report", data.root / "s", "--out", data.root / "s.html"))
    for name in ("a.html", "s.html"):
        page = (data.root / name).read_text()
        check_self_contained(page)
        assert "&lt;script&gt;alert(1)" in page


def test_a_page_is_written_where_nothing_was_kept_and_where_pictures_are_gone(data: Data, prep: Run) -> None:
    for row in data.rows[1:]:
        (data.root / row.rgb).unlink()
    done(prep("report", data.aligned, "--out", data.root / "a.html"))
    page = (data.root / "a.html").read_text()
    assert len(pictures(page)) == 8
    assert page.count("cannot be drawn") == 5
    data.rewrite([])
    done(prep("report", data.aligned, "--out", data.root / "b.html"))
    check_self_contained((data.root / "b.html").read_text())


def test_a_report_of_nothing_or_to_nowhere_is_refused(data: Data, prep: Run, tmp_path: Path) -> None:
    told(prep("report", tmp_path, "--out", tmp_path / "x.html"), 3, "neither align.json nor index.json")
    told(prep("inspect", tmp_path / "gone"), 3, "neither align.json nor index.json")
    (tmp_path / "file").write_text("")
    told(prep("report", data.aligned, "--out", tmp_path / "file/x.html"), 2, "cannot write", "file/x.html")


def test_inspect_prints_tables(data: Data, mined: dict[str, Path], prep: Run) -> None:
    held, shards, settings = done(prep("inspect", mined["random"])).split("\n\n")
    lines = dict(line.split(maxsplit=1) for line in held.splitlines())
    assert lines["method"] == "random"
    assert lines["pairs"] == "6"
    assert [line.split()[0] for line in shards.splitlines()][:2] == ["shard", "shard-00000.h5"]
    assert settings.startswith("settings\n")
    aligned = done(prep("inspect", data.aligned))
    assert "drawn by the tests" in aligned
    assert "{" not in aligned


def test_cameras_are_a_table_of_their_own(tmp_path: Path, prep: Run) -> None:
    cameras = {"set00/V000": {"pairs": 4, "drift": 0.25, "moved_from": None}, "set03/V000": {"pairs": 7}}
    summary = {"aligned": 11, "reasons": {}, "score_quantiles": [0.5, 0.9], "cameras": cameras}
    (tmp_path / "align.json").write_text(json.dumps(summary))
    held, table = done(prep("inspect", tmp_path)).split("\n\n")
    first, second, scores = held.splitlines()
    assert (first.split(), second.split()) == (["aligned", "11"], ["reasons", "none"])
    assert scores == "score at 0, 5, 25, 50, 75, 95, 100 %  0.5, 0.9"
    assert [line.split() for line in table.splitlines()] == [
        ["cameras", "pairs", "drift", "moved_from"],
        ["set00/V000", "4", "0.25", "none"],
        ["set03/V000", "7", "none", "none"],
    ]


def test_a_page_lies_in_the_folder_that_it_is_about_unless_another_place_is_named(
    mined: dict[str, Path], prep: Run, tmp_path: Path
) -> None:
    folder = shutil.copytree(mined["center"], tmp_path / "shards")
    printed = done(prep("report", folder))
    assert printed.strip().endswith("report.html")
    assert (folder / "report.html").is_file()


def test_a_root_that_is_not_there_or_not_needed_is_refused_and_no_folder_is_left(
    data: Data, mined: dict[str, Path], prep: Run, tmp_path: Path
) -> None:
    out = ("--out", tmp_path / "new/folder/page.html")
    told(prep("report", data.aligned, "--root", tmp_path / "gone", *out), 3, "gone: no such folder: correct --root")
    told(prep("report", mined["center"], "--root", data.root, *out), 2, "--root", "has no effect on shards")
    (tmp_path / "empty").mkdir()
    told(prep("report", tmp_path / "empty", *out), 3, "holds neither align.json nor index.json", "give a folder that")
    above = mined["center"].parent
    told(
        prep("report", above, *out), 3, f"{above} holds neither", f"did you mean {mined['aligned']}, {mined['center']}"
    )
    told(prep("verify", above), 3, f"{above} has no index.json: did you mean {mined['center']}")
    mine = ("mine", "--method", "center", "--out", tmp_path / "new", "--aligned")
    told(prep(*mine, above), 3, f"did you mean {mined['aligned']}? correct --aligned", "--out aligned")
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("drawn")
def test_mine_draws_the_page_that_report_draws(data: Data, prep: Run, tmp_path: Path) -> None:
    done(prep("mine", "--aligned", data.aligned, "--method", "center", "--out", tmp_path / "s"))
    done(prep("report", tmp_path / "s", "--out", tmp_path / "again.html"))
    assert (tmp_path / "s/report.html").read_text() == (tmp_path / "again.html").read_text()
    assert len((tmp_path / "again.html").read_text()) > 10_000


def test_a_page_elsewhere_has_its_settings_beside_it(prep: Run, mined: dict[str, Path], tmp_path: Path) -> None:
    page, other = tmp_path / "pages/page.html", tmp_path / "other.html"
    done(prep("report", mined["center"], "--samples", 1, "--out", page))
    assert sorted(path.name for path in page.parent.iterdir()) == ["page.html", "page.html.config.yaml"]
    done(prep("report", "--config", f"{page}.config.yaml", "--out", other))
    assert other.read_bytes() == page.read_bytes()
    assert made_again(page) == f"cmd-prep report --config {page}.config.yaml --out {page}"
