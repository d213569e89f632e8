"""Walking folders: order, one reading each, links, and names that cannot be used."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import DataError
from pipeline.images import UnreadableImageError
from pipeline.manifests import load_manifest
from pipeline.pairing.discovery import tree
from pipeline.pairing.discovery.discover import discover
from pipeline.pairing.discovery.sources import load_side

Make = Callable[..., Any]
KAIST = load_manifest("kaist")


def test_order_counts_and_ignores_the_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Make, frames: Make
) -> None:
    files = [f"set{s}/V0/{side}/{i}.jpg" for s in (10, 9) for side in ("visible", "lwir") for i in (10, 2, 1, 100)]
    build(tmp_path, *files)
    expected = [f"set{s}/V0/{i}" for s in (9, 10) for i in (1, 2, 10, 100)]
    assert frames(tmp_path) == expected
    scandir = os.scandir

    class Backwards:
        def __init__(self, path: str) -> None:
            self.entries = list(scandir(path))[::-1]

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self.entries

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(tree.os, "scandir", Backwards)
    assert frames(tmp_path) == expected


def test_each_folder_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Make, frames: Make) -> None:
    build(tmp_path, *[f"s/{v}/{side}/1.jpg" for v in "ab" for side in ("visible", "lwir")])
    read: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(tree.os, "scandir", lambda path: read.append(str(path)) or scandir(path))
    assert len(frames(tmp_path)) == 2
    assert len(read) == len(set(read)) == 8


def test_one_sequence_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Make) -> None:
    build(tmp_path, *[f"s/{v}/{side}/1.jpg" for v in "ab" for side in ("visible", "lwir")])
    stream = discover(tmp_path, KAIST)
    assert next(stream).sequence == "s/a"
    (tmp_path / "s/b/lwir/1.jpg").unlink()
    assert next(stream).rejects[0].pair_id == "s/b/1"


def test_links_that_leave_the_root_are_refused(tmp_path: Path, build: Make, found: Make) -> None:
    root = build(tmp_path / "root", "s/a/visible/1.jpg", "s/a/lwir/1.jpg")
    build(tmp_path / "else", "visible/2.jpg", "lwir/2.jpg")
    (root / "s/b").symlink_to(tmp_path / "else")
    with pytest.raises(DataError, match="s/b: symbolic link leads out of"):
        found(root)
    (root / "s/b").unlink()
    (root / "s/a/lwir/3.jpg").symlink_to("/etc/hostname")
    with pytest.raises(DataError, match=r"3\.jpg: symbolic link leads out of"):
        found(root)


def test_links_inside_the_root_work_and_loops_end(tmp_path: Path, build: Make, frames: Make) -> None:
    build(tmp_path, "s/a/visible/1.jpg", "s/a/lwir/1.jpg")
    (tmp_path / "s/b").symlink_to(tmp_path / "s/a")
    assert frames(tmp_path) == ["s/a/1", "s/b/1"]
    (tmp_path / "s/loop").symlink_to(tmp_path / "s")
    (tmp_path / "s/a/lwir/broken.jpg").symlink_to(tmp_path / "gone.jpg")
    assert frames(tmp_path, "pairs") == ["s/a/1"]


def test_links_to_pictures_that_were_never_fetched_are_told(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, "s/a/visible/1.jpg", "s/a/lwir/1.jpg")
    for side in ("visible", "lwir"):
        (tmp_path / f"s/a/{side}/2.jpg").symlink_to("../../../.annex/objects/2.jpg")
    (sequence,) = found(tmp_path)
    assert [pair.frame for pair in sequence.pairs] == ["1", "2"]
    with pytest.raises(UnreadableImageError, match=r"2\.jpg"):
        load_side(tmp_path, sequence.pairs[1].tir)


def test_root_may_itself_be_a_link(tmp_path: Path, build: Make, frames: Make) -> None:
    build(tmp_path / "disk", "s/a/visible/1.jpg", "s/a/lwir/1.jpg")
    (tmp_path / "data set").symlink_to(tmp_path / "disk")
    assert frames(tmp_path / "data set") == ["s/a/1"]


def test_unreadable_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Make, found: Make) -> None:
    build(tmp_path, "s/a/visible/1.jpg", "s/a/lwir/1.jpg")
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if str(path).endswith("lwir"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(tree.os, "scandir", refuse)
    with pytest.raises(DataError, match=r"cannot read folder .*s/a/lwir: Permission denied"):
        found(tmp_path)


def test_names_that_are_not_utf8_are_named(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, "s/a/visible/1.jpg", "s/a/lwir/1.jpg")
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/s/a/lwir/\xff.jpg")).write_bytes(b"")
    except OSError:
        pytest.skip("this file system refuses names that are not UTF-8")
    with pytest.raises(DataError, match="is not UTF-8: rename it"):
        found(tmp_path)
