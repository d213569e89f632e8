"""docs/settings.md is of the flags and the settings in the code."""

from __future__ import annotations

from pathlib import Path

from .conftest import REPOSITORY, tool

PAGE = REPOSITORY / "docs" / "settings.md"


def test_the_page_is_of_the_code_and_names_every_kind_of_setting() -> None:
    assert tool("settings", "--check") == (0, "")
    text = PAGE.read_text()
    for row in (
        "| `--min-score` | number 0 to 1 | share | `0.3` | Reject below it;",
        "| `--save-frames` | nothing |",
        "| `save_minutes` | number from 0 | minutes | `10` | between two states that are saved within an epoch",
        "| `rates.tcl` | number above 0 or nothing | a step | nothing |",
        "| `image_sample_size` | whole number from 64 or list | px | `288`, superdimp `352` | side of the",
    ):
        assert f"\n{row}" in text


def test_a_page_that_lacks_a_flag_is_stale_until_it_is_written_again(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    lines = PAGE.read_text().splitlines(keepends=True)
    page.write_text("".join(line for line in lines if "`--min-score`" not in line))
    assert tool("settings", "--check", page) == (1, f"{page}: settings have changed: run `make settings`")
    assert tool("settings", page) == (0, "")
    assert page.read_text() == PAGE.read_text()
