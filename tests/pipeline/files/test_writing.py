"""Files are written whole or not at all, and by one writer."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from pipeline.files.writing import parts_of, write_bytes, write_text, written, written_text

from ...conftest import REPOSITORY

EXCEPTIONS = {
    "pipeline/files/writing.py": "the writer",
    "pipeline/runtime/output.py": "the lock of a folder",
    "pipeline/shards/sink.py": "HDF5, at the part's path",
    "trainer/checkpoints/run_folder.py": "metrics.jsonl grows",
    "trainer/track/drawing.py": "video, at the part's path",
}
"""Where a file may be opened for writing by other means, and why."""

METHODS = {"write_text", "write_bytes", "imwrite", "VideoWriter", "savez", "tofile", "savetxt"}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_takes_the_name_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with written_text(path) as file:
        file.write("new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    write_bytes(path, b"\x00\xff", durable=True)
    assert path.read_bytes() == b"\x00\xff"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_writer_that_fails_leaves_the_old_file_and_no_part(tmp_path: Path, error: type[BaseException]) -> None:
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(error), written_text(tmp_path / "a.txt") as file:
        file.write("half")
        raise error
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_two_writers_of_one_file_do_not_share_a_part(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with written(path, suffix=".mp4") as one, written(path) as other:
        assert one != other
        assert one.suffix == ".mp4"
        for part in (one, other):
            part.write_text(part.name)
    assert "mp4" in path.read_text()


def test_what_is_durable_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced = tmp_path / "a.txt", []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(path.exists()))
    write_text(path, "a", durable=True)
    write_text(path, "b")
    assert synced == [False]


def test_the_parts_of_a_killed_writer_are_found_and_nothing_else(tmp_path: Path) -> None:
    ours = ["made-1.txt.0123abcd.part", "made-1.txt.part", "made-1.txt.part-0123abcd", "made-1.txt.part-0123abcd.mp4"]
    others = ["made-1.txt", "made-1.txt.bak", "mine.part", "made-1.txtpart"]
    for name in ours + others:
        (tmp_path / name).touch()
    assert sorted({path.name for pattern in parts_of("made-*.txt") for path in tmp_path.glob(pattern)}) == ours


def writes(node: ast.AST) -> bool:
    """Whether a call writes a file by itself: by a method of that name, or by opening one for it."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if isinstance(node.func, ast.Attribute) and name in METHODS:
        return True
    if name == "savefig":
        return not isinstance(node.args[0], ast.Name) or "buffer" not in node.args[0].id
    modes = [*node.args, *(word.value for word in node.keywords if word.arg == "mode")]
    texts = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
    return name == "open" and any(set(text) <= set("rwaxbt+") and set(text) & set("wax+") for text in texts)


def test_every_file_goes_through_the_writer_or_is_a_named_exception() -> None:
    found = {
        path.relative_to(REPOSITORY).as_posix()
        for package in ("pipeline", "trainer", "data_manifests")
        for path in (REPOSITORY / package).rglob("*.py")
        if any(map(writes, ast.walk(ast.parse(path.read_text()))))
    }
    assert found == set(EXCEPTIONS)


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("path.write_text('a')", True),
        ("path.open('w')", True),
        ("open(path, mode='ab')", True),
        ("path.open('wb+', buffering=0)", True),
        ("cv2.imwrite(name, picture)", True),
        ("drawn.savefig(folder / 'a.png')", True),
        ("drawn.savefig(buffer)", False),
        ("path.open('rb')", False),
        ("path.open()", False),
        ("write_text(path, 'a')", False),
    ],
)
def test_the_search_for_writers_sees_one(code: str, wanted: bool) -> None:
    assert any(map(writes, ast.walk(ast.parse(code)))) is wanted
