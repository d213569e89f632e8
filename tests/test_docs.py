"""What the pages say of the code is true: the names in them are there."""

from __future__ import annotations

import re
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest

from .conftest import REPOSITORY

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
MODULES = {path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("[a-z]*/**/*.py")}
DOTTED = re.compile(r"`((?:pipeline|trainer|tools|benchmarks)(?:\.\w+)+)[`(]")
FILE = re.compile(r"`([\w/]+\.py)`")
FOLDER = re.compile(r"`((?:pipeline|trainer|tests|tools|benchmarks|docs)/[\w/]*)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")


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
    known = {f"/{module}" for module in MODULES}
    assert [name for name in FILE.findall(text) if not any(module.endswith(f"/{name}") for module in known)] == []
    assert [name for name in FOLDER.findall(text) if not (REPOSITORY / name).is_dir()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_in_a_page_leads_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_check_of_names_can_fail() -> None:
    assert is_there("trainer.trackers.Tracker.update")
    assert not is_there("trainer.trackers.Tracker.nothing")
    assert not is_there("trainer.nothing")
