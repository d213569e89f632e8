"""What is kept of features: bounded, whole, told where it is damaged."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from trainer.features.store import GIB, FolderStore, MemoryStore, Store, make_store

KEY, OTHER = "ab" + 38 * "1", "cd" + 38 * "2"
SEAL = 16


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore(1000) if request.param == "memory" else FolderStore(tmp_path / "cache", 1000)


def test_what_is_kept_comes_back(store: Store) -> None:
    assert store.get(KEY, 5) is None
    store.put(KEY, b"bytes")
    assert store.get(KEY, 5) == b"bytes"
    assert store.get(OTHER, 5) is None


@given(st.lists(st.integers(1, 400), min_size=1, max_size=20))
def test_no_more_is_kept_than_fits_and_what_came_first_stays(sizes: list[int]) -> None:
    store, fits = MemoryStore(1000), 0
    kept = []
    for number, size in enumerate(sizes):
        key = f"{number:040x}"
        store.put(key, bytes(size))
        if fits + size <= 1000:
            fits += size
            kept.append((key, size))
    assert store.used == fits <= 1000
    assert all(store.get(key, size) == bytes(size) for key, size in kept)
    assert sum(store.get(f"{n:040x}", size) is not None for n, size in enumerate(sizes)) == len(kept)


def test_that_it_is_full_is_told_once(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(9):
        store.put(f"{number:040x}", bytes(300))
    assert len(caplog.messages) == 1
    assert f"{store.where} is full" in caplog.text
    assert "computed whenever they are wanted" in caplog.text


def test_memory_is_for_windows_that_come_again_and_a_folder_for_all(tmp_path: Path) -> None:
    memory, folder = MemoryStore(1), FolderStore(tmp_path, 1)
    assert [each.serves(again) for each in (memory, folder) for again in (False, True)] == [False, True, True, True]


def test_a_folder_is_found_again_and_its_bound_counts_what_lies_there(tmp_path: Path) -> None:
    FolderStore(tmp_path, 1000).put(KEY, bytes(600))
    again = FolderStore(tmp_path, 1000)
    assert again.get(KEY, 600) == bytes(600)
    again.put(OTHER, bytes(600))
    assert again.get(OTHER, 600) is None
    assert again.used == 600 + SEAL


@pytest.mark.parametrize("damage", ["cut", "longer", "flipped", "empty", "renamed", "folder"])
def test_a_damaged_entry_is_told_and_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str) -> None:
    store = FolderStore(tmp_path, 10_000)
    store.put(KEY, b"x" * 100)
    path = tmp_path / KEY[:2] / KEY
    content = path.read_bytes()
    flipped = content[:60] + bytes([content[60] ^ 1]) + content[61:]
    changed = {"cut": content[:-1], "longer": content + b"x", "flipped": flipped, "empty": b""}
    if damage == "renamed":
        store.put(OTHER, b"y" * 100)
        (tmp_path / OTHER[:2] / OTHER).replace(path)
    elif damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(changed[damage])
    store = FolderStore(tmp_path, 10_000)
    assert store.get(KEY, 100) is None
    assert str(path) in caplog.text
    assert "computed again" in caplog.text
    store.put(KEY, b"x" * 100)
    assert (store.get(KEY, 100) == b"x" * 100) == (damage != "folder")
    if damage != "folder":
        assert store.used == sum(path.stat().st_size for path in tmp_path.glob("??/*"))


def test_a_folder_that_goes_away_is_made_again(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "cache", 1000)
    (tmp_path / "cache").rmdir()
    store.put(KEY, b"bytes")
    assert store.get(KEY, 5) == b"bytes"


def test_two_writers_of_one_folder_leave_whole_entries(tmp_path: Path) -> None:
    stores = [FolderStore(tmp_path, 10 * GIB) for _ in range(2)]
    keys = [f"{number % 8:02x}" + 38 * "0" for number in range(200)]
    content = {key: key.encode() * 500 for key in keys}

    def write(store: Store) -> None:
        for key in keys:
            assert store.get(key, 20_000) in (None, content[key])
            store.put(key, content[key])

    threads = [threading.Thread(target=write, args=(each,)) for each in stores]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert {path.name for path in tmp_path.glob("*/*")} == set(keys)
    assert all(stores[0].get(key, 20_000) == content[key] for key in keys)


def test_what_a_killed_writer_left_is_swept_up_once_it_is_old(tmp_path: Path) -> None:
    parts = [tmp_path / "ab" / f"{KEY}.part-0123456{n}" for n in (1, 2)]
    parts[0].parent.mkdir()
    for part in parts:
        part.write_bytes(b"half")
    os.utime(parts[0], (0, 0))
    FolderStore(tmp_path, 1000)
    assert [part.exists() for part in parts] == [False, True]


def test_a_folder_that_others_write_into_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is listed, and has become its file before it is looked at."""
    FolderStore(tmp_path, 1000).put(KEY, bytes(100))
    listed, part = Path.glob, tmp_path / KEY[:2] / f"{KEY}.part-01234567"
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: [*listed(folder, pattern), part])
    assert FolderStore(tmp_path, 1000).used == 100 + SEAL


def test_a_folder_that_cannot_be_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"--feature-cache .*file/cache: Not a directory: choose another folder"):
        FolderStore(tmp_path / "file" / "cache", 1000)


def test_a_disk_that_takes_nothing_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainer.features.store.write_bytes", full)
    with caplog.at_level(logging.INFO):
        store = FolderStore(tmp_path, 1000)
        for key in (KEY, OTHER):
            store.put(key, b"bytes")
            assert store.get(key, 5) is None
    assert [message for message in caplog.messages if "cannot be written (No space left on device)" in message] == [
        caplog.messages[0]
    ]


def test_settings_say_what_is_kept_and_how_much(tmp_path: Path) -> None:
    memory, folder, small = (make_store(*given) for given in ((None, None), (tmp_path, None), (None, 0.5)))
    assert isinstance(memory, MemoryStore)
    assert isinstance(folder, FolderStore)
    assert small
    assert [each.limit for each in (memory, folder, small)] == [GIB, 16 * GIB, GIB // 2]
    assert make_store(None, 0) is None


def test_a_damaged_entry_is_replaced_in_a_full_folder_too(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, 616)
    store.put(KEY, bytes(600))
    (tmp_path / KEY[:2] / KEY).write_bytes(bytes(616))
    again = FolderStore(tmp_path, 616)
    assert again.get(KEY, 600) is None
    again.put(KEY, bytes(600))
    assert (again.get(KEY, 600), again.used) == (bytes(600), 616)
