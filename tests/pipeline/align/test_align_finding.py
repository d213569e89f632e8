"""What `cmd-prep align` tells of how it found its pairs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline import images
from pipeline.records import AlignedPair, Reject, read_rows

from ...conftest import Run, done, draw_pair, told

pytestmark = pytest.mark.usefixtures("registered")


def draw_files(root: Path, *names: str) -> Path:
    """Drawn pictures under the names, visible or thermal as a folder says; returns the root."""
    for seed, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        rgb, tir = draw_pair(seed)
        (root / name).write_bytes(images.encode(tir if {"infrared", "thermal"} & set(name.split("/")) else rgb, ".jpg"))
    return root


def test_numbers_pair_and_what_lacks_a_partner_is_counted_and_written(
    tmp_path: Path, prep: Run, caplog: pytest.LogCaptureFixture
) -> None:
    sides = {"visible/v": (1, 2, 4, 5), "infrared/i": (1, 3, 4, 5)}
    names = [f"trainingset/boy/{side}{n:05d}.jpg" for side, numbers in sides.items() for n in numbers]
    root = draw_files(tmp_path / "LasHeR", *names)
    result = prep("align", "--root", root, "--out", tmp_path / "out")
    assert "rejected: missing_counterpart  2" in done(result)
    assert "boy: 2 pictures left out: missing_counterpart" in caplog.text
    assert [row.pair_id for row in read_rows(tmp_path / "out/aligned.jsonl", AlignedPair)] == [
        f"boy/0000{n}" for n in (1, 4, 5)
    ]
    assert [(row.rgb, row.tir) for row in read_rows(tmp_path / "out/rejects.jsonl", Reject)] == [
        ("trainingset/boy/visible/v00002.jpg", None),
        (None, "trainingset/boy/infrared/i00003.jpg"),
    ]


def test_order_against_numbers_is_told_in_the_table_the_summary_and_the_page(
    tmp_path: Path, prep: Run, drawn: None, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"walk/{side}.jpg" for side in ("visible/00000v", "visible/00002v", "infrared/00001i", "infrared/00003i")]
    root = draw_files(tmp_path / "RGBT234", *names)
    result = prep("align", "--root", root, "--out", tmp_path / "out")
    note = (
        "walk: paired by order: the numbers of visible names (00000v to 00002v) are not those of thermal ones "
        "(00001i to 00003i)"
    )
    assert note in done(result)
    assert note in caplog.text
    assert json.loads((tmp_path / "out/align.json").read_text())["notes"] == [note]
    assert note in (tmp_path / "out/report.html").read_text()


def test_work_that_an_earlier_version_finished_is_kept_and_told(
    tmp_path: Path, tree: Path, prep: Run, caplog: pytest.LogCaptureFixture
) -> None:
    words = ("align", "--root", tree, "--out", tmp_path / "out")
    done(prep(*words))
    done(prep(*words))
    assert "earlier version" not in caplog.text
    plan = json.loads((tmp_path / "out/plan.json").read_text())
    assert plan.pop("results") == 2
    (tmp_path / "out/plan.json").write_text(json.dumps(plan))
    done(prep(*words))
    assert "finished by an earlier version, for which drawings in both pictures were evidence" in caplog.text
    assert json.loads((tmp_path / "out/plan.json").read_text()) == plan
    caplog.clear()
    done(prep(*words, "--on-existing", "overwrite"))
    assert json.loads((tmp_path / "out/plan.json").read_text())["results"] == 2
    assert "earlier version" not in caplog.text


def test_two_names_of_one_setting_are_refused_and_either_works(tree: Path, prep: Run) -> None:
    words = ("align", "--root", tree, "--out", tree.parent / "out")
    told(
        prep(*words, "--layout", "flir", "--manifest", "kaist"),
        2,
        "--manifest kaist",
        "--layout flir",
        "give --manifest",
    )
    assert not (tree.parent / "out").exists()
    done(prep(*words, "--layout", "kaist"))
    done(prep(*words, "--manifest", "kaist", "--on-existing", "resume"))


def test_characters_of_patterns_in_folders_and_files_are_plain_letters(tmp_path: Path, prep: Run) -> None:
    sides = [f"set [0]/V*?/{side}/I[{n}]*.jpg" for side in ("visible", "infrared") for n in range(3)]
    root = draw_files(tmp_path / "data [x]*", *sides)
    aligned, shards = tmp_path / "aligned [?]", tmp_path / "shards [*]"
    words = ("align", "--root", root, "--out", aligned, "--manifest", "pairs")
    done(prep(*words, "--preview", 2))
    for _ in range(2):
        done(prep(*words, "--write-images"))
    ids = [row.pair_id for row in read_rows(aligned / "aligned.jsonl", AlignedPair)]
    assert ids == [f"set [0]/V*?/I[{n}]*" for n in range(3)]
    assert len(list((aligned / "images").rglob("I*"))) == 6
    for _ in range(2):
        done(prep("mine", "--aligned", aligned, "--out", shards, "--method", "center"))
    assert "1 shards, 3 pairs" in done(prep("verify", shards, "--deep"))


def test_a_range_the_wrong_way_round_is_refused(tmp_path: Path, tree: Path, prep: Run) -> None:
    told(
        prep("align", "--root", tree, "--out", tmp_path / "out", "--tir-range", "9,1"), 2, "tir_range", "LOW below HIGH"
    )
    assert not (tmp_path / "out").exists()


def test_a_range_of_raw_values_is_told_to_do_nothing_where_there_are_none(
    prep: Run, tree: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = ("align", "--root", tree, "--out", tree.parent / "out", "--model", "identity", "--min-score", 0)
    line = "the thermal pictures have 8 bits, on which --tir-range has no effect"
    done(prep(*words, "--preview", 2))
    assert line not in caplog.messages
    done(prep(*words, "--preview", 2, "--tir-range", "5,9"))
    assert line in caplog.messages
