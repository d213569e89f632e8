"""Files are written whole or not at all, and by one writer."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from pipeline.files.writing import parts_of, write_bytes, write_text, written, written_text

from ...conftest import REPOSITORY

EXCEPTIONS = {
    ("pipeline/runtime/output.py", "locked", "open"): "the lock of a folder",
    ("pipeline/runtime/console.py", "_lasting", "open"): "the null device",
    ("pipeline/runtime/console.py", "hushed", "open"): "the null device",
    ("pipeline/shards/sink.py", "write_hdf5", "open"): "HDF5, at the part's path",
    ("pipeline/shards/sink.py", "write_hdf5", "File"): "HDF5, into that file",
    ("pipeline/files/writing.py", "written", "replace"): "the writer: a part gets its name",
    ("trainer/checkpoints/run_folder.py", "RunFolder.log", "open"): "metrics.jsonl grows",
    ("trainer/study/run/launch.py", "launch", "open"): "a run's output grows",
    ("trainer/train/record.py", "_tensorboard_writer", "SummaryWriter"): "TensorBoard's own files",
    ("trainer/track/videos.py", "_open", "VideoWriter"): "video, at the part's path",
}
"""Calls that write a file by other means, each by its file, its function and its name, and why."""

ALWAYS = {
    *("write_text", "write_bytes", "touch", "hardlink_to", "symlink_to", "copy_into", "move_into"),
    *("imwrite", "imwritemulti", "VideoWriter", "tofile", "savetxt", "savez", "savez_compressed"),
    *("save_file", "SummaryWriter", "mkstemp", "NamedTemporaryFile", "to_csv", "to_json", "imsave"),
    *("copyfile", "copy2", "copytree"),
}
"""Whatever is called by such a name writes."""
OF_MODULE = {
    "shutil": {"copy", "move"},
    "os": {"replace", "rename", "link", "symlink", "mknod"},
    "safetensors.torch": {"save_model"},
    "": {"save_model"},
}
OPENERS = {"open", "File", "FileIO", "fdopen", "ZipFile", "TarFile", "GzipFile", "memmap", "open_memmap"}
"""These write where a mode says so."""


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


def called(call: ast.Call) -> tuple[str, str]:
    """What a function is called, and the name that stands before it: ``np``, ``save``; no name before it is empty."""
    if isinstance(call.func, ast.Attribute):
        return ast.unparse(call.func.value), call.func.attr
    return "", ast.unparse(call.func)


def writes(call: ast.Call) -> bool:
    """Whether a call writes a file by itself: by a function of that name, or by opening one for it."""
    owner, name = called(call)
    text = ast.unparse(call)
    if name in ALWAYS:
        # Our own functions of such a name are no methods.
        return bool(owner) or name not in {"write_text", "write_bytes"}
    if name in OF_MODULE.get(owner, ()):
        return True
    if name == "replace":
        # A text's takes two.
        return len(call.args) == 1 and not call.keywords
    if name == "rename":
        return True
    if name == "save":
        # Those of pages and of sightings go through the writer.
        return owner not in {"html", "sightings"}
    if name == "savefig":
        return not isinstance(call.args[0], ast.Name) or "buffer" not in call.args[0].id
    if owner == "os" and name == "open":
        return any(flag in text for flag in ("O_WRONLY", "O_RDWR", "O_CREAT", "O_APPEND", "O_TRUNC"))
    modes = [*call.args, *(word.value for word in call.keywords if word.arg == "mode")]
    texts = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
    letters = [set(text.partition(":")[0]) for text in texts]
    return name in OPENERS and any(each <= set("rwaxbt+-") and each & set("wax+") for each in letters)


class Writers(ast.NodeVisitor):
    """Calls that write, each by its function and its name; not those on the part that the writer hands out."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self.place: list[str] = []
        self.parts: list[set[str]] = [set()]

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        self.place.append(node.name)
        self.parts.append(self.parts[-1] | handed_out(node))
        self.generic_visit(node)
        self.place.pop()
        self.parts.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Call(self, node: ast.Call) -> None:
        if writes(node) and not self.parts[-1] & {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}:
            self.found.append((".".join(self.place), called(node)[1]))
        self.generic_visit(node)


def handed_out(function: ast.AST) -> set[str]:
    """Names of the parts that a function gets from the writer: ``with written(path) as part``."""
    items = [item for each in ast.walk(function) if isinstance(each, ast.With) for item in each.items]
    return {
        item.optional_vars.id
        for item in items
        if isinstance(item.context_expr, ast.Call)
        and called(item.context_expr)[1] == "written"
        and isinstance(item.optional_vars, ast.Name)
    }


def writers(code: str) -> list[tuple[str, str]]:
    visitor = Writers()
    visitor.visit(ast.parse(code))
    return visitor.found


def test_every_file_goes_through_the_writer_or_is_a_named_exception() -> None:
    found = [
        (path.relative_to(REPOSITORY).as_posix(), *writer)
        for package in ("pipeline", "trainer", "data_manifests")
        for path in sorted((REPOSITORY / package).rglob("*.py"))
        for writer in writers(path.read_text())
    ]
    assert sorted(found) == sorted(EXCEPTIONS)


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("path.write_text('a')", True),
        ("path.open('w')", True),
        ("open(path, mode='ab')", True),
        ("path.open('wb+', buffering=0)", True),
        ("cv2.imwrite(name, picture)", True),
        ("drawn.savefig(folder / 'a.png')", True),
        ("torch.save(state, path)", True),
        ("save_file(weights, path)", True),
        ("safetensors.torch.save_file(weights, path)", True),
        ("h5py.File(path, 'w')", True),
        ("h5py.File(path, mode='a')", True),
        ("np.save(path, array)", True),
        ("np.savez(path, a=array)", True),
        ("np.savez_compressed(path, a=array)", True),
        ("np.savetxt(path, array)", True),
        ("array.tofile(path)", True),
        ("np.memmap(path, np.uint8, 'w+')", True),
        ("os.open(path, os.O_WRONLY | os.O_CREAT)", True),
        ("os.fdopen(number, 'w')", True),
        ("shutil.copy(path, other)", True),
        ("shutil.copyfile(path, other)", True),
        ("shutil.copytree(path, other)", True),
        ("shutil.move(path, other)", True),
        ("copy2(path, other)", True),
        ("os.replace(path, other)", True),
        ("path.rename(other)", True),
        ("path.replace(other)", True),
        ("path.touch()", True),
        ("zipfile.ZipFile(path, 'w')", True),
        ("tarfile.open(path, 'w:gz')", True),
        ("with written(path) as part: torch.save(state, other)", True),
        ("def f():\n with written(path) as part: torch.save(state, part)", False),
        ("def f():\n with written(path) as part:\n  def g(): part.write_bytes(data)", False),
        ("def f():\n with written(path) as part: pass\ndef g(part): torch.save(state, part)", True),
        ("drawn.savefig(buffer)", False),
        ("path.open('rb')", False),
        ("path.open()", False),
        ("h5py.File(path, 'r')", False),
        ("os.open(path, os.O_RDONLY)", False),
        ("zipfile.ZipFile(path)", False),
        ("array.copy()", False),
        ("text.replace('a', 'b')", False),
        ("html.save(page, path)", False),
        ("write_text(path, 'a')", False),
    ],
)
def test_the_search_for_writers_sees_one(code: str, wanted: bool) -> None:
    assert bool(writers(code)) is wanted


def test_a_writer_is_named_by_its_function_and_each_of_two_counts() -> None:
    code = "class A:\n def f(self):\n  path.touch()\n  path.touch()\nopen(path, 'w')"
    assert writers(code) == [("A.f", "touch"), ("A.f", "touch"), ("", "open")]
