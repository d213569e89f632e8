"""Shards with any byte of any region wrong, or built to harm: a named error or values, never a crash or hang."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline import mine
from pipeline.files.hashing import file_sha256
from pipeline.mine import MineConfig

from ..conftest import draw_aligned
from . import actions
from .conftest import Tally, apart, bad
from .sandbox import Sandbox

FULL = [pytest.param(120, marks=pytest.mark.faults), 4]
"""Damaged copies a region: in the whole suite, and in every run of the tests."""
REGIONS = ("header", "offset", "pixels", "attrs", "box", "id", "anywhere", "cut")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small shard, mined."""
    place = tmp_path_factory.mktemp("shards")
    made = draw_aligned(place)
    made.rewrite(list(made.rows[:3]))
    config = {"aligned": made.aligned, "out": place / "out", "method": "center", "patch_size": 8}
    mine.run(MineConfig.model_validate(config))
    return place / "out"


def _region(path: Path, name: str) -> range:
    """Where a region lies in the file."""
    whole = path.read_bytes()
    places = {"offset": "pairs/rgb/offset", "pixels": "pairs/rgb/bytes", "box": "patches/box", "id": "pairs/id"}
    if name in places:
        with h5py.File(path) as file:
            data = file[places[name]]
            return range(data.id.get_offset(), data.id.get_offset() + data.id.get_storage_size())
    if name == "attrs":
        at = whole.index(b"config_sha256")
        return range(max(0, at - 600), at + 600)
    return range(2048) if name == "header" else range(len(whole))


def _damaged(whole: bytes, region: range, cut: bool, rng: np.random.Generator) -> bytes:
    data = bytearray(whole)
    if cut:
        return bytes(data[: int(rng.integers(len(data)))])
    for _ in range((1, 1, 4)[rng.integers(3)]):
        at = region[int(rng.integers(len(region)))]
        data[at] = (data[at] ^ 1 << int(rng.integers(8)), 0, 255, int(rng.integers(256)))[rng.integers(4)]
    return bytes(data)


@pytest.mark.parametrize("count", FULL)
@pytest.mark.parametrize("region", REGIONS)
def test_a_damaged_shard_is_named_by_verify_and_harms_no_reader(
    folder: Path, region: str, count: int, tmp_path: Path, box: Sandbox, tally: Tally
) -> None:
    path = folder / "shard-00000.h5"
    whole, where, rng = path.read_bytes(), _region(path, region), np.random.default_rng(count)
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    outcomes = {}
    for number in range(count):
        data = _damaged(whole, where, region == "cut", rng)
        if data == whole:
            continue
        (copy / path.name).write_bytes(data)
        told = box.attempt(actions.verified, copy)
        assert path.name in told.told and ("altered" in told.told), told.told
        outcomes[f"{region} {number}"] = outcome = box.attempt(actions.shard, copy / path.name)
        tally(f"shard, {region}", outcome.survived and told.survived)
        assert outcome.kind != "named" or path.name in outcome.told
    assert not bad(outcomes)


@pytest.mark.parametrize("count", FULL)
@pytest.mark.parametrize("region", REGIONS[:6])
def test_damage_that_the_index_vouches_for_harms_nobody_either(
    folder: Path, region: str, count: int, tmp_path: Path, box: Sandbox, tally: Tally
) -> None:
    path = folder / "shard-00000.h5"
    whole, where, rng = path.read_bytes(), _region(path, region), np.random.default_rng(count + 1)
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    outcomes = {}
    for number in range(count):
        (copy / path.name).write_bytes(_damaged(whole, where, False, rng))
        _vouch(copy)
        outcomes[f"{region} {number}"] = outcome = box.attempt(actions.verified, copy)
        tally(f"shard vouched for, {region}", outcome.survived)
    assert not bad(outcomes)


def _vouch(folder: Path) -> None:
    """Make the index agree with the files."""
    index = json.loads((folder / "index.json").read_text())
    for entry in index["shards"]:
        path = folder / entry["file"]
        entry |= {"sha256": file_sha256(path), "bytes": path.stat().st_size}
    (folder / "index.json").write_text(json.dumps(index))


def _again(name: str, **how: object) -> Callable[[h5py.File], None]:
    """Make a dataset again in another way."""

    def change(file: h5py.File) -> None:
        data = file[name][:]
        del file[name]
        file.create_dataset(name, **({"data": data} | how))

    return change


def _linked(name: str, link: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = link

    return change


def _attribute(name: str, value: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file.attrs[name] = value

    return change


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((10**6, 4), np.float32)
    layout[:3] = h5py.VirtualSource("/etc/passwd", "x", (3, 4))
    del file["patches/box"]
    file.create_virtual_dataset("patches/box", layout)


def _claims(name: str, shape: tuple[int, ...], dtype: str) -> Callable[[h5py.File], None]:
    """A dataset that claims a size and stores nothing: storage is given out late."""

    def change(file: h5py.File) -> None:
        del file[name]
        space = h5py.h5s.create_simple(shape)
        path = name.encode()
        h5py.h5d.create(file.id, path, h5py.h5t.py_create(np.dtype(dtype)), space)

    return change


HUGE = 2**40
HOSTILE: dict[str, Callable[[h5py.File], None]] = {
    "external link": _linked("pairs/rgb/bytes", h5py.ExternalLink("/etc/passwd", "x")),
    "external link to a device": _linked("pairs/id", h5py.ExternalLink("/dev/zero", "x")),
    "soft link": _linked("pairs/tir/bytes", h5py.SoftLink("/pairs/rgb/bytes")),
    "soft link to itself": _linked("patches", h5py.SoftLink("/patches")),
    "external storage": _again("patches/box", data=None, shape=(3, 4), dtype="f4", external=[("/etc/passwd", 0, 48)]),
    "virtual dataset": _virtual,
    "chunks of a gigabyte": _again("patches/box", maxshape=(None, 4), chunks=(2**26, 4)),
    "compressed": _again("pairs/rgb/bytes", chunks=(64,), compression="gzip"),
    "a terabyte of pixels": _claims("pairs/rgb/bytes", (HUGE,), "u1"),
    "a terabyte of offsets": _claims("pairs/rgb/offset", (HUGE,), "i8"),
    "a terabyte of patches": _claims("patches/pair", (HUGE,), "i4"),
    "a terabyte of tight patches": _claims("patches/rgb", (3, 2**19, 2**19, 3), "u1"),
    "names of a gigabyte": _claims("pairs/id", (3,), "S1000000000"),
    "an empty type": _again("patches/score", data=h5py.Empty("f4")),
    "strings of any length": _again("pairs/id", data=["a", "b", "c"]),
    "a group for a dataset": _linked("patches/box", np.float32(1)),
    "config that is a number": _attribute("config", 5),
    "config that is an array": _attribute("config", np.zeros(9)),
    "config that is no JSON": _attribute("config", "{"),
    "version that is an array": _attribute("schema_version", np.zeros(3)),
    "version that is empty": _attribute("schema_version", h5py.Empty("f4")),
}


@pytest.mark.parametrize("case", apart(HOSTILE, "chunks of a gigabyte"))
def test_a_shard_that_is_built_to_harm_is_named(
    folder: Path, case: str, tmp_path: Path, box: Sandbox, tally: Tally
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    with h5py.File(copy / "shard-00000.h5", "r+") as file:
        HOSTILE[case](file)
    _vouch(copy)
    found = {"verify": box.attempt(actions.verified, copy), "read": box.attempt(actions.shard, copy / "shard-00000.h5")}
    for outcome in found.values():
        tally("hostile shard", outcome.survived)
    assert not bad(found)
    assert found["verify"].kind == "read"
    assert "shard-00000.h5" in found["verify"].told, "verify found nothing wrong"
    assert "root:x:" not in str(found)
