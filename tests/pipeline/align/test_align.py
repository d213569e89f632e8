"""`cmd-prep align` around the registration: what is kept, rejected, resumed and refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline import images
from pipeline.align import stage
from pipeline.records import AlignedPair, Reject, read_rows

from ...conftest import SIZE, Run, done, draw_pair, draw_tree, told

pytestmark = pytest.mark.usefixtures("registered")


def align(prep: Run, root: Path, *words: object):  # type: ignore[no-untyped-def]
    return prep("align", "--root", root, "--out", root.parent / "out", "--manifest", "kaist", *words)


def written(root: Path) -> tuple[list[AlignedPair], list[Reject], dict[str, Any]]:
    out = root.parent / "out"
    rows = list(read_rows(out / "aligned.jsonl", AlignedPair)), list(read_rows(out / "rejects.jsonl", Reject))
    return *rows, json.loads((out / "align.json").read_text())


def test_every_pair_has_a_row_in_natural_order_and_the_summary_counts_them(tree: Path, prep: Run) -> None:
    text = done(align(prep, tree))
    rows, rejects, summary = written(tree)
    assert [row.pair_id for row in rows] == [f"set00/V00{s}/I0000{f}" for s in (0, 1) for f in (0, 1, 2)]
    assert rejects == []
    first = rows[0]
    assert (first.rgb, first.tir) == ("set00/V000/visible/I00000.jpg", "set00/V000/lwir/I00000.jpg")
    assert (first.rgb_size, first.tir_size, first.score, first.model) == (SIZE, SIZE, 0.9, "identity")
    assert (summary["pairs_in"], summary["aligned"], summary["rejected_ratio"]) == (6, 6, 0)
    assert summary["root"] == str(tree.resolve())
    assert not (tree.parent / "out/parts").exists()
    assert "pairs in" in text


def test_damaged_pictures_become_rejects_with_a_reason_and_nothing_else_is_lost(tree: Path, prep: Run) -> None:
    visible, lwir = tree / "set00/V000/visible", tree / "set00/V001/lwir"
    whole = (visible / "I00000.jpg").read_bytes()
    (visible / "I00000.jpg").write_bytes(whole[: len(whole) // 2])
    (visible / "I00001.jpg").write_bytes(b"")
    (visible / "I00002.jpg").unlink()
    (lwir / "I00001.jpg").write_text("a text file by the name of .jpg\n" * 9)
    told(align(prep, tree), 1, "67% of the pairs were rejected", "--max-reject-ratio 0.5")
    rows, rejects, summary = written(tree)
    assert [row.pair_id for row in rows] == ["set00/V001/I00000", "set00/V001/I00002"]
    assert {row.pair_id[-11:]: row.reason for row in rejects} == {
        "V000/I00000": "decode",
        "V000/I00001": "decode",
        "V000/I00002": "missing_counterpart",
        "V001/I00001": "decode",
    }
    details = {row.pair_id[-11:]: row.detail for row in rejects}
    for name, part in (("V000/I00000", "truncated"), ("V000/I00001", "empty"), ("V001/I00001", "not a picture")):
        assert part in details[name]
    lone = next(row for row in rejects if row.reason == "missing_counterpart")
    assert (lone.rgb, lone.tir) == (None, "set00/V000/lwir/I00002.jpg")
    assert summary["reasons"] == {"decode": 3, "missing_counterpart": 1}
    done(align(prep, tree, "--max-reject-ratio", 1))


def test_16_bit_thermal_pictures_take_the_range_of_their_sequence(tree: Path, prep: Run) -> None:
    for frame in range(3):
        path = tree / f"set00/V000/lwir/I0000{frame}.jpg"
        path.unlink()
        raw = draw_pair(frame)[1].astype(np.uint16) * 10 + 5000 + 1000 * frame
        cv2.imwrite(str(path.with_suffix(".png")), raw)
    done(align(prep, tree))
    rows, _, _ = written(tree)
    ranges = [row.tir_range for row in rows]
    assert ranges[0] is not None
    assert 5000 < ranges[0][0] < ranges[0][1] < 5000 + 2000 + 2560
    assert ranges == [ranges[0]] * 3 + [None] * 3
    done(align(prep, tree, "--tir-range", "5000,9000", "--on-existing", "overwrite"))
    assert [row.tir_range for row in written(tree)[0]] == [(5000, 9000)] * 3 + [None] * 3


def test_one_channel_rgb_and_pictures_of_two_sizes_are_kept(tree: Path, prep: Run) -> None:
    rgb, tir = draw_pair(0)
    (tree / "set00/V000/visible/I00000.jpg").write_bytes(images.encode(rgb[..., 1], ".jpg"))
    small = cv2.resize(tir, (80, 64)).astype(np.uint8)
    (tree / "set00/V000/lwir/I00001.jpg").write_bytes(images.encode(small, ".jpg"))
    done(align(prep, tree))
    rows, rejects, _ = written(tree)
    assert len(rows) == 6
    assert rejects == []
    assert (rows[1].rgb_size, rows[1].tir_size) == (SIZE, (80, 64))


@pytest.mark.parametrize("fault", ["missing", "empty", "pictures without folders", "one side only"])
def test_a_root_with_no_pairs_is_named(tmp_path: Path, prep: Run, fault: str) -> None:
    root = tmp_path / "data"
    if fault != "missing":
        root.mkdir()
    if fault == "pictures without folders":
        (root / "a.jpg").write_bytes(images.encode(draw_pair(0)[0], ".jpg"))
    if fault == "one side only":
        shutil.rmtree(draw_tree(root, 1, 1) / "set00/V000/lwir")
    told(align(prep, root), 3, str(root))
    told(prep("align", "--root", root, "--out", tmp_path / "out"), 3, str(root))
    assert not (tmp_path / "out/aligned.jsonl").exists()


def test_an_output_that_cannot_be_written_is_named(tree: Path, prep: Run) -> None:
    (tree / "file").write_text("")
    told(prep("align", "--root", tree, "--out", tree / "file/out"), 2, "cannot write to", "file/out")


def test_a_finished_run_is_kept_and_other_settings_or_files_are_refused(
    tree: Path, prep: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(align(prep, tree))
    before = (tree.parent / "out/aligned.jsonl").stat().st_mtime_ns
    monkeypatch.setattr("pipeline.align.stage._work", lambda *what: pytest.fail("worked again"))
    done(align(prep, tree))
    told(align(prep, tree, "--min-score", 0.7), 2, "settings.min_score: 0.3 -> 0.7", "--on-existing overwrite")
    told(align(prep, tree, "--on-existing", "fail"), 2, "already holds")
    (tree / "set00/V000/lwir/I00000.jpg").unlink()
    told(align(prep, tree), 2, "files: ")
    assert (tree.parent / "out/aligned.jsonl").stat().st_mtime_ns == before


def test_an_interrupted_run_goes_on_where_it_was(tree: Path, prep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    done(align(prep, tree))
    whole = (tree.parent / "out/aligned.jsonl").read_bytes()
    shutil.rmtree(tree.parent / "out")
    chunk, calls = stage.align_chunk, []

    def interrupted(task: Any) -> int:
        calls.append(task.path.name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return chunk(task)

    monkeypatch.setattr("pipeline.align.stage.align_chunk", interrupted)
    told(align(prep, tree), 4, "interrupted: run the same command again to go on")
    done(align(prep, tree))
    assert calls == ["000000.jsonl", "000001.jsonl", "000001.jsonl"]
    assert (tree.parent / "out/aligned.jsonl").read_bytes() == whole


def test_a_preview_takes_pairs_from_all_over_and_leaves_the_run_alone(tree: Path, prep: Run) -> None:
    done(align(prep, tree, "--preview", 3))
    done(align(prep, tree, "--preview", 2))
    rows = list(read_rows(tree.parent / "out/preview/aligned.jsonl", AlignedPair))
    assert [row.pair_id for row in rows] == ["set00/V000/I00000", "set00/V001/I00002"]
    done(align(prep, tree))
    assert len(written(tree)[0]) == 6


@pytest.mark.parametrize(
    ("text", "code", "fault"),
    [
        (None, 2, "no such file"),
        ("{", 3, "not valid JSON"),
        ('{"cameras": {"a": {"homography": [1, 2]}}}', 3, "cameras.a.homography"),
        ('{"lenses": {}}', 3, "cameras: Field required"),
    ],
)
def test_known_matrices_that_cannot_be_read_are_named(
    tree: Path, prep: Run, text: str | None, code: int, fault: str
) -> None:
    path = tree.parent / "known.json"
    if text:
        path.write_text(text)
    told(align(prep, tree, "--homographies", path), code, str(path), fault)


def test_the_error_against_a_known_truth_is_in_pixels(tree: Path, prep: Run) -> None:
    """The registration says identity; where the truth is a shift by (3, 4) every corner is 5 pixels off."""
    frames = [{"frame": f"I0000{f}", "homography": [1, 0, 3, 0, 1, 4, 0, 0, 1]} for f in range(3)]
    truth = {"sequences": [{"sequence": f"set00/V00{s}", "frames": frames} for s in (0, 1)]}
    (tree / "truth.json").write_text(json.dumps(truth))
    done(align(prep, tree))
    assert written(tree)[2]["truth"] == {"pairs": 6, "median_px": 5.0, "p95_px": 5.0, "over_5px": 0.0}


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"sequences": [1]}', '{"sequences": [{"sequence": "a", "frames": [{}]}]}']
)
def test_a_truth_of_another_kind_costs_nobody_their_run(tree: Path, prep: Run, text: str) -> None:
    (tree / "truth.json").write_text(text)
    done(align(prep, tree))
    assert "truth" not in written(tree)[2]


def test_a_frame_of_another_depth_in_a_16_bit_sequence_is_a_reject_by_name(tree: Path, prep: Run) -> None:
    for frame in range(3):
        path = tree / f"set00/V000/lwir/I0000{frame}.jpg"
        path.unlink()
        depth = np.uint8 if frame == 1 else np.uint16
        cv2.imwrite(str(path.with_suffix(".png")), draw_pair(frame)[1].astype(depth))
    for words in ((), ("--tir-range", "0,300")):
        done(align(prep, tree, "--on-existing", "overwrite", *words))
        rows, (reject,), _ = written(tree)
        assert (reject.pair_id, reject.reason) == ("set00/V000/I00001", "decode")
        assert "set00/V000/lwir/I00001.png: 8-bit thermal picture in a sequence of raw values" in reject.detail
        assert [row.tir_range is not None for row in rows] == [True, True, False, False, False]
