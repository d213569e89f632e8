"""The reader: opened where it is read, across pickles and forks, and refusing what is not a shard."""

from __future__ import annotations

import io
import multiprocessing
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import DataError
from pipeline.images import decode_rgb, decode_tir
from pipeline.shards.heaps import heap_fault
from pipeline.shards.reader import ShardReader, open_shard
from pipeline.shards.writer import Shard, write_shard


@pytest.fixture
def shard(mined: dict[str, Path]) -> Path:
    return mined["random"] / "shard-00000.h5"


def test_pictures_and_their_bytes(shard: Path) -> None:
    reader = ShardReader(shard)
    assert reader.ids() == ["seq0/0", "seq0/2", "seq0/4", "seq1/1"]
    for pair in range(4):
        assert np.array_equal(reader.rgb(pair), decode_rgb(reader.encoded("rgb", pair), "x"))
        assert np.array_equal(reader.tir(pair), decode_tir(reader.encoded("tir", pair), "x"))
        assert reader.rgb(pair).shape == (128, 160, 3)
    assert reader.array("patches/box").shape[1] == 4


def test_a_reader_is_lazy_picklable_and_opens_again(shard: Path) -> None:
    assert ShardReader(shard.with_name("gone.h5")).path.name == "gone.h5"
    reader = ShardReader(shard)
    first = reader.tir(1)
    other = pickle.loads(pickle.dumps(reader))
    assert np.array_equal(other.tir(1), first)
    assert other.file is not reader.file
    reader.close()
    assert np.array_equal(reader.tir(1), first)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_opens_the_file_for_itself(shard: Path) -> None:
    reader = ShardReader(shard)
    mine = reader.file
    receive, send = multiprocessing.Pipe(duplex=False)

    def child() -> None:
        send.send((reader.file is not mine, int(reader.tir(2).sum())))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    assert receive.poll(30), "the child did not answer"
    fresh, total = receive.recv()
    process.join(30)
    assert fresh
    assert total == int(reader.tir(2).sum())


@pytest.mark.parametrize(
    ("content", "fault"), [(None, "no such file"), (b"", "cut short"), (b"text" * 99, "cut short")]
)
def test_what_is_no_shard_is_named(tmp_path: Path, content: bytes | None, fault: str) -> None:
    path = tmp_path / "shard-00000.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"shard-00000\.h5: .*{fault}"):
        open_shard(path)
    with pytest.raises(DataError, match=rf"shard-00000\.h5: .*{fault}"):
        ShardReader(path).ids()


def test_a_pipe_in_place_of_a_shard_is_named_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "shard-00000.h5")
    with pytest.raises(DataError, match=r"shard-00000\.h5"):
        open_shard(tmp_path / "shard-00000.h5")


def _collection(data: bytes) -> int:
    """Where the strings of the attributes lie."""
    at = data.find(b"GCOL\x01")
    assert at > 0
    return at


def _objects(data: bytes) -> list[int]:
    """Where the objects of the collection begin; the last is its free space."""
    start, at = _collection(data), 16
    places = []
    while at < int.from_bytes(data[start + 8 : start + 16], "little"):
        places.append(start + at)
        number, size = struct.unpack_from("<H6xQ", data, start + at)
        at += 16 + -(-size // 8) * 8 if number else size
    return places


DAMAGED_SIZES = {"nothing": 0, "less than a head": 8, "more than there is": 2**40, "a step back": 2**64 - 16}


@pytest.mark.parametrize("claimed", DAMAGED_SIZES.values(), ids=DAMAGED_SIZES)
@pytest.mark.parametrize("which", ["first", "free space"])
def test_strings_that_hdf5_would_read_for_ever_are_found_before_it_reads_them(
    shard: Path, which: str, claimed: int
) -> None:
    data = bytearray(shard.read_bytes())
    place = _objects(data)[0 if which == "first" else -1]
    data[place + 8 : place + 16] = claimed.to_bytes(8, "little")
    if which == "first" and claimed <= 8:
        # An object that is no free space may be as small as that.
        data[place : place + 2] = bytes(2)
    assert "sizes that do not fit" in heap_fault(io.BytesIO(data))


def test_a_shard_with_such_strings_is_named(shard: Path, tmp_path: Path) -> None:
    data = bytearray(shard.read_bytes())
    place = _objects(data)[-1]
    data[place : place + 2] = b"\x10\0"
    data[place + 8 : place + 16] = (64).to_bytes(8, "little")
    path = tmp_path / shard.name
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"shard-00000\.h5: damaged shard \(strings of attributes, at byte \d+"):
        open_shard(path)


def test_settings_of_any_length_are_read(tmp_path: Path) -> None:
    """They take a collection of their own, longer than others."""
    write_shard(tmp_path / "shard-00000.h5", Shard({"method": "center", "of its own": "x" * 200_000}))
    with open_shard(tmp_path / "shard-00000.h5") as file:
        assert len(file.attrs["config"]) > 200_000
