"""`cmd-prep export`: what leaves is what is stored, and what is mined again from it is what was mined."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.shards import open_shards
from pipeline.shards.reader import ShardReader

from ...conftest import Data, Run, done, lasting, told

MINE = ("--method", "detection", "--detector", "boxes", "--patch-size", 0, "--max-reject-ratio", 1)


def mine_again(prep: Run, aligned: Path, detections: Path, out: Path, *more: object) -> Path:
    done(prep("mine", "--aligned", aligned, *MINE, "--detections", detections, "--out", out, *more))
    return out


def stored(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Pair -> name of the class, score, object and box of each patch."""
    shards = open_shards(folder)
    ids = [pair.pair_id for pair in shards.pairs]
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for patch in shards.patches:
        name = shards.index.class_names.get(patch.category, patch.category)
        rows.setdefault(ids[patch.pair], []).append((name, patch.score, patch.track, *patch.box.tolist()))
    return rows


def boxes(data: Data) -> Path:
    """Boxes with sides that are no whole numbers, a class that COCO has and one that it has not, and a bare pair."""
    path = data.root / "boxes.json"
    rng = np.random.default_rng(5)
    annotations = [
        {"image_id": n, "bbox": [20 + 60 * k + rng.random(), 20 + rng.random(), 17 + 9 * rng.random(), 30.3]}
        | {"category_id": k + 1, "score": float(rng.uniform(0.5, 1)), "track_id": 10 + k}
        for n in range(len(data.rows) - 1)
        for k in range(2)
    ]
    names = [{"id": 1, "name": "person"}, {"id": 2, "name": "cool box"}]
    pictures = [{"id": n, "file_name": f"{row.pair_id}.jpg"} for n, row in enumerate(data.rows)]
    path.write_text(json.dumps({"images": pictures, "categories": names, "annotations": annotations}))
    return path


@pytest.mark.parametrize(
    ("words", "detections", "objects"),
    [
        (("--format", "coco"), "rgb.json", True),
        (("--format", "coco"), "tir.json", True),
        (("--format", "yolo", "--scores"), "rgb/labels", False),
        (("--format", "yolo", "--scores"), "tir/labels", False),
    ],
)
def test_what_is_mined_from_an_export_is_what_was_mined(
    data: Data, prep: Run, words: tuple[str, ...], detections: str, objects: bool
) -> None:
    first = mine_again(prep, data.aligned, boxes(data), data.root / "s")
    out = data.root / "export"
    table = done(prep("export", first, *words, "--out", out))
    assert f"class cool box ({80 if detections.endswith('labels') else 91})" in table
    assert re.search(r"left out: no class +1\n", table)
    expected = stored(first)
    again = stored(mine_again(prep, data.aligned, out / detections, data.root / "again"))
    assert again.keys() == expected.keys()
    for pair, rows in expected.items():
        for was, now in zip(sorted(rows, key=str), sorted(again[pair], key=str), strict=True):
            assert now[:2] == was[:2]
            assert now[2] == (was[2] if objects else -1)
            np.testing.assert_allclose(now[3:], was[3:], atol=1e-3)


def test_folders_keep_what_has_no_class(mined: dict[str, Path], prep: Run, tmp_path: Path) -> None:
    done(prep("export", mined["random"], "--format", "folders", "--out", tmp_path / "e"))
    again = mine_again(prep, mined["aligned"], tmp_path / "e/boxes.jsonl", tmp_path / "again")
    assert {pair: sorted(rows) for pair, rows in stored(again).items()} == {
        pair: sorted(rows) for pair, rows in stored(mined["random"]).items()
    }


@pytest.mark.parametrize(("name", "below"), [("coco", ""), ("yolo", "images"), ("folders", "")])
def test_pictures_are_the_bytes_of_the_shard_under_the_ids_of_their_pairs(
    mined: dict[str, Path], prep: Run, tmp_path: Path, name: str, below: str
) -> None:
    done(prep("export", mined["detection"], "--format", name, "--out", tmp_path / "e"))
    found = {}
    for shard in sorted(mined["detection"].glob("shard-*.h5")):
        reader = ShardReader(shard)
        for number, pair in enumerate(reader.ids()):
            for modality in ("rgb", "tir"):
                data = reader.encoded(modality, number)
                suffix = ".png" if data[1:4] == b"PNG" else ".jpg"
                found[Path(modality, below, pair + suffix)] = data
    written = [*(tmp_path / "e").glob("rgb/**/*.[jp][pn]g"), *(tmp_path / "e").glob("tir/**/*.[jp][pn]g")]
    assert {path.relative_to(tmp_path / "e"): path.read_bytes() for path in written} == found
    assert len(found) == 12


def test_a_coco_file_has_published_ids_names_sizes_and_the_licence(
    mined: dict[str, Path], prep: Run, tmp_path: Path
) -> None:
    shards = shutil.copytree(mined["detection"], tmp_path / "s")
    index = json.loads((shards / "index.json").read_text())
    index["source"]["manifest"] = "kaist"
    (shards / "index.json").write_text(json.dumps(index))
    assert "licence" in done(prep("export", shards, "--format", "coco", "--out", tmp_path / "e"))
    for modality in ("rgb", "tir"):
        content = json.loads((tmp_path / f"e/{modality}.json").read_text())
        assert content["categories"] == [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}]
        assert content["licenses"] == [{"id": 1, "name": "CC BY-NC-SA 4.0"}]
        assert [(image["width"], image["height"]) for image in content["images"]] == [(160, 128)] * 6
        assert all((tmp_path / "e" / image["file_name"]).is_file() for image in content["images"])
        assert {image["file_name"].split("/")[0] for image in content["images"]} == {modality}
        assert content["annotations"][0].items() >= {"bbox": [40, 30, 50, 40], "area": 2000, "iscrowd": 0}.items()
    assert json.loads((tmp_path / "e/export.json").read_text())["manifest"] == "kaist"


def test_yolo_text_has_five_numbers_and_every_class_a_name(mined: dict[str, Path], prep: Run, tmp_path: Path) -> None:
    done(prep("export", mined["detection"], "--format", "yolo", "--out", tmp_path / "e"))
    lines = (tmp_path / "e/tir/labels/seq0/0.txt").read_text().splitlines()
    assert [float(word) for word in lines[0].split()] == [0, 65 / 160, 50 / 128, 50 / 160, 40 / 128]
    assert [line.split()[0] for line in lines] == ["0", "2"]
    listed = (tmp_path / "e/tir/data.yaml").read_text()
    assert '  0: "person"\n' in listed
    assert '  79: "toothbrush"\n' in listed


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("coco", [3, 10, 11]), ("yolo", [2, 9, 10]), ("folders", [2, 9, 10])],
    ids=str,
)
def test_classes_stand_under_the_numbers_of_the_files_in_their_order(
    data: Data, prep: Run, name: str, numbers: list[int]
) -> None:
    rows = [
        {"pair_id": row.pair_id, "boxes": [[9 + 40 * k, 9, 30, 30] for k in range(3)], "classes": [10, 2, 9]}
        for row in data.rows
    ]
    (data.root / "boxes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    shards = mine_again(prep, data.aligned, data.root / "boxes.jsonl", data.root / "s")
    table = done(prep("export", shards, "--format", name, "--out", data.root / "e"))
    words = ["car", "traffic light", "fire hydrant"]
    expected = [f"class {word} ({number})" for word, number in zip(words, numbers, strict=True)]
    assert [line.rsplit(maxsplit=1)[0] for line in table.splitlines() if line.startswith("class ")] == expected


@pytest.mark.parametrize("name", ["coco", "yolo"])
def test_boxes_without_a_class_are_named_or_the_export_is_refused(
    mined: dict[str, Path], prep: Run, tmp_path: Path, name: str
) -> None:
    words = ("export", mined["center"], "--format", name, "--out", tmp_path / "e")
    told(prep(*words), 2, "none of its 6 boxes has a class: name one for them with --unclassed NAME")
    assert not (tmp_path / "e").exists()
    assert ("class target (91)  6" if name == "coco" else "class target (80)  6") in done(
        prep(*words, "--unclassed", "Target")
    )
    if name == "coco":
        assert json.loads((tmp_path / "e/rgb.json").read_text())["categories"] == [{"id": 91, "name": "target"}]
    told(prep(*words, "--unclassed", "person"), 2, "unclassed: Target -> person", "--on-existing overwrite")


@pytest.mark.parametrize(
    ("words", "idle"),
    [(("coco", "--scores"), "--scores"), (("folders", "--unclassed", "target"), "--unclassed")],
)
def test_a_setting_without_effect_is_refused(
    mined: dict[str, Path], prep: Run, tmp_path: Path, words: tuple[str, ...], idle: str
) -> None:
    told(prep("export", mined["center"], "--out", tmp_path / "e", "--format", *words), 2, f"{idle} has no effect here")


def test_a_run_goes_on_is_refused_or_begins_anew(mined: dict[str, Path], prep: Run, tmp_path: Path) -> None:
    out = tmp_path / "e"
    words = ("export", mined["detection"], "--out", out, "--format", "yolo")
    done(prep(*words))
    first = {path: lasting(path) for path in out.rglob("*") if path.is_file()}
    (out / "rgb/images/seq0/0.jpg").write_bytes(b"half")
    (out / "export.json").unlink()
    kept = (out / "tir/images/seq0/0.png").stat().st_mtime_ns
    done(prep(*words))
    assert {path: lasting(path) for path in out.rglob("*") if path.is_file()} == first
    assert (out / "tir/images/seq0/0.png").stat().st_mtime_ns == kept
    told(prep(*words, "--on-existing", "fail"), 2, "already holds")
    coco = (*words[:-1], "coco")
    told(prep(*coco), 2, "format: yolo -> coco")
    done(prep(*coco, "--on-existing", "overwrite"))
    assert not [path for path in out.rglob("*.txt") if path.is_file()]
    told(prep("export", mined["detection"], "--format", "coco", "--out", mined["center"]), 2, "another stage (mine)")


def test_a_damaged_shard_is_named_and_nothing_says_that_the_export_is_finished(
    mined: dict[str, Path], prep: Run, tmp_path: Path
) -> None:
    shards = shutil.copytree(mined["detection"], tmp_path / "s")
    words = ("export", shards, "--format", "coco", "--out", tmp_path / "e")
    done(prep(*words))
    whole = (shards / "shard-00001.h5").read_bytes()
    (shards / "shard-00001.h5").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    told(prep(*words), 3, "shard-00001.h5: content differs from its sha256", "mine again: cmd-prep mine")
    assert not (tmp_path / "e/export.json").exists()
    (shards / "shard-00001.h5").unlink()
    told(prep(*words), 3, "shard-00001.h5: missing")
    told(prep("export", tmp_path, "--format", "coco", "--out", tmp_path / "f"), 3, "has no index.json")


def test_a_pair_that_would_leave_the_folder_is_refused(mined: dict[str, Path], prep: Run, tmp_path: Path) -> None:
    import h5py

    from pipeline.files.hashing import file_sha256

    shards = shutil.copytree(mined["detection"], tmp_path / "s")
    path = shards / "shard-00000.h5"
    with h5py.File(path, "r+") as file:
        file["pairs/id"][0] = b"../x"
    index = json.loads((shards / "index.json").read_text())
    index["shards"][0] |= {"sha256": file_sha256(path), "bytes": path.stat().st_size}
    (shards / "index.json").write_text(json.dumps(index))
    told(prep("export", shards, "--format", "folders", "--out", tmp_path / "e"), 3, "'../x' leaves", "shard-00000.h5")
    assert not list(tmp_path.glob("**/x.*"))
