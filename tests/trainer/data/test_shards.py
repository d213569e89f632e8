"""Shards opened for training: pairs find their patches, no pair is on both sides, bad shards are named."""

import dataclasses
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.errors import DataError
from pipeline.files.hashing import file_sha256
from trainer.data.shards import open_source
from trainer.data.split.apply import kinds_of, pairs_of, split_source

from ..train_world import SEQUENCES, picture, shard, write_world


def test_patches_find_their_pairs_in_any_order_over_several_shards(tmp_path: Path) -> None:
    first, second = shard(sequences=2), shard(sequences=3)
    first.patches.reverse()
    first.patches.append(dataclasses.replace(first.patches[0], box=np.array([5.0, 6, 7, 8])))
    for content in (first, second):
        # An object's number that tells its box.
        content.patches[:] = [dataclasses.replace(patch, track=int(patch.box[0])) for patch in content.patches]
    source = open_source((write_world(tmp_path, first, second),))
    assert source.names[0] == ("tiny", "video-0/0")
    for pair, (reader, row, start, end) in enumerate(source.place):
        boxes = source.box[start:end]
        assert source.readers[reader].ids()[row] == source.names[pair][1]
        np.testing.assert_allclose(boxes[0], picture(int(row))[1])
        assert len(boxes) == 1 + (pair == 3)
    np.testing.assert_allclose(source.box[source.place[3, 2] + 1], [5, 6, 7, 8])
    np.testing.assert_array_equal(source.track, source.box[:, 0].astype(int))


def test_no_pair_is_on_both_sides_and_none_without_patches_is_drawn(tmp_path: Path) -> None:
    content = shard()
    del content.patches[3]
    source = open_source((write_world(tmp_path, content),))
    train, test = pairs_of(source, kinds_of(source, split_source(source, 0.3, 0)), 0.3)
    assert not set(train) & set(test)
    assert set(train) | set(test) == set(range(2 * SEQUENCES)) - {3}
    assert {source.names[i][1].split("/")[0] for i in train}.isdisjoint(
        {source.names[i][1].split("/")[0] for i in test}
    )


def test_shards_without_anything_to_train_on_are_refused(tmp_path: Path) -> None:
    empty = shard()
    empty.patches.clear()
    with pytest.raises(DataError, match="no patches in these shards"):
        open_source((write_world(tmp_path / "a", empty),))
    last = shard(sequences=1, frames=8)
    del last.patches[:6]
    with pytest.raises(DataError, match="no pair is left for training"):
        source = open_source((write_world(tmp_path / "b", last),))
        pairs_of(source, kinds_of(source, split_source(source, 0.25, 0)), 0.25)


@pytest.mark.parametrize("fault", ["missing", "altered", "cut", "schema", "index", "index_schema"])
def test_bad_shards_are_refused_by_name(tmp_path: Path, fault: str) -> None:
    world = write_world(tmp_path / "world", shard(), shard(2))
    path = world / "shard-00001.h5"
    data = path.read_bytes()
    index = json.loads((world / "index.json").read_text())
    if fault == "missing":
        path.unlink()
    elif fault == "altered":
        path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    elif fault == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif fault == "schema":
        with h5py.File(path, "a") as file:
            file.attrs["schema_version"] = "9.0"
    elif fault == "index":
        (world / "index.json").unlink()
    else:
        (world / "index.json").write_text(json.dumps(index | {"schema_version": "9.0"}))
    with pytest.raises(DataError, match="index.json" if fault.startswith("index") else "shard-00001.h5"):
        open_source((world,))


def test_a_shard_is_hashed_once_in_a_process_and_again_when_it_was_altered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def spy(path: Path) -> str:
        hashed.append(path.name)
        return file_sha256(path)

    monkeypatch.setattr("pipeline.shards.index.file_sha256", spy)
    world = write_world(tmp_path, shard(), shard(2))
    names = ["shard-00000.h5", "shard-00001.h5"]
    for _ in range(3):
        open_source((world,))
    assert sorted(hashed) == names
    data = (world / names[1]).read_bytes()
    (world / names[1]).write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    for _ in range(2):
        with pytest.raises(DataError, match=names[1]):
            open_source((world,))
    (world / names[1]).write_bytes(data)
    open_source((world,))
    assert sorted(hashed) == [names[0], *[names[1]] * 4]
