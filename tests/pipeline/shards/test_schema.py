"""The contract of a shard: every dataset, attribute, offset, shape, type and range, for any content."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.shards import schema
from pipeline.shards.reader import ShardReader
from pipeline.shards.writer import Pair, Patch, Shard, write_shard

side = st.floats(1, 400, width=32)
place = st.floats(-5, 600, width=32)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)


@st.composite
def shards(draw: st.DrawFn) -> tuple[Shard, list[Pair]]:
    """A shard and its pairs, with any pictures, names, boxes, scores and classes; perhaps without pairs or patches."""
    size = draw(st.sampled_from([0, 1, 7]))
    shard = Shard({"method": draw(st.sampled_from(["center", "random"])), "seed": draw(st.integers())}, patch_size=size)
    pairs: list[Pair] = []
    for name in sorted(draw(st.sets(names, max_size=4))):
        numbers = np.array(draw(st.lists(st.floats(-1e3, 1e3), min_size=17, max_size=17)))
        encoded = draw(st.binary(max_size=40)), draw(st.binary(max_size=40))
        when = draw(names), draw(st.integers(0, 2**40))
        pairs.append(Pair(name, *encoded, numbers[:9].reshape(3, 3), numbers[9:].reshape(4, 2), *when))
        shard.pairs.append(pairs[-1])
    for _ in range(draw(st.integers(0, 5)) if pairs else 0):
        box = np.array([draw(place), draw(place), draw(side), draw(side)])
        tight = np.full((size, size, 3), draw(st.integers(0, 255)), np.uint8) if size else None
        score, category = draw(st.floats(0, 1, width=32)), draw(st.integers(-1, 32767))
        track = draw(st.integers(-1, 2**31 - 1))
        owner = draw(st.integers(0, len(pairs) - 1))
        thermal = None if tight is None else tight[..., 0]
        shard.patches.append(Patch(owner, box, score, category, tight, thermal, track))
    return shard, pairs


@settings(max_examples=60)
@given(shards())
def test_every_dataset_of_the_contract_holds_what_went_in(drawn: tuple[Shard, list[Pair]]) -> None:
    shard, pairs = drawn
    with TemporaryDirectory() as folder:
        path = Path(folder) / "shard-00000.h5"
        write_shard(path, shard)
        with h5py.File(path) as file:
            assert schema.faults(file) == []
            found: dict[str, np.ndarray] = {}
            file.visititems(lambda name, data: found.update({name: data[()]} if isinstance(data, h5py.Dataset) else {}))
            attrs = dict(file.attrs)
    _check_pairs(found, pairs)
    _check_patches(found, shard)
    assert set(found) == set(schema.DATASETS) | (set(schema.TIGHT) if shard.patch_size else set())
    assert set(attrs) == set(schema.ATTRS)
    assert json.loads(attrs["config"]) == shard.config
    assert attrs["config_sha256"] == hashlib.sha256(attrs["config"].encode()).hexdigest()
    assert (attrs["schema_version"], attrs["method"]) == ("1.1", shard.config["method"])


def _check_pairs(found: dict[str, np.ndarray], pairs: list[Pair]) -> None:
    count = len(pairs)
    for modality in ("rgb", "tir"):
        data, offset = found[f"pairs/{modality}/bytes"], found[f"pairs/{modality}/offset"]
        assert (data.dtype, data.ndim) == (np.uint8, 1)
        assert (offset.dtype, offset.shape, offset[0], offset[-1]) == (np.int64, (count + 1,), 0, len(data))
        for i, pair in enumerate(pairs):
            assert data[offset[i] : offset[i + 1]].tobytes() == getattr(pair, modality)
    assert found["pairs/id"].dtype.kind == "S"
    assert [name.decode() for name in found["pairs/id"]] == [pair.pair_id for pair in pairs]
    assert found["pairs/sequence"].dtype.kind == "S"
    assert [name.decode() for name in found["pairs/sequence"]] == [pair.sequence for pair in pairs]
    assert found["pairs/frame"].dtype == np.int64
    assert found["pairs/frame"].tolist() == [pair.frame for pair in pairs]
    matrix, valid = found["pairs/homography"], found["pairs/valid"]
    assert (matrix.dtype, matrix.shape) == (np.float64, (count, 3, 3))
    assert (valid.dtype, valid.shape) == (np.float32, (count, 4, 2))
    for i, pair in enumerate(pairs):
        assert np.array_equal(matrix[i], pair.homography)
        assert np.array_equal(valid[i], pair.valid.astype(np.float32))


def _check_patches(found: dict[str, np.ndarray], shard: Shard) -> None:
    count, size = len(shard.patches), shard.patch_size
    box = found["patches/box"]
    assert (box.dtype, box.shape) == (np.float32, (count, 4))
    assert np.array_equal(box, np.array([p.box for p in shard.patches], np.float32).reshape(-1, 4))
    x, y, w, h = box.astype(np.float64).T
    state = np.stack([(x + w / 2) / w, (y + h / 2) / h, np.log(w), np.log(h)], axis=1)
    assert found["patches/state"].dtype == np.float32
    assert np.allclose(found["patches/state"], state, rtol=1e-6, atol=1e-6)
    far = np.arange(19) - 9.0
    label = np.exp(-(far[:, None] ** 2 + far[None, :] ** 2) / (2 * 0.9**2))
    assert (found["patches/label"].dtype, found["patches/label"].shape) == (np.float32, (count, 19, 19))
    assert np.allclose(found["patches/label"], label, atol=1e-6)
    for name, kind, key in (
        ("pair", np.int32, "pair"),
        ("score", np.float32, "score"),
        ("class", np.int16, "category"),
        ("track", np.int32, "track"),
    ):
        assert found[f"patches/{name}"].dtype == kind
        assert found[f"patches/{name}"].tolist() == [getattr(patch, key) for patch in shard.patches]
    if size:
        assert (found["patches/rgb"].dtype, found["patches/rgb"].shape) == (np.uint8, (count, size, size, 3))
        assert (found["patches/tir"].dtype, found["patches/tir"].shape) == (np.uint8, (count, size, size))
        for i, patch in enumerate(shard.patches):
            assert np.array_equal(found["patches/rgb"][i], patch.rgb)
            assert np.array_equal(found["patches/tir"][i], patch.tir)


@settings(max_examples=10)
@given(shards(), shards())
def test_equal_content_gives_equal_bytes(drawn: tuple[Shard, list[Pair]], before: tuple[Shard, list[Pair]]) -> None:
    """Also from memory that held another shard."""
    shard, pairs = drawn
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / name / "shard-00000.h5" for name in ("a", "b")]
        for path in paths:
            path.parent.mkdir()
            write_shard(path, shard)
            shard.pairs = before[0].pairs
            shard.pairs.clear()
            for pair in pairs:
                shard.pairs.append(pair)
        assert paths[0].read_bytes() == paths[1].read_bytes()
        stats = [path.with_name("shard-00000.stats.json").read_text() for path in paths]
        assert stats[0] == stats[1]
        assert sorted(path.name for path in paths[0].parent.iterdir()) == ["shard-00000.h5", "shard-00000.stats.json"]


def _shift(file: h5py.File) -> None:
    file["pairs/tir/offset"][1] = 10**9


def _replace(name: str, value: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = value

    return change


def _chunked(file: h5py.File) -> None:
    del file["patches/score"]
    file.create_dataset("patches/score", data=np.zeros(2, np.float32), chunks=(1,))


ALTERED: dict[str, tuple[Callable[[h5py.File], object], str]] = {
    "attribute gone": (lambda file: file.attrs.pop("config"), "attribute config is missing"),
    "next major version": (
        lambda file: file.attrs.modify("schema_version", "2.0"),
        "version 2.0, this reader knows 1.1",
    ),
    "dataset gone": (lambda file: file.__delitem__("patches/state"), "patches/state is missing"),
    "numbers of objects gone": (lambda file: file.__delitem__("patches/track"), "patches/track is missing"),
    "newer dataset": (
        lambda file: file.attrs.modify("schema_version", "1.0"),
        "pairs/sequence is there, which schema 1.0 has not",
    ),
    "sequences alone gone": (lambda file: file.__delitem__("pairs/sequence"), "pairs/sequence is missing"),
    "group gone": (lambda file: file.__delitem__("pairs"), "pairs/rgb/bytes is missing"),
    "group for dataset": (lambda file: (file.__delitem__("pairs/id"), file.create_group("pairs/id")), "not a plain"),
    "type": (_replace("patches/pair", np.zeros(2, np.int64)), "patches/pair has type int64, expected int32"),
    "text": (_replace("pairs/id", np.zeros(2, np.int64)), "pairs/id has type int64, expected S"),
    "axes": (_replace("patches/box", np.zeros((2, 4, 1), np.float32)), "patches/box has shape"),
    "length": (_replace("patches/score", np.zeros(3, np.float32)), "patches/score has shape .* with m = 2"),
    "half floats": (
        _replace("patches/label", np.zeros((2, 19, 19), np.float16)),
        "patches/label has type float16, expected float32",
    ),
    "square": (_replace("patches/label", np.zeros((2, 19, 18), np.float32)), "patches/label has shape .* F = 19"),
    "one tight side": (lambda file: file.__delitem__("patches/tir"), "patches/tir is missing"),
    "chunks": (_chunked, "patches/score is not a plain contiguous dataset"),
    "offsets": (_shift, "pairs/tir/offset does not partition"),
    "owner": (lambda file: file["patches/pair"].__setitem__(1, 7), "patches/pair points at pairs that are not there"),
    "soft link": (_replace("patches/score", h5py.SoftLink("/patches/class")), "patches/score is not a plain"),
    "link to another file": (
        _replace("pairs", h5py.ExternalLink("other.h5", "/pairs")),
        "pairs/rgb/bytes is not a plain",
    ),
}


@pytest.mark.parametrize("case", ALTERED)
def test_an_altered_structure_is_named(tmp_path: Path, case: str) -> None:
    shard = Shard({"method": "center"}, patch_size=3)
    tight = np.zeros((3, 3, 3), np.uint8)
    for name in ("a", "b"):
        shard.pairs.append(Pair(name, b"rgb", b"tir", np.eye(3), np.zeros((4, 2)), "s", len(shard.pairs)))
    shard.patches = [Patch(i, np.array([1.0, 2, 3, 4]), 1, -1, tight, tight[..., 0]) for i in (0, 1)]
    for name in ("shard-00000.h5", "other.h5"):
        write_shard(tmp_path / name, shard)
    change, fault = ALTERED[case]
    with h5py.File(tmp_path / "shard-00000.h5", "r+") as file:
        change(file)
        found = schema.faults(file)
    assert found
    assert re.search(fault, found[0]), found


def test_a_file_from_before_it_named_sequences_is_sound(tmp_path: Path) -> None:
    shard = Shard({"method": "center"})
    shard.pairs.append(Pair("a", b"rgb", b"tir", np.eye(3), np.zeros((4, 2)), "s", 4))
    write_shard(tmp_path / "s.h5", shard)
    reader = ShardReader(tmp_path / "s.h5")
    assert (reader.sequences(), reader.frames()) == (["s"], [4])
    reader.close()
    with h5py.File(tmp_path / "s.h5", "r+") as file:
        del file["pairs/sequence"], file["pairs/frame"]
        assert schema.faults(file) == []
    assert (reader.sequences(), reader.frames()) == (None, None)


def test_minor_versions_are_read_and_others_are_not() -> None:
    assert schema.compatible("1.0")
    assert schema.compatible("1.7")
    assert not any(schema.compatible(version) for version in ("2.0", "0.9", "10.0", None, ""))
