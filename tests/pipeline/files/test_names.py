"""The natural order of names."""

from __future__ import annotations

from pipeline.files.names import natural


def test_numbers_count_and_what_only_looks_like_one_does_not_end_it() -> None:
    names = ["a10", "a9", "a²", "A9", "a010", "b1", "a"]
    assert sorted(names, key=natural) == ["a", "A9", "a9", "a010", "a10", "a²", "b1"]
