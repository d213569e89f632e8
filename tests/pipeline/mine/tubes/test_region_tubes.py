"""``cmd-prep mine --method random --tubes``, and ``center``: regions in shards, the same whoever works."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import numpy as np
import pytest

from pipeline.mine import stage
from pipeline.mine.methods import PairView, build_method
from pipeline.mine.methods.random import random_regions
from pipeline.mine.settings import MineConfig, MineSettings
from pipeline.mine.tubes import run
from pipeline.runtime import progress
from pipeline.runtime.progress import _COURSE
from pipeline.shards.reader import ShardReader
from pipeline.shards.tubes import StoredTube, stored_tubes

from ....conftest import SIZE, Run, done, lasting, told
from .clips import Clip, Clips, Thing, draw_clips

CUT = 21


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """A scene with something that moves, then another one; a frame is missing in the first."""
    clip = Clip(40, [Thing((30, 40, 40, 40), (1, 0.5), range(0))], cuts=[CUT], missing=[12])
    return draw_clips(tmp_path_factory.mktemp("street"), {"a": clip, "b": Clip(3)})


def mined(prep: Run, clips: Clips, out: Path, *words: object) -> list[StoredTube]:
    shared = ("--aligned", clips.aligned, "--tubes", "--fraction", "1/3", "--patch-size", 0, "--out", out)
    done(prep("mine", *shared, *words))
    return list(stored_tubes([ShardReader(path) for path in sorted(out.glob("shard-*.h5"))]))


def test_regions_are_stored_with_their_numbers_and_none_goes_over_a_cut(
    street: Clips, prep: Run, tmp_path: Path
) -> None:
    tubes = mined(prep, street, tmp_path / "s", "--method", "random")
    assert len(tubes) >= 2
    assert {tube.sequence for tube in tubes} == {"a"}
    assert [tube.number for tube in tubes] == list(range(len(tubes)))
    for tube in tubes:
        assert len(tube) >= 10
        assert 12 not in tube.frames
        assert tube.frames[-1] < CUT or tube.frames[0] >= CUT
        assert set(tube.classes.tolist()) == {-1}
    index = json.loads((tmp_path / "s" / "index.json").read_text())
    assert index["settings"]["max_fb_error"] == 0.02
    assert "linker" not in index["settings"]
    assert index["totals"]["tubes"]["cuts"] == 1
    assert "sound" in done(prep("verify", tmp_path / "s", "--deep"))


@pytest.mark.slow
def test_regions_are_the_same_bytes_for_two_workers(
    street: Clips, prep: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LENGTH", 13)
    for name, workers in (("a", 1), ("b", 2)):
        words = ("--method", "random", "--pairs-per-shard", 16, "--min-length", 5, "--workers", workers)
        assert mined(prep, street, tmp_path / name, *words)
    names = sorted(
        path.name for path in (tmp_path / "a").iterdir() if path.suffix in (".h5", ".npz", ".json", ".jsonl")
    )
    assert names.count("segment-00002.npz") == 1
    for name in names:
        assert lasting(tmp_path / "a" / name) == lasting(tmp_path / "b" / name)


def test_the_centre_is_followed_one_at_a_time(street: Clips, prep: Run, tmp_path: Path) -> None:
    words = ("--aligned", street.aligned, "--tubes", "--method", "center", "--center-fraction", 0.5, "--patch-size", 0)
    done(prep("mine", *words, "--out", tmp_path / "s"))
    tubes = list(stored_tubes([ShardReader(tmp_path / "s" / "shard-00000.h5")]))
    frames = np.concatenate([tube.frames for tube in tubes])
    assert len(frames) == len(set(frames.tolist())) > 10
    assert np.allclose(tubes[0].boxes[0], [SIZE[0] / 2 - 32, SIZE[1] / 2 - 32, 64, 64])


def test_regions_that_are_followed_start_where_random_would_draw_them() -> None:
    used = MineSettings(method="random", patches_per_pair=4, max_overlap=1)
    pair = PairView("a/1", SIZE, np.array([[0, 0], [160, 0], [160, 128], [0, 128]], np.float64))
    starts = build_method(used).starts(pair)  # type: ignore[attr-defined]
    for proposal in random_regions(pair, 4, used):
        assert np.array_equal(next(starts), proposal.box)


def test_how_far_a_region_may_miss_is_a_setting_of_regions_alone(street: Clips, prep: Run, tmp_path: Path) -> None:
    loose = ("--max-fb-error", 0.05, "--out", tmp_path / "s")
    told(prep("mine", *street.words, *loose), 2, "--max-fb-error has no effect here")
    words = ("--aligned", street.aligned, "--method", "random", *loose)
    told(prep("mine", *words), 2, "--max-fb-error has no effect here")


@pytest.mark.parametrize(("method", "share"), [("center", 1.0), ("random", 0.5)])
def test_while_tubes_are_followed_mining_counts_as_what_is_to_come(
    street: Clips, tmp_path: Path, method: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []

    def noted(*_: object, **__: object) -> NoReturn:
        course = _COURSE.get()
        assert course
        told.append(course.after_s(100.0))
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "follow_all", noted)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: 0.0))
    with pytest.raises(KeyboardInterrupt):
        stage.run(MineConfig(aligned=street.aligned, out=tmp_path / "s", tubes=True, method=method))
    assert told == [100.0 * share]
