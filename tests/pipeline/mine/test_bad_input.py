"""`cmd-prep mine` on input that is missing, damaged or hostile: one line and an exit code, or a recorded reject."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline import images
from pipeline.detect.boxes_file import BoxesDetector
from pipeline.mine import shard_task
from pipeline.records import MAX_LINE, AlignedPair, Reject, read_rows

from ...conftest import Data, Run, done, draw_pair, told


def mine(prep: Run, data: Data, *words: object, method: str = "center"):  # type: ignore[no-untyped-def]
    return prep("mine", "--aligned", data.aligned, "--method", method, "--out", data.root.parent / "shards", *words)


def rejects(data: Data) -> dict[str, tuple[str, str]]:
    rows = read_rows(data.root.parent / "shards/rejects.jsonl", Reject)
    return {row.pair_id: (row.reason, row.detail) for row in rows}


def broken(whole: bytes) -> dict[str, bytes]:
    rgb, _ = draw_pair(9, (80, 64))
    return {
        "empty": b"",
        "text": b"these are words, not pixels\n" * 30,
        "half": whole[: len(whole) // 2],
        "other size": images.encode(rgb[..., 0].copy(), ".jpg"),
    }


@pytest.mark.parametrize("side", ["rgb", "tir"])
@pytest.mark.parametrize("patch_size", [0, 100])
@pytest.mark.parametrize("fault", ["gone", "empty", "text", "half", "other size", "folder", "pipe", "terabyte"])
def test_a_picture_that_changed_since_align_is_a_reject_and_the_rest_is_mined(
    data: Data, prep: Run, side: str, fault: str, patch_size: int
) -> None:
    path = data.root / getattr(data.rows[2], side)
    content = broken(path.read_bytes())
    path.unlink()
    match fault:
        case "gone":
            pass
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "terabyte":
            path.touch()
            os.truncate(path, 2**40)
        case _:
            path.write_bytes(content[fault])
    done(mine(prep, data, "--patch-size", patch_size))
    ((name, (reason, detail)),) = rejects(data).items()
    assert (name, reason) == ("seq0/2", "decode")
    assert path.name in detail
    done(prep("verify", data.root.parent / "shards", "--deep"))


def test_more_rejects_than_allowed_end_with_1_and_what_was_kept_is_complete(data: Data, prep: Run) -> None:
    (data.root / data.rows[0].rgb).unlink()
    told(mine(prep, data, "--max-reject-ratio", 0.1), 1, "17%", "--max-reject-ratio 0.1", "rejects.jsonl")
    assert "5 pairs" in done(prep("verify", data.root.parent / "shards", "--deep"))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{half a row", "aligned.jsonl:7: row: Invalid JSON"),
        ("[]", "aligned.jsonl:7: "),
        (" " * (MAX_LINE + 1), "aligned.jsonl:7: line is longer than 1000000 bytes"),
        ({"rgb": "../../etc/passwd"}, "aligned.jsonl:7: rgb: Value error, path '../../etc/passwd' leaves"),
        ({"tir": "/etc/passwd"}, "aligned.jsonl:7: tir: "),
        ({"homography": [1, 0, 0]}, "aligned.jsonl:7: homography"),
        ({"colour": "red"}, "aligned.jsonl:7: colour: Extra inputs"),
        ({}, "two rows for pair seq0/0"),
    ],
)
def test_a_row_that_does_not_fit_is_named_before_any_work(
    data: Data, prep: Run, line: str | dict[str, object], fault: str
) -> None:
    text = line if isinstance(line, str) else json.dumps(data.rows[0].model_dump(mode="json") | line)
    with (data.aligned / "aligned.jsonl").open("a") as file:
        file.write(text + "\n")
    told(mine(prep, data), 3, fault)
    assert not list((data.root.parent / "shards").glob("shard-*"))


def test_a_link_out_of_the_root_is_refused(data: Data, prep: Run) -> None:
    path = data.root / data.rows[0].rgb
    path.rename(data.root.parent / "outside.jpg")
    path.symlink_to(data.root.parent / "outside.jpg")
    told(mine(prep, data), 3, str(path), "leads out of")


def test_input_that_is_not_there_is_named(data: Data, prep: Run) -> None:
    told(prep("mine", "--aligned", data.root, "--method", "center", "--out", data.root / "o"), 3, "cmd-prep align")
    summary = data.aligned / "align.json"
    summary.write_text(json.dumps({"root": str(data.root / "moved")}))
    told(mine(prep, data), 3, "moved: the data set is not there", "--root")
    done(mine(prep, data, "--root", data.root))
    summary.write_text("{}")
    told(mine(prep, data), 3, "align.json does not name the data set's folder")
    data.rewrite([])
    told(mine(prep, data, "--on-existing", "overwrite"), 3, "holds no aligned pair")


def test_an_output_that_cannot_be_written_or_is_the_input_is_refused(data: Data, prep: Run) -> None:
    (data.root / "file").write_text("")
    words = ("mine", "--aligned", data.aligned, "--method", "center", "--on-existing", "overwrite", "--out")
    told(prep(*words, data.root / "file/shards"), 2, "cannot write to", "file/shards", "--out")
    told(prep(*words, data.root / "file"), 2, "file")
    told(prep(*words, data.aligned), 2, "the folder of --aligned")
    assert len(list(read_rows(data.aligned / "aligned.jsonl", AlignedPair))) == 6


def test_missing_weights_are_named_with_how_to_get_them_and_do_not_bind_the_next_run(data: Data, prep: Run) -> None:
    told(mine(prep, data, method="detection"), 2, "needs a weights file", "download yolov8n.pt", "--weights PATH")
    gone = data.root / "gone.pt"
    told(mine(prep, data, "--weights", gone, method="detection"), 2, f"no such weights file: {gone}", "yolov8n.pt")
    words = ("--detector", "faster-rcnn", "--weights", gone)
    told(mine(prep, data, *words, method="detection"), 2, f"no such weights file: {gone}")
    assert not gone.exists()
    assert not (data.root.parent / "shards").exists(), "a folder is left"
    done(mine(prep, data))


def test_missing_or_malformed_detections_are_named(data: Data, prep: Run) -> None:
    boxes = ("--detector", "boxes")
    told(mine(prep, data, *boxes, method="detection"), 2, "needs --detections FILE|DIR")
    path = data.root / "boxes.jsonl"
    told(mine(prep, data, *boxes, "--detections", path, method="detection"), 2, f"no such file or folder: {path}")
    path.write_text('{"pair_id": "seq0/0", "boxes": [[1, 2, 3]]}\n')
    told(mine(prep, data, *boxes, "--detections", path, method="detection"), 3, f"{path}:1: boxes.0")


@pytest.mark.slow
def test_an_error_in_a_worker_process_is_the_same_one_line(data: Data, prep: Run) -> None:
    words = ("--detector", "boxes", "--workers", 2, "--pairs-per-shard", 1)
    told(mine(prep, data, *words, method="detection"), 2, "needs --detections FILE|DIR")


def test_a_shard_that_cannot_be_written_ends_with_4_and_a_rerun_goes_on(data: Data, prep: Run) -> None:
    blocked: Path = data.root.parent / "shards/shard-00001.h5"
    blocked.mkdir(parents=True)
    (blocked / "x").touch()
    told(mine(prep, data, "--pairs-per-shard", 2), 4, "shard-00001.h5")
    kept = (data.root.parent / "shards/shard-00000.h5").stat().st_mtime_ns
    (blocked / "x").unlink()
    blocked.rmdir()
    done(mine(prep, data, "--pairs-per-shard", 2))
    assert (data.root.parent / "shards/shard-00000.h5").stat().st_mtime_ns == kept
    done(prep("verify", data.root.parent / "shards", "--deep"))


def refused() -> None:
    """What OpenCV says of a side that would vanish when it is halved."""
    cv2.resize(np.zeros((1, 9), np.uint8), None, fx=0.5, fy=0.5)


@pytest.mark.parametrize("at", ["resampled", "cut", "looked at"])
def test_a_picture_that_opencv_refuses_is_a_reject_and_the_rest_is_mined(
    data: Data, prep: Run, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others of its batch too, of which a detector takes several at once."""
    odd = data.rows[2]
    whole = images.decode_rgb((data.root / odd.rgb).read_bytes(), odd.rgb)

    def refuse(work: Any, concerns: Any) -> Any:
        return lambda *given: refused() if concerns(*given) else work(*given)

    warp, cut, detect = images.warp_to_rgb, shard_task.cut, BoxesDetector.detect

    def shows_it(picture: Any, *_: object) -> bool:
        return np.array_equal(picture, whole)

    matter: dict[str, tuple[Any, str, Any]] = {
        "resampled": (images, "warp_to_rgb", refuse(warp, lambda _, matrix, __: matrix[0, 2] == odd.homography[2])),
        "cut": (shard_task, "cut", refuse(cut, shows_it)),
        "looked at": (BoxesDetector, "detect", refuse(detect, lambda _, __, names: odd.pair_id in names)),
    }
    monkeypatch.setattr(*matter[at])
    monkeypatch.setattr(BoxesDetector, "batch_size", 4)
    rows = [row for row in data.rows if row.pair_id != "seq1/5"]
    data.rewrite(rows)
    found = data.root / "boxes.jsonl"
    found.write_text("".join(json.dumps({"pair_id": row.pair_id, "boxes": [[30, 20, 40, 40]]}) + "\n" for row in rows))
    done(mine(prep, data, "--detector", "boxes", "--detections", found, method="detection"))
    ((name, (reason, detail)),) = rejects(data).items()
    assert (name, reason) == (odd.pair_id, "decode")
    assert detail.endswith("OpenCV cannot work on it: !dsize.empty()")
    assert "4 pairs, 4 patches: sound" in done(prep("verify", data.root.parent / "shards"))
