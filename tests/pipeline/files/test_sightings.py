"""A file in the state in which it was hashed is known again, and one that was touched since is not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from pipeline.files import sightings

HASH = "ab" * 32


def test_a_file_left_alone_is_known_again_and_one_of_another_hash_is_not(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"heat")
    seen = sightings.sighting(file.stat(), HASH)
    assert seen == sightings.sighting(file.stat(), HASH)
    assert seen != sightings.sighting(file.stat(), "cd" * 32)


@pytest.mark.parametrize("how", ["written over", "replaced"])
def test_other_bytes_of_the_same_size_and_time_are_noticed(tmp_path: Path, how: str) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"heat")
    before = file.stat()
    time.sleep(0.05)
    if how == "replaced":
        (tmp_path / "b.png").write_bytes(b"cold")
        (tmp_path / "b.png").replace(file)
    else:
        with file.open("r+b") as opened:
            opened.write(b"cold")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert sightings.sighting(file.stat(), HASH) != sightings.sighting(before, HASH)


def test_a_file_is_settled_when_it_was_left_alone_for_two_seconds(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.touch()
    changed = file.stat().st_ctime
    assert not sightings.settled(file.stat(), changed)
    assert not sightings.settled(file.stat(), changed + 1.9)
    assert sightings.settled(file.stat(), changed + 2.1)


def test_what_is_saved_is_loaded_and_saved_again_it_is_loaded_anew(tmp_path: Path) -> None:
    path = tmp_path / "seen.npy"
    sightings.save(path, [3, 2**64 - 1, 3])
    assert sightings.load(path) == {3, 2**64 - 1}
    sightings.save(path, range(5))
    assert sightings.load(path) == set(range(5))
    sightings.save(path, [])
    assert sightings.load(path) == set()


def test_none_are_known_where_the_file_is_absent_damaged_or_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "seen.npy"
    assert sightings.load(path) == set()
    sightings.save(path, range(100))
    path.write_bytes(path.read_bytes()[:200])
    assert sightings.load(path) == set()
    np.save(path, np.array([0.5, 1.5]))
    assert sightings.load(path) == set()
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert sightings.load(path) == set()
