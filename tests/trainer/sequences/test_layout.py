"""Where the sequences of a data set lie."""

from __future__ import annotations

from pathlib import Path

from trainer.sequences.layout import named_by


def test_characters_of_patterns_in_names_are_plain_letters(tmp_path: Path) -> None:
    root = tmp_path / "set [1]*"
    for name in ("car[0]", "dog*", "x?"):
        (root / "[IR]" / name / "img").mkdir(parents=True)
    found = dict(named_by(root, "[IR]/{sequence}/img"))
    assert found == {name: root / "[IR]" / name / "img" for name in ("car[0]", "dog*", "x?")}
