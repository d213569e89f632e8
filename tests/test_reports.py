"""What a worker hands on of a test is text in UTF-8, and otherwise as pytest made it."""

from __future__ import annotations

from .conftest import in_utf_8


def test_what_is_not_utf_8_is_escaped_and_everything_keeps_its_type() -> None:
    told = {
        "longrepr": ("a\udcff.py", 85, "Skipped: why"),
        "sections": [("log", "b\udcff")],
        "duration": 0.5,
    }
    assert in_utf_8(told) == {
        "longrepr": ("a\\udcff.py", 85, "Skipped: why"),
        "sections": [("log", "b\\udcff")],
        "duration": 0.5,
    }
