"""Shards that version 0.1.0 mined: they are read, kept, refused under other settings, and mined anew to the same."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import pytest
import torch

from trainer.data import WindowDataset

from .old_world import OLD, command, kept

MINED = {
    "center": ("--pairs-per-shard", 2, "--center-fraction", "1/3"),
    "random": ("--patches-per-pair", 2, "--seed", 3),
    "detection": ("--detector", "boxes", "--detections", "boxes.jsonl"),
}


def mine(work: Path, method: str, out: str, *words: object, code: int = 0) -> str:
    """``cmd-prep mine`` as the old shards of a method were mined; a setting given twice counts as given last."""
    given = ("--aligned", "aligned", "--root", "pairs", "--method", method, "--out", out, "--patch-size", 12)
    return command(work, "cmd-prep", "mine", *given, *MINED[method], "--workers", 1, *words, code=code)


def index_of(folder: Path) -> dict[str, object]:
    """``index.json`` of shards, without where the pictures lie and by which versions it was written."""
    index = json.loads((folder / "index.json").read_text())
    del index["source"]["root"]
    return {name: value for name, value in index.items() if name not in ("versions", "made_by")}


def content_of(path: Path) -> dict[str, object]:
    """A shard's attributes, and its datasets as type, shape and bytes; not what another OpenCV may resample."""
    with h5py.File(path) as file:
        names: list[str] = []
        file.visit(names.append)
        found: dict[str, object] = dict(file.attrs)
        found |= {f"{name}@{key}": value for name in names for key, value in file[name].attrs.items()}
        sets = {name: file[name][()] for name in names if isinstance(file[name], h5py.Dataset)}
    found |= {name: (value.dtype.str, value.shape, value.tobytes()) for name, value in sets.items()}
    resampled = ("pairs/tir/bytes", "pairs/tir/offset", "patches/rgb", "patches/tir")
    return {name: value for name, value in found.items() if name not in ("tool_version", *resampled)}


@pytest.mark.parametrize(("method", "patches"), [("center", 3), ("random", 6), ("detection", 4)])
def test_old_shards_are_sound_and_shown(work: Path, method: str, patches: int) -> None:
    told = command(work, "cmd-prep", "verify", f"shards/{method}", "--deep", "--workers", 1)
    assert f"3 pairs, {patches} patches: sound" in told
    table = command(work, "cmd-prep", "inspect", f"shards/{method}")
    rows = dict(line.split(maxsplit=1) for line in table.partition("\n\n")[0].splitlines())
    assert (rows["method"], rows["pairs"], rows["patches"]) == (method, "3", str(patches))
    command(work, "cmd-prep", "report", f"shards/{method}", "--out", "page.html")
    assert "Gaussian label" in (work / "page.html").read_text()


@pytest.mark.parametrize("method", MINED)
def test_mining_again_keeps_old_shards(work: Path, method: str) -> None:
    folder = work / "shards" / method
    before, index = kept(folder, "shard-*", "plan.json"), index_of(folder)
    assert "is finished in an older schema and kept" in mine(work, method, f"shards/{method}")
    assert kept(folder, "shard-*", "plan.json") == before
    assert index_of(folder) == index
    assert (folder / "rejects.jsonl").read_bytes() == (OLD / "shards" / method / "rejects.jsonl").read_bytes()


def test_unfinished_mining_of_the_older_schema_is_refused_and_mined_anew_to_the_same(work: Path) -> None:
    folder, whole = work / "shards/unfinished", OLD / "shards/center"
    before = kept(folder, "*")
    told = mine(work, "center", "shards/unfinished", code=2)
    assert "shards/unfinished was begun under schema 1.0, this is 1.1: finish it with the version that began it" in told
    assert kept(folder, "shard-00000*", "plan.json").items() <= before.items()
    mine(work, "center", "shards/unfinished", "--on-existing", "overwrite")
    made = {path.name for path in folder.iterdir()} - {"config.yaml", "report.html"}
    assert made == {path.name for path in whole.iterdir()}
    for name in ("shard-00000.h5", "shard-00001.h5"):
        new, old = content_of(folder / name), content_of(whole / name)
        later = {"patches/label", "patches/track", "pairs/sequence", "pairs/frame", "schema_version"}
        assert {key: value for key, value in new.items() if key not in later} == {
            key: value for key, value in old.items() if key not in later
        }
    assert "sound" in command(work, "cmd-prep", "verify", "shards/unfinished", "--deep", "--workers", 1)


def test_shards_of_both_schemas_give_the_same_windows(work: Path) -> None:
    mine(work, "center", "shards/now")
    drawn = []
    for folder, version in (("center", "1.0"), ("now", "1.1")):
        shards = work / "shards" / folder
        assert json.loads((shards / "index.json").read_text())["schema_version"] == version
        windows = WindowDataset([shards], "c1", "dimp18", samples_per_epoch=4, held_out=0.0)
        drawn.append([windows[number] for number in range(4)])
    for old, new in zip(*drawn, strict=True):
        assert old.keys() == new.keys()
        assert all(torch.equal(torch.as_tensor(value), torch.as_tensor(new[name])) for name, value in old.items())


@pytest.mark.parametrize(
    ("method", "words", "told"),
    [
        ("center", ("--patch-size", "16"), "recipe.patch_size: 12 -> 16"),
        ("center", ("--pairs-per-shard", "3"), "recipe.pairs_per_shard: 2 -> 3"),
        ("center", ("--center-fraction", "1/8"), "recipe.center_fraction: 0.3333333333333333 -> 0.125"),
        ("random", ("--seed", "4"), "recipe.seed: 3 -> 4"),
        ("detection", ("--confidence", "0.6"), "recipe.confidence: 0.25 -> 0.6"),
        ("center", ("--on-existing", "fail"), "already holds index.json"),
    ],
)
def test_old_shards_of_other_settings_are_refused(work: Path, method: str, words: tuple[str, ...], told: str) -> None:
    before = kept(work / "shards" / method, "*")
    assert told in mine(work, method, f"shards/{method}", *words, code=2)
    assert kept(work / "shards" / method, "*") == before


def test_old_shards_of_other_boxes_or_pairs_are_refused(work: Path) -> None:
    with (work / "boxes.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"pair_id": "set00/V009/I00000", "boxes": []}\n')
    assert "recipe.detections_sha256: " in mine(work, "detection", "shards/detection", code=2)
    rows = (work / "aligned/aligned.jsonl").read_text().splitlines(keepends=True)
    (work / "aligned/aligned.jsonl").write_text("".join(rows[1:]))
    assert "aligned_sha256: " in mine(work, "center", "shards/center", code=2)
