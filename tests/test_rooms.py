"""The rooms in docs/architecture.md are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import REPOSITORY, tool

PAGE = REPOSITORY / "docs" / "architecture.md"


def test_the_drawn_rooms_are_those_of_the_code() -> None:
    assert tool("rooms", "--check") == (0, "")


@pytest.mark.parametrize("line", ["  pipeline.report --> pipeline.align\n", "  trainer.commands ---> trainer.track\n"])
def test_a_page_that_lacks_an_arrow_is_stale_until_it_is_drawn_again(line: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    text = PAGE.read_text()
    assert line in text
    page.write_text(text.replace(line, ""))
    assert tool("rooms", "--check", page) == (1, f"{page}: the rooms have changed: run `make rooms`")
    assert tool("rooms", page) == (0, "")
    assert page.read_text() == text


def test_a_page_without_a_place_for_the_rooms_is_named_and_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no marks\n")
    code, said = tool("rooms", page)
    assert code == 1
    assert "no place for the rooms" in said
    assert page.read_text() == "no marks\n"
