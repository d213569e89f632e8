"""Paths that lead to no plain file, or to one of any size: named before they are read, and nothing waits for them."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from . import actions
from .conftest import Tally, apart
from .sandbox import Outcome, Sandbox

READERS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "manifest": (actions.manifest, "m.yaml", ""),
    "aligned rows": (actions.aligned, "a.jsonl", ""),
    "rows of boxes": (actions.detections, "b.jsonl", ""),
    "coco": (actions.detections, "b.json", ""),
    "yolo": (actions.detections, "b", "a_b.txt"),
    "list of frames": (actions.listed, "l.txt", ""),
    "map of names": (actions.mapped, "m.txt", ""),
    "summary": (actions.summary, "x.json", ""),
    "matrices": (actions.rigs, "h.json", ""),
    "picture": (actions.picture, "p.jpg", ""),
    "results": (actions.result, "r.txt", ""),
    "results of MATLAB": (actions.result, "r.mat", ""),
}
"""What reads a path, the path, and the file below it where the path is a folder."""


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        # A socket's whole path may have 107 characters: it is bound from where it lies.
        before = Path.cwd()
        os.chdir(path.parent)
        made.bind(path.name)
        os.chdir(before)


def _terabyte(path: Path) -> None:
    """Zeros that take no room on the disk."""
    path.touch()
    os.truncate(path, 2**40)


STRANGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "not a plain file"),
    "socket": (_socket, "not a plain file"),
    "folder": (Path.mkdir, "not a plain file|no .txt files below it|the list is empty"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "not a plain file|link leads out"),
    "file without an end": (lambda path: path.symlink_to("/proc/self/pagemap"), ""),
    "link to itself": (lambda path: path.symlink_to(path.name), "symbolic links|Symlink loop|no such file"),
    "terabyte": (_terabyte, "larger than|longer than"),
}
"""How it is made, and what is said of it."""

LARGE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "coco of nothing": ("coco", lambda: b"[" + b"{}," * 33_000_000 + b"{}]", "too much memory|annotation 0"),
    "yolo": ("yolo", lambda: b"0 .5 .5 .1 .1\n" * 7_000_000, "larger than"),
    "list": ("list of frames", lambda: b"12345\n" * 16_000_000, "larger than"),
    "map": ("map of names", lambda: b"a b\n" * 25_000_000, "larger than"),
    "map of lists": ("map of names", lambda: b'{"a":[' + b"[]," * 3_000_000 + b"1]}", "expected a visible"),
    "summary": ("summary", lambda: b'{"a":[' + b"[]," * 33_000_000 + b"1]}", "larger than"),
    "summary of lists": ("summary", lambda: b'{"a":[' + b"[]," * 16_000_000 + b"1]}", "too much memory"),
}
LARGEST: dict[str, tuple[str, Callable[[], bytes]]] = {
    "list": ("list of frames", lambda: "\n".join(map(str, range(1_200_000))).encode()),
    "map": ("map of names", lambda: "\n".join(f"{n} {n}" for n in range(600_000)).encode()),
}
"""Files that are just not too large."""


def attempt(reader: str, make: Callable[[Path], object], folder: Path, box: Sandbox) -> tuple[Outcome, Path]:
    """What becomes of a file, and the file."""
    action, name, below = READERS[reader]
    path = folder / name
    file = path / below
    file.parent.mkdir(exist_ok=True)
    make(file)
    outcome = box.attempt(action, path)
    shutil.rmtree(folder)
    return outcome, file


def check_named(outcome: Outcome, file: Path, told: str) -> None:
    assert outcome.kind == "named", outcome.told
    assert file.name in outcome.told
    assert re.search(told, outcome.told), outcome.told
    assert "\n" not in outcome.told.strip()
    assert len(outcome.told) < 1000


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_plain_file_is_named_at_once(
    reader: str, strange: str, tmp_path: Path, box: Sandbox, tally: Tally
) -> None:
    make, told = STRANGE[strange]
    outcome, file = attempt(reader, make, tmp_path, box)
    tally("no plain file", outcome.survived)
    check_named(outcome, file, told)


@pytest.mark.parametrize("case", apart(LARGE, "summary of lists"))
def test_a_file_that_is_too_large_is_named(case: str, tmp_path: Path, box: Sandbox, tally: Tally) -> None:
    reader, content, told = LARGE[case]
    outcome, file = attempt(reader, lambda path: path.write_bytes(content()), tmp_path, box)
    tally("large file", outcome.survived)
    check_named(outcome, file, told)


@pytest.mark.faults
@pytest.mark.parametrize("case", LARGEST)
def test_a_file_of_the_largest_size_is_read(case: str, tmp_path: Path, box: Sandbox, tally: Tally) -> None:
    reader, content = LARGEST[case]
    outcome, _ = attempt(reader, lambda path: path.write_bytes(content()), tmp_path, box)
    tally("large file", outcome.survived)
    assert outcome.kind == "read", outcome.told
