"""What the pages say of the code is true: the names in them are there, and the blocks of docs/python.md run."""

from __future__ import annotations

import re
import shlex
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import main

from .conftest import REPOSITORY

PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
MODULES = [path for pattern in ("*.py", "[a-z]*/**/*.py") for path in REPOSITORY.glob(pattern)]
DOTTED = re.compile(r"`((?:pipeline|trainer|tools|benchmarks)(?:\.\w+)+)[`(]")
FILE = re.compile(r"`([\w/]+\.py)`")
FOLDER = re.compile(r"`((?:pipeline|trainer|tests|tools|benchmarks|docs)/[\w/]*)`")
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE_BLOCK = re.compile(r"^# (\w+\.py)$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def is_there(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    words = name.split(".")
    for count in range(len(words), 0, -1):
        try:
            module = import_module(".".join(words[:count]))
        except ImportError:
            continue
        try:
            return reduce(getattr, words[count:], module) is not None
        except AttributeError:
            return False
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_name_in_a_page_is_one_of_the_code(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [name for name in DOTTED.findall(text) if not is_there(name)] == []
    known = [f"/{path.relative_to(REPOSITORY).as_posix()}" for path in MODULES]
    known += [f"/{name}" for name in FILE_BLOCK.findall(text)]
    assert [name for name in FILE.findall(text) if not any(path.endswith(f"/{name}") for path in known)] == []
    assert [name for name in FOLDER.findall(text) if not (REPOSITORY / name).is_dir()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_in_a_page_leads_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        there = page.parent / target if target else page
        assert there.exists(), target
        if anchor:
            headings = HEADING.findall(there.read_text(encoding="utf-8"))
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_check_of_names_can_fail() -> None:
    assert is_there("trainer.trackers.Tracker.update")
    assert not is_there("trainer.trackers.Tracker.nothing")
    assert not is_there("trainer.nothing")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_block_of_the_python_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, in one namespace, as in a notebook; a block that begins with a file's name is that file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    page = (REPOSITORY / "docs" / "python.md").read_text(encoding="utf-8")
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in BLOCK.finditer(page):
        kind, code = block.groups()
        file = FILE_BLOCK.match(code)
        if kind == "sh":
            program, *words = shlex.split(code)
            assert program == "cmd-prep"
            assert CliRunner().invoke(main, words).exit_code == 0
        elif file:
            (tmp_path / file[1]).write_text(code)
        else:
            line = page[: block.start()].count("\n") + 1
            exec(compile("\n" * line + code, "docs/python.md", "exec"), namespace)  # noqa: S102
