"""`cmd-prep verify` on sound shards and on every kind of damage: the file is named, the exit code is 3."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.errors import DataError
from pipeline.files.hashing import file_sha256
from pipeline.labels import box_state
from pipeline.mine.rederive import rederive
from pipeline.shards.index import index_faults, load_index
from pipeline.shards.verify import verify
from pipeline.shards.writer import config_text

from ...conftest import Run, done, told


@pytest.fixture
def shards(mined: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of two shards mined at random, to be damaged."""
    return Path(shutil.copytree(mined["random"], tmp_path / "shards"))


def _position(path: Path, name: str) -> int:
    """Where a dataset's data lies in the file."""
    with h5py.File(path) as file:
        at = file[name].id.get_offset()
    assert at
    return int(at)


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def _accept(folder: Path) -> None:
    """Make the index agree with the files again, so that only their content can betray them."""
    index = json.loads((folder / "index.json").read_text())
    for entry in index["shards"]:
        path = folder / entry["file"]
        entry |= {"sha256": file_sha256(path), "bytes": path.stat().st_size}
    (folder / "index.json").write_text(json.dumps(index))


@pytest.mark.parametrize("method", ["center", "random", "detection"])
def test_what_was_mined_is_sound(mined: dict[str, Path], prep: Run, method: str) -> None:
    assert "2 shards, 6 pairs" in done(prep("verify", mined[method], "--deep"))


@pytest.mark.parametrize(
    "place", ["pairs/rgb/offset", "pairs/tir/bytes", "patches/rgb", "patches/box", "header", "attrs"]
)
def test_one_flipped_bit_is_named(shards: Path, prep: Run, place: str) -> None:
    path = shards / "shard-00001.h5"
    attrs = path.read_bytes().index(b"config_sha256")
    at = {"header": 9, "attrs": attrs + 24}.get(place) or _position(path, place)
    _flip(path, at)
    result = prep("verify", shards)
    told(result, 3, "faults in 2 shards")
    assert "shard-00001.h5" in result.stdout
    assert "shard-00000.h5" not in result.stdout


@pytest.mark.parametrize("keep", [0, 100, 0.5, -1])
def test_a_shard_cut_short_is_named_and_refused_by_its_readers(shards: Path, prep: Run, keep: float) -> None:
    path = shards / "shard-00000.h5"
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    result = prep("verify", shards)
    told(result, 3)
    assert f"fault: {path}: has " in result.stdout
    assert "cut short" in result.stdout
    told(prep("report", shards, "--out", shards / "r.html"), 3, str(path), "cut short")
    assert str(path) in index_faults(shards, load_index(shards))[0]


def _set(name: str, row: int, value: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[name][row] = value

    return change


def _move_a_box(file: h5py.File) -> None:
    """Three pixels aside, with the state that belongs to it: only the settings can tell."""
    box = file["patches/box"][:]
    box[1, 0] += -3 if box[1, 0] > 60 else 3
    file["patches/box"][...], file["patches/state"][...] = box, box_state(box)


def _settings(**changes: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        text = config_text(json.loads(file.attrs["config"]) | changes)
        file.attrs["config"], file.attrs["config_sha256"] = text, hashlib.sha256(text.encode()).hexdigest()

    return change


VALUES: dict[str, tuple[Callable[[h5py.File], object], bool, str]] = {
    "side": (_set("patches/box", 1, [5, 5, 0, 5]), False, "patches/box has values"),
    "nan": (_set("patches/box", 1, [np.nan, 5, 5, 5]), False, "patches/box has values"),
    "box outside TIR": (_set("patches/box", 1, [-500, 5, 9, 9]), False, "patches/box 1: less than 95% inside"),
    "state": (_set("patches/state", 2, [0, 0, 0, 0]), False, "patches/state 2: differs from its box"),
    "label": (_set("patches/label", 3, np.zeros((19, 19))), False, "patches/label 3: differs from the Gaussian"),
    "score": (_set("patches/score", 0, 1.5), False, "patches/score has values outside 0 to 1"),
    "class": (_set("patches/class", 0, -2), False, "patches/class has values below -1"),
    "track": (_set("patches/track", 0, -2), False, "patches/track has values below -1"),
    "object twice": (_set("patches/track", slice(1, 3), 7), False, "patches/track 1: two boxes of one pair are of one"),
    "matrix": (_set("pairs/homography", 0, np.zeros((3, 3))), False, "pairs/homography has matrices"),
    "footprint": (_set("pairs/valid", 0, np.full((4, 2), np.nan)), False, "pairs/valid has values"),
    "name": (_set("pairs/id", 1, b"seq0/0"), False, "pairs/id has names that are empty or stand twice"),
    "owner": (_set("patches/pair", slice(None), 0), False, "no patch points at it"),
    "patch": (_set("patches/tir", 4, np.zeros((100, 100))), True, "patches/tir 4: differs from what its box cuts"),
    "picture": (_set("pairs/rgb/bytes", slice(0, 2000), 0), True, "pairs/rgb[0]: not a picture"),
    "box moved": (_move_a_box, True, "patches/box 1: differs from what the settings give pair seq0/0"),
    "footprint moved": (
        _set("pairs/valid", 2, [[-9, -9], [300, 0], [300, 300], [0, 300]]),
        True,
        "pairs/valid 2: differs",
    ),
    "patch of another pair": (_set("patches/pair", 1, 1), True, "patches/box: 4 of pair seq0/0, its settings give 5"),
    "settings": (_settings(seed=1), False, "attribute config differs from the settings in the index"),
    "schema": (lambda file: file.attrs.modify("schema_version", "9.1"), False, "schema version 9.1, this reader knows"),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_that_cannot_be_right_are_named_even_if_the_hash_agrees(shards: Path, prep: Run, case: str) -> None:
    change, deep, fault = VALUES[case]
    with h5py.File(shards / "shard-00000.h5", "r+") as file:
        change(file)
    _accept(shards)
    result = prep("verify", shards, *(["--deep"] if deep else []))
    told(result, 3)
    assert f"{shards / 'shard-00000.h5'}" in result.stdout
    assert fault in result.stdout


def test_the_boxes_are_derived_under_the_settings_that_the_shard_has(shards: Path) -> None:
    """Another seed, said consistently everywhere: every box gives it away."""
    for path in shards.glob("*.h5"):
        with h5py.File(path, "r+") as file:
            _settings(seed=1)(file)
    index = json.loads((shards / "index.json").read_text())
    index["settings"]["seed"] = 1
    (shards / "index.json").write_text(json.dumps(index))
    _accept(shards)
    assert verify(shards).faults == ()
    assert len(verify(shards, deep=rederive).faults) == 6


def test_settings_of_no_mining_run_are_named() -> None:
    with pytest.raises(DataError, match="attribute config: patches_per_pair: "):
        rederive({"method": "random", "patches_per_pair": 0}, "a/b", (100, 80), np.zeros((4, 2)))


def test_shards_that_are_missing_extra_or_miscounted_are_named(shards: Path) -> None:
    index = json.loads((shards / "index.json").read_text())
    index["shards"][0]["patches"] += 1
    (shards / "index.json").write_text(json.dumps(index))
    (shards / "shard-00001.h5").rename(shards / "shard-00007.h5")
    found = verify(shards).faults
    assert len(found) == 3
    for fault, part in zip(found, ("shard-00000.h5: holds 4 pairs", "shard-00001.h5: missing", "not in the index")):
        assert part in fault


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (
            {"schema_version": "2.0"},
            "schema version 2.0, this reader knows 1.1 (CHANGELOG says",
        ),
        ({"mood": 1}, "mood: Extra inputs"),
        ({"shards": [{"file": "../x.h5", "sha256": "", "bytes": 1, "pairs": 1, "patches": 1}]}, "leaves the data set"),
        ({"shards": 5}, "shards: "),
    ],
)
def test_an_index_that_does_not_fit_is_named(shards: Path, prep: Run, changed: dict[str, object], fault: str) -> None:
    index = json.loads((shards / "index.json").read_text())
    (shards / "index.json").write_text(json.dumps(index | changed))
    told(prep("verify", shards), 3, "index.json", fault)
    with pytest.raises(DataError, match=r"index\.json"):
        load_index(shards)


def test_a_folder_without_an_index_is_no_folder_of_shards(tmp_path: Path, prep: Run) -> None:
    told(prep("verify", tmp_path), 3, "has no index.json")
    (tmp_path / "index.json").write_text("{")
    told(prep("verify", tmp_path), 3, "index.json: not valid JSON", "mend it, or run again what wrote it")
