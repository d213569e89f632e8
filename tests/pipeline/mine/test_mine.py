"""`cmd-prep mine`: the shards' content against the pairs it came from, determinism, resume and refusals."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest

from pipeline import boxes, images, mine
from pipeline.detect.boxes_file import BoxesDetector
from pipeline.errors import DataError
from pipeline.mine import MineConfig
from pipeline.mine.result import result_of
from pipeline.records import AlignedPair, Reject, read_rows
from pipeline.shards.reader import ShardReader

from ...conftest import IDENTITY, SIZE, Data, Run, done, draw_pair, lasting, told

VERBATIM = {"seq0/0", "seq1/1"}
"""Pairs of the tests' data whose TIR picture is not resampled."""


def everything(folder: Path) -> dict[str, bytes]:
    """What a folder of shards holds that must not depend on how it was made."""
    names = [path for path in sorted(folder.iterdir()) if path.suffix in (".h5", ".json", ".jsonl")]
    return {path.name: lasting(path) for path in names}


@pytest.mark.parametrize("method", ["center", "random", "detection"])
def test_bytes_are_verbatim_unless_warped_and_the_matrix_is_the_one_applied(
    mined: dict[str, Path], method: str
) -> None:
    rows = {row.pair_id: row for row in read_rows(mined["aligned"] / "aligned.jsonl", AlignedPair)}
    root = mined["aligned"].parent / "data"
    seen = []
    for path in sorted(mined[method].glob("*.h5")):
        reader = ShardReader(path)
        for i, name in enumerate(reader.ids()):
            row, seen = rows[name], [*seen, name]
            matrix = np.reshape(row.homography, (3, 3))
            tir = (root / row.tir).read_bytes()
            assert reader.encoded("rgb", i) == (root / row.rgb).read_bytes()
            assert (reader.encoded("tir", i) == tir) == (name in VERBATIM)
            assert np.array_equal(reader.file["pairs/homography"][i], matrix)
            assert np.allclose(reader.file["pairs/valid"][i], boxes.footprint(matrix, *row.tir_size), atol=1e-4)
            expected = images.warp_to_rgb(images.decode_tir(tir, name, row.tir_range), matrix, row.rgb_size)
            assert np.abs(reader.tir(i).astype(int) - expected).mean() < 1.5
    assert seen == sorted(rows)


@pytest.mark.parametrize("method", ["center", "random", "detection"])
def test_boxes_lie_where_both_cameras_see_and_the_tight_patches_are_what_they_cut(
    mined: dict[str, Path], method: str
) -> None:
    for path in sorted(mined[method].glob("*.h5")):
        with h5py.File(path) as file:
            owner, box = file["patches/pair"][:], file["patches/box"][:].astype(np.float64)
            assert file.attrs["method"] == method
            assert file.attrs["detector"] == ("boxes" if method == "detection" else "")
            for b, quad in zip(box, file["pairs/valid"][:][owner]):
                assert boxes.coverage(b, quad) >= 0.95 - 1e-3
                assert np.allclose(boxes.clip(b, *SIZE), b, atol=1e-3)
            assert file["patches/rgb"].shape[1:] == (100, 100, 3)
            scores, classes = set(file["patches/score"][:].tolist()), set(file["patches/class"][:].tolist())
            assert (scores, classes) == ({1}, {0, 2} if method == "detection" else {-1})
            for pair in np.unique(owner) if method == "random" else ():
                own = box[owner == pair]
                assert 2 <= len(own) <= 5
                overlaps = boxes.iou(own[:, None], own[None, :])[np.triu_indices(len(own), 1)]
                assert (overlaps <= 0.1 + 1e-5).all()
                assert np.allclose(own[:, 2:], np.array(SIZE) / 6, atol=1e-3)
        reader = ShardReader(path)
        for row, (pair, b) in enumerate(zip(owner, box)):
            for picture, tight in ((reader.rgb(pair), "rgb"), (reader.tir(pair), "tir")):
                x, y, w, h = b
                whole = cv2.getRectSubPix(picture, (1, 1), (x + w / 2 - 0.5, y + h / 2 - 0.5)).ravel().astype(int)
                middle = reader.file[f"patches/{tight}"][row][49:51, 49:51].reshape(4, -1).mean(axis=0)
                assert np.abs(middle - whole).max() < 40


def test_lossless_encoding_and_no_tight_patches(data: Data, prep: Run, tmp_path: Path) -> None:
    words = ("--aligned", data.aligned, "--method", "center", "--warped-format", "png", "--patch-size", 0)
    done(prep("mine", *words, "--out", tmp_path / "s"))
    reader = ShardReader(tmp_path / "s/shard-00000.h5")
    assert "patches/rgb" not in reader.file
    row = next(row for row in data.rows if row.pair_id == "seq0/2")
    tir = images.decode_tir((data.root / row.tir).read_bytes(), "t")
    exact = images.warp_to_rgb(tir, np.reshape(row.homography, (3, 3)), row.rgb_size)
    assert np.array_equal(reader.tir(reader.ids().index("seq0/2")), exact)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("method", ["random", "detection"])
def test_neither_the_order_of_rows_nor_the_workers_change_a_byte(
    mined: dict[str, Path], data: Data, prep: Run, method: str, workers: int
) -> None:
    data.rewrite(list(reversed(data.rows)))
    found = mined["aligned"].parent / "boxes.jsonl"
    detector = ("--detector", "boxes", "--detections", found) if method == "detection" else ()
    words = ("--aligned", data.aligned, "--method", method, "--pairs-per-shard", 4, "--workers", workers)
    done(prep("mine", *words, *detector, "--out", data.root / "again"))
    for name in ("shard-00000.h5", "shard-00001.h5", "shard-00000.stats.json", "rejects.jsonl"):
        assert (data.root / "again" / name).read_bytes() == (mined[method] / name).read_bytes()


def test_two_workers_and_a_comma_in_a_name_change_nothing(data: Data, prep: Run) -> None:
    """Ids that agree up to a comma must still have one order."""
    rows = [row.model_copy(update={"pair_id": f"a,{row.pair_id}"}) for row in data.rows]
    made = []
    for workers, order in ((1, rows), (2, rows[::-1])):
        data.rewrite(order)
        out = data.root / f"out-{workers}"
        words = ("--method", "random", "--pairs-per-shard", 3, "--workers", workers)
        done(prep("mine", "--aligned", data.aligned, *words, "--out", out))
        made.append(
            {name: content for name, content in everything(out).items() if name.endswith((".h5", ".stats.json"))}
        )
    assert made[0] == made[1]
    assert len(made[0]) == 4


def test_the_size_of_a_shard_does_not_change_what_is_drawn(data: Data, mined: dict[str, Path]) -> None:
    config = {"aligned": data.aligned, "out": data.root / "one", "method": "random", "pairs_per_shard": 100}
    mine.run(MineConfig.model_validate(config))
    parts = [ShardReader(path).array("patches/box") for path in sorted(mined["random"].glob("*.h5"))]
    whole = ShardReader(data.root / "one/shard-00000.h5").array("patches/box")
    assert np.array_equal(np.concatenate(parts), whole)


def test_resume_makes_what_is_missing_and_gives_the_same_bytes(
    data: Data, prep: Run, tmp_path: Path, mined: dict[str, Path]
) -> None:
    out = tmp_path / "shards"
    words = ("mine", "--aligned", data.aligned, "--method", "center", "--pairs-per-shard", 2, "--out", out)
    done(prep(*words))
    before = everything(out)
    stamp = (out / "shard-00000.h5").stat().st_mtime_ns
    (out / "shard-00001.stats.json").unlink()
    (out / "shard-00002.h5").write_bytes(before["shard-00002.h5"][:-7])
    (out / "shard-00002.h5.part").write_bytes(b"half")
    (out / "index.json").unlink()
    done(prep(*words))
    assert everything(out) == before
    assert (out / "shard-00000.h5").stat().st_mtime_ns == stamp, "a finished shard was made again"


def test_other_settings_or_input_are_refused_naming_what_differs(data: Data, prep: Run, tmp_path: Path) -> None:
    words = ("mine", "--aligned", data.aligned, "--method", "random", "--out", tmp_path / "s")
    done(prep(*words))
    before = everything(tmp_path / "s")
    told(prep(*words, "--seed", 1), 2, "recipe.seed: 0 -> 1", "--on-existing overwrite")
    told(prep(*words, "--on-existing", "fail"), 2, "already holds")
    told(prep("mine", "--aligned", data.aligned, "--method", "center", "--out", tmp_path / "s"), 2, "recipe.method")
    data.rewrite(list(data.rows[1:]))
    told(prep(*words), 2, "aligned_sha256")
    assert everything(tmp_path / "s") == before
    done(prep(*words, "--seed", 1, "--on-existing", "overwrite"))
    index = json.loads((tmp_path / "s/index.json").read_text())
    assert (index["settings"]["seed"], index["totals"]["pairs"]) == (1, 5)


def test_the_index_counts_what_the_shards_hold(mined: dict[str, Path]) -> None:
    for method, classes in (("center", {"-1": 6}), ("detection", {"0": 6, "2": 6})):
        index = json.loads((mined[method] / "index.json").read_text())
        assert index["totals"]["pairs"] == index["totals"]["pairs_in"] == 6
        assert index["totals"]["classes"] == classes
        assert sum(shard["bytes"] for shard in index["shards"]) == index["totals"]["bytes"]
        assert index["settings"]["method"] == method


def test_where_nothing_is_found_a_random_patch_stands_in_or_the_pair_is_left_out(data: Data, prep: Run) -> None:
    found = data.root / "boxes.jsonl"
    found.write_text(json.dumps({"pair_id": "seq0/0", "boxes": [[20, 20, 40, 40]], "classes": [3]}) + "\n")
    base = ("mine", "--aligned", data.aligned, "--method", "detection", "--detector", "boxes", "--detections", found)
    done(prep(*base, "--out", data.root / "random"))
    with h5py.File(data.root / "random/shard-00000.h5") as file:
        assert file["patches/class"][:].tolist() == [3, -1, -1, -1, -1, -1]
    told(prep(*base, "--fallback", "skip", "--out", data.root / "skip"), 1, "83%", "--max-reject-ratio 0.5")
    rejects = list(read_rows(data.root / "skip/rejects.jsonl", Reject))
    assert [(row.pair_id, row.reason, row.stage) for row in rejects] == [
        (name, "no_detection", "mine") for name in ("seq0/2", "seq0/4", "seq1/1", "seq1/3", "seq1/5")
    ]
    with h5py.File(data.root / "skip/shard-00000.h5") as file:
        assert file["pairs/id"][:].tolist() == [b"seq0/0"]
    shutil.rmtree(data.root / "skip")
    done(prep(*base, "--fallback", "skip", "--out", data.root / "skip", "--max-reject-ratio", 1))


def test_batches_that_are_read_ahead_change_neither_rejects_nor_shards(
    data: Data, prep: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rejects stay in the order of pairs, whichever thread found them."""
    (data.root / data.rows[2].rgb).unlink()
    found = data.root / "boxes.jsonl"
    boxes = [{"pair_id": row.pair_id, "boxes": [[20, 20, 40, 40]]} for row in data.rows[::3]]
    found.write_text("".join(json.dumps(row) + "\n" for row in boxes))
    words = ("--aligned", data.aligned, "--method", "detection", "--detector", "boxes", "--detections", found)
    made = []
    for size in (1, 2, 8):
        out = data.root / f"out-{size}"
        monkeypatch.setattr(BoxesDetector, "batch_size", size)
        done(prep("mine", *words, "--fallback", "skip", "--max-reject-ratio", 1, "--out", out))
        made.append([(out / name).read_bytes() for name in ("shard-00000.h5", "rejects.jsonl")])
        rejects = [(row.pair_id, row.reason) for row in read_rows(out / "rejects.jsonl", Reject)]
        assert sorted(rejects) == rejects
        assert {reason for _, reason in rejects} == {"decode", "no_detection"}
    assert made[0] == made[1] == made[2]


def test_boxes_outside_the_thermal_footprint_are_dropped_and_recorded(data: Data, prep: Run) -> None:
    moved = data.rows[0].model_copy(update={"homography": (1.0, 0, 80.0, 0, 1.0, 0, 0, 0, 1.0)})
    data.rewrite([moved])
    found = data.root / "boxes.jsonl"
    found.write_text(json.dumps({"pair_id": moved.pair_id, "boxes": [[10, 20, 40, 40], [100, 20, 40, 40]]}) + "\n")
    words = ("--aligned", data.aligned, "--method", "detection", "--detector", "boxes", "--detections", found)
    done(prep("mine", *words, "--out", data.root / "s"))
    with h5py.File(data.root / "s/shard-00000.h5") as file:
        assert file["patches/box"][:].tolist() == [[100, 20, 40, 40]]
    (reject,) = read_rows(data.root / "s/rejects.jsonl", Reject)
    assert (reject.reason, reject.detail[:6]) == ("outside_tir", "1 of 2")


@pytest.mark.parametrize(
    ("ranges", "told"),
    [
        ((None, None), ["8-bit"]),
        (((1.0, 9.0), (1.0, 9.0)), [[1.0, 9.0]]),
        (((1.0, 9.0), (2.0, 9.0)), ["sequence"]),
        ((None, (2.0, 9.0)), ["8-bit", [2.0, 9.0]]),
    ],
)
def test_the_index_says_how_tir_became_eight_bits(data: Data, prep: Run, ranges: tuple[Any, ...], told: Any) -> None:
    for row, each in zip(data.rows, ranges):
        if each:
            deep = draw_pair(0)[1].astype(np.uint16)
            (data.root / row.tir).write_bytes(cv2.imencode(".png", deep)[1].tobytes())
    data.rewrite([row.model_copy(update={"tir_range": each}) for row, each in zip(data.rows, ranges)])
    done(prep("mine", "--aligned", data.aligned, "--method", "center", "--out", data.root / "s"))
    assert json.loads((data.root / "s/index.json").read_text())["source"]["tir_ranges"] == told


@pytest.mark.parametrize("there", [True, False])
def test_the_index_says_which_manifest_the_pairs_were_found_by(data: Data, prep: Run, there: bool) -> None:
    """By it training knows a sequence again, wherever the data set lies; without align.json nothing is made up."""
    summary = data.aligned / "align.json"
    content = json.loads(summary.read_text()) | {"manifest": "kaist"}
    summary.unlink()
    if there:
        summary.write_text(json.dumps(content))
    words = ("--aligned", data.aligned, "--root", data.root, "--method", "center", "--out", data.root / "s")
    done(prep("mine", *words))
    source = json.loads((data.root / "s/index.json").read_text())["source"]
    assert source.get("manifest") == ("kaist" if there else None)


@pytest.mark.parametrize(
    ("change", "key"), [({"pairs_in": None}, "pairs_in"), ({"pairs_in": 0}, "pairs_in"), ({"pairs": "many"}, "pairs")]
)
def test_totals_that_were_altered_are_named(tmp_path: Path, change: dict[str, object], key: str) -> None:
    totals = {"pairs_in": 6, "pairs": 5, "patches": 5, "bytes": 9, "classes": {}, "rejects": {}}
    assert result_of(tmp_path, totals, 1.0).rejected_ratio == pytest.approx(1 / 6)
    for altered in (totals | change, {name: value for name, value in totals.items() if name != key}):
        with pytest.raises(DataError, match=rf"index\.json: totals\.{key}: .*mine again"):
            result_of(tmp_path, altered, 1.0)


def test_a_zero_keeps_its_sign_whatever_pair_came_before(data: Data, prep: Run) -> None:
    """Or shards would depend on which of them a process made first."""
    zeros = (IDENTITY, tuple(value or -0.0 for value in IDENTITY))
    rows = [row.model_copy(update={"homography": zero}) for row, zero in zip(data.rows, (*zeros, *zeros[::-1]))]
    data.rewrite(rows)
    done(prep("mine", "--aligned", data.aligned, "--method", "center", "--out", data.root / "s"))
    (path,) = (data.root / "s").glob("*.h5")
    with h5py.File(path) as file:
        stored = {name.decode(): matrix for name, matrix in zip(file["pairs/id"], file["pairs/homography"])}
    for row in rows:
        assert np.array_equal(np.signbit(stored[row.pair_id]).ravel(), np.signbit(row.homography)), row.pair_id


def test_the_result_says_what_the_index_says(data: Data) -> None:
    (data.root / data.rows[2].rgb).unlink()
    result = mine.run(MineConfig(aligned=data.aligned, out=data.root / "s", method="center", pairs_per_shard=4))
    totals = json.loads(result.index.read_text())["totals"]
    assert (result.pairs_in, result.pairs, result.patches, result.rejects) == (6, 5, 5, {"decode": 1})
    for name in ("pairs_in", "pairs", "patches", "bytes", "classes", "rejects"):
        assert getattr(result, name) == totals[name]
    assert result.rejected_ratio == pytest.approx(1 / 6)
    assert result.seconds > 0
