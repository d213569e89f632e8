"""Registries: names and import paths, the nearest name in the refusal, and one's own code beside what is listed."""

from __future__ import annotations

import hashlib
import importlib
import sys
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.plugins import Registry
from pipeline.registries import DETECTORS

SHAPES = Registry("shape", {"square": "shapes.square:draw", "circle": "shapes.circle:draw"})


@pytest.mark.parametrize("name", ["square", "circle", "own:draw", "own.deep.module:Draw_2"])
def test_a_listed_name_and_an_import_path_are_taken(name: str) -> None:
    assert SHAPES.check(name) == name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sqare", "no shape is called 'sqare': did you mean square\\? choose square, circle, or name your own"),
        ("x", "no shape is called 'x': choose square"),
        ("own", "no shape"),
        ("own:", "no shape"),
        (":draw", "no shape"),
        ("own:draw()", "no shape"),
        ("../own:draw", "no shape"),
        ("", "no shape"),
    ],
)
def test_any_other_name_is_refused_with_the_nearest(name: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        SHAPES.check(name)


def test_ones_own_is_imported_by_its_path_and_known_by_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = b"def draw():\n    return 'mine'\n"
    (tmp_path / "planted_shape.py").write_bytes(source)
    monkeypatch.syspath_prepend(tmp_path)
    assert SHAPES.load("planted_shape:draw")() == "mine"
    assert SHAPES.source_sha256("planted_shape:draw") == hashlib.sha256(source).hexdigest()
    assert SHAPES.source_sha256("square") is None
    with pytest.raises(UsageError, match=r"shape planted_shape:paint: module planted_shape has no paint: mend the"):
        SHAPES.load("planted_shape:paint")


def test_what_ones_own_module_lacks_is_no_matter_of_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "planted_needy.py").write_text("from json import nothing_such\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=r"shape planted_needy:draw: cannot import name .*: mend the module, or"):
        SHAPES.load("planted_needy:draw")


def test_a_file_that_changed_after_it_was_imported_is_not_taken_for_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever imported it, the registry or somebody before; a reload runs the new file."""
    path = tmp_path / "planted_growing.py"
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for first in (lambda: SHAPES.load("planted_growing:draw"), lambda: importlib.import_module("planted_growing")):
        monkeypatch.delitem(sys.modules, "planted_growing", raising=False)
        path.write_text("def draw(): return 1\n")
        # Python itself takes a file of equal size and second for the same.
        importlib.invalidate_caches()
        first()
        path.write_text("def draw(): return 'another'\n")
        with pytest.raises(UsageError, match=r"shape planted_growing:draw: .*planted_growing.py changed .*restart"):
            SHAPES.source_sha256("planted_growing:draw")
        importlib.reload(sys.modules["planted_growing"])
        assert SHAPES.load("planted_growing:draw")() == "another"
        assert SHAPES.source_sha256("planted_growing:draw") == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_changed_and_was_not_imported_is_known_by_what_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for source in (b"a = 1\n", b"a = 22\n"):
        (tmp_path / "planted_unused.py").write_bytes(source)
        assert SHAPES.source_sha256("planted_unused:draw") == hashlib.sha256(source).hexdigest()


@pytest.mark.parametrize("name", ["nowhere:draw", "nowhere.deep:draw", "os.nowhere:draw"])
def test_what_cannot_be_imported_is_told_in_one_line(name: str) -> None:
    for use in (SHAPES.load, SHAPES.source_sha256):
        with pytest.raises(UsageError, match=f"shape {name}: .*PYTHONPATH") as caught:
            use(name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "reason"), [("square", "No module named 'shapes'"), ("round", "json has no round")])
def test_a_listed_choice_that_cannot_be_imported_is_no_matter_of_paths(name: str, reason: str) -> None:
    shapes = Registry("shape", {"square": "shapes.square:draw", "round": "json:round"})
    with pytest.raises(UsageError, match=f"shape {name}: .*{reason}: this installation lacks it") as caught:
        shapes.load(name)
    assert "PYTHONPATH" not in str(caught.value)


@pytest.mark.parametrize("name", ["sys:exit", "__main__.x:draw"])
def test_code_that_comes_from_no_file_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="shape"):
        SHAPES.source_sha256(name)


@pytest.mark.parametrize("name", [*DETECTORS])
def test_what_the_registry_lists_is_there(name: str) -> None:
    assert callable(DETECTORS.load(name))
