"""The page, the index and the check of shards with tubes that have many gaps, or that lie in many shards."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import pytest

from pipeline.shards import reader

from ....conftest import Run, done
from .clips import Clip, Thing, draw_clips

SPARSE = [frame for frame in range(30) if frame % 5 in (0, 2, 4)]
"""Frames 0, 2, 4, 5, 7, 9, 10, ...: most neighbours are two apart, and some are one."""


def test_a_tube_that_is_mostly_seen_in_every_second_frame_is_counted_and_drawn(prep: Run, tmp_path: Path) -> None:
    clips = draw_clips(tmp_path, {"a": Clip(30, [Thing((8, 30, 20, 30), (2, 0.5), SPARSE)])}, ids=True)
    out = tmp_path / "s"
    done(prep("mine", *clips.words, "--out", out))
    assert json.loads((out / "index.json").read_text())["totals"]["tubes"]["gaps"] == {"count": 12, "steps": 12}
    assert "sound" in done(prep("verify", out))
    done(prep("report", out, "--out", tmp_path / "p.html"))
    assert "18 boxes in frames 0 to 29, 12 gaps" in (tmp_path / "p.html").read_text()


def test_no_more_than_one_shard_is_open_at_a_time_and_none_at_the_end(
    prep: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process may have 1024 open files, a folder more shards."""
    opened: list[h5py.File] = []
    at_once: list[int] = []
    open_shard = reader.open_shard

    def noted(path: Path) -> h5py.File:
        opened.append(open_shard(path))
        at_once.append(sum(map(bool, opened)))
        return opened[-1]

    monkeypatch.setattr(reader, "open_shard", noted)
    clips = draw_clips(tmp_path, {"a": Clip(24, [Thing((8, 30, 20, 30), (2, 0.5), range(24))])})
    out = tmp_path / "s"
    for words in (
        ("mine", *clips.words, "--pairs-per-shard", 4, "--workers", 1, "--out", out),
        ("verify", out),
        ("report", out, "--out", tmp_path / "p.html"),
    ):
        opened.clear()
        at_once.clear()
        done(prep(*words))
        assert len(opened) >= 6
        assert max(at_once) == 1
        assert not any(opened)
