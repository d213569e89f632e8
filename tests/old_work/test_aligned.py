"""Pairs that version 0.1.0 aligned: they are kept and shown, and what it left unfinished is refused or begun anew."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .old_world import command, kept


def align(work: Path, out: str, *words: object, code: int = 0) -> str:
    """``cmd-prep align`` as the old pairs were aligned."""
    return command(work, "cmd-prep", "align", "--root", "pairs", "--out", out, "--workers", 1, *words, code=code)


@pytest.mark.slow
def test_aligning_again_keeps_old_pairs(work: Path) -> None:
    before = kept(work / "aligned", "*")
    assert "aligned is finished and kept" in align(work, "aligned")
    assert kept(work / "aligned", "*.json*") | kept(work / "aligned", ".lock") == before
    assert "settings.min_score: 0.3 -> 0.5" in align(work, "aligned", "--min-score", 0.5, code=2)
    assert re.search("^reasons +blank 1$", command(work, "cmd-prep", "inspect", "aligned"), re.MULTILINE)
    command(work, "cmd-prep", "report", "aligned", "--root", "pairs", "--out", "page.html")
    assert "data:image/webp" in (work / "page.html").read_text()


def test_unfinished_aligning_is_refused_since_pairs_are_registered_otherwise_now(work: Path) -> None:
    before = kept(work / "aligned_unfinished", "*.json", "parts/*")
    assert "results: 1 -> 2" in align(work, "aligned_unfinished", code=2)
    assert kept(work / "aligned_unfinished", "*.json", "parts/*") == before
    align(work, "aligned_unfinished", "--on-existing", "overwrite")
    old, new = (
        [json.loads(line)["pair_id"] for line in (work / name / "aligned.jsonl").read_text().splitlines()]
        for name in ("aligned", "aligned_unfinished")
    )
    assert new == old
    assert json.loads((work / "aligned_unfinished/align.json").read_text())["reasons"] == {"blank": 1}


def test_unfinished_aligning_under_other_settings_is_refused(work: Path) -> None:
    before = kept(work / "aligned_unfinished", "*.json", "parts/*")
    assert "settings.model: auto -> affine" in align(work, "aligned_unfinished", "--model", "affine", code=2)
    assert kept(work / "aligned_unfinished", "*.json", "parts/*") == before
