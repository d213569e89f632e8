"""``cmd-prep mine --method detection --tubes``: what is linked, what is not, and that it is the same whoever works."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pipeline.mine.tubes import run, segment_task
from pipeline.shards.reader import ShardReader
from pipeline.shards.tubes import StoredTube, stored_tubes

from ....conftest import Run, done, lasting, told
from .clips import Clip, Clips, Thing, draw_clips

WALKER = Thing((8, 30, 20, 30), (2, 0.5), range(40), 0)
FACING = Thing((120, 50, 24, 24), (-2, 0.25), range(40), 2)
SHORT = Thing((60, 90, 20, 20), (0.5, 0), range(30, 36), 0)


def tubes_of(folder: Path) -> list[StoredTube]:
    return list(stored_tubes([ShardReader(path) for path in sorted(folder.glob("shard-*.h5"))]))


def totals(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "index.json").read_text())["totals"]
    return content


def rejected(folder: Path) -> dict[str, str]:
    rows = [json.loads(line) for line in (folder / "rejects.jsonl").read_text().splitlines()]
    return {row["pair_id"]: row["reason"] for row in rows}


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Two things that go past one another, one that is there for too short, and a sequence of three frames."""
    clip = Clip(40, [WALKER, FACING, SHORT], missing=[11, 12])
    return draw_clips(tmp_path_factory.mktemp("crossing"), {"a": clip, "b": Clip(3, [WALKER])})


@pytest.fixture(scope="module")
def followed(crossing: Clips, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("followed") / "s"
    from click.testing import CliRunner

    from pipeline.cli import main

    words = ("mine", *crossing.words, "--out", out, "--workers", 1, "--pairs-per-shard", 16)
    done(CliRunner().invoke(main, [str(word) for word in words]))
    return out


def test_a_tube_is_one_object_with_the_box_and_the_score_that_each_frame_has_of_it(followed: Path) -> None:
    first, second = tubes_of(followed)
    for tube, thing in ((first, WALKER), (second, FACING)):
        assert tube.frames.tolist() == [frame for frame in range(40) if frame not in (11, 12)]
        assert np.allclose(tube.boxes, [thing.box(frame) for frame in tube.frames.tolist()])
        assert set(tube.classes.tolist()) == {thing.category}
    assert (first.number, second.number) == (0, 1)
    counts = totals(followed)["tubes"]
    assert counts["count"] == 2
    assert counts["boxes"] == 76
    assert counts["lengths"] == {"shortest": 38, "median": 38, "longest": 38}
    assert counts["classes"] == {"0": 1, "2": 1}
    assert counts["gaps"] == {"count": 2, "steps": 4}
    assert counts["dropped"] == {"short": 1}
    assert (counts["cuts"], counts["duplicates"]) == (0, 0)
    assert rejected(followed) == {f"b/f{frame}": "no_tube" for frame in range(3)}


def test_scores_are_each_box_s_own(followed: Path) -> None:
    readers = [ShardReader(path) for path in sorted(followed.glob("shard-*.h5"))]
    for tube, thing in zip(tubes_of(followed), (WALKER, FACING)):
        scores = [float(readers[shard].array("patches/score")[row]) for shard, row in tube.rows.tolist()]
        assert np.allclose(scores, [thing.score(frame) for frame in tube.frames.tolist()])


def test_the_settings_of_tubes_are_recorded_and_the_folder_is_sound(followed: Path, prep: Run) -> None:
    settings = json.loads((followed / "index.json").read_text())["settings"]
    assert {name: settings[name] for name in ("tubes", "max_gap", "min_length")} == {
        "tubes": True,
        "max_gap": 10,
        "min_length": 10,
    }
    assert not {"fallback", "fraction", "max_overlap"} & settings.keys()
    assert "sound; boxes of 38 pairs" in done(prep("verify", followed, "--deep"))


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_neither_workers_nor_where_a_sequence_is_cut_change_a_tube(
    crossing: Clips, followed: Path, prep: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(run, "LENGTH", 9)
    monkeypatch.setattr(run, "WARM", 4)
    words = (*crossing.words, "--max-gap", 3, "--pairs-per-shard", 16, "--workers", workers)
    done(prep("mine", *words, "--out", tmp_path / "s"))
    assert len(list((tmp_path / "s").glob("segment-*.npz"))) == 4
    for one, other in zip(tubes_of(tmp_path / "s"), tubes_of(followed), strict=True):
        assert (one.sequence, one.number) == (other.sequence, other.number)
        assert np.array_equal(one.frames, other.frames)
        assert np.array_equal(one.boxes, other.boxes)


@pytest.mark.slow
def test_two_workers_give_the_same_bytes(crossing: Clips, followed: Path, prep: Run, tmp_path: Path) -> None:
    done(prep("mine", *crossing.words, "--pairs-per-shard", 16, "--workers", 2, "--out", tmp_path / "s"))
    names = sorted(path.name for path in followed.iterdir() if path.suffix in (".h5", ".npz", ".json", ".jsonl"))
    assert "segment-00000.npz" in names
    for name in names:
        assert lasting(tmp_path / "s" / name) == lasting(followed / name)


def test_a_killed_run_goes_on_with_the_segments_that_are_done(
    crossing: Clips, followed: Path, prep: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LENGTH", 9)
    out, more = tmp_path / "s", ("--max-gap", 3, "--pairs-per-shard", 16)
    done(prep("mine", *crossing.words, *more, "--out", tmp_path / "whole"))
    seen: list[str] = []
    follow = segment_task.follow_segment

    def killed(task: segment_task.SegmentTask) -> str:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(task.path.name)
        return follow(task)

    monkeypatch.setattr(run, "follow_segment", killed)
    assert prep("mine", *crossing.words, *more, "--out", out).exit_code == 4
    (out / "segment-00001.npz").write_bytes((out / "segment-00001.npz").read_bytes()[:-40])
    (out / "segment-00003.npz.part-0123abcd.npz").write_bytes(b"half")
    seen.clear()
    seen.append("")
    monkeypatch.setattr(run, "follow_segment", lambda task: (seen.append(task.path.name), follow(task))[1])
    done(prep("mine", *crossing.words, *more, "--out", out))
    assert seen[1:] == ["segment-00001.npz", "segment-00002.npz", "segment-00003.npz"]
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in (tmp_path / "whole").iterdir())
    for path in out.glob("s*"):
        assert path.read_bytes() == (tmp_path / "whole" / path.name).read_bytes()
    done(prep("mine", *crossing.words, *more, "--max-gap", 4, "--on-existing", "overwrite", "--out", out))
    assert len(list(out.glob("segment-*.npz"))) == 4
    left = {path.name for path in out.iterdir()} - {path.name for path in (tmp_path / "whole").iterdir()}
    assert left == set()


def test_no_tube_goes_over_a_cut_though_something_stands_there_before_and_after(
    prep: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    standing = Thing((60, 50, 30, 30), (0, 0), range(60))
    clips = draw_clips(tmp_path, {"a": Clip(60, [standing], cuts=[20, 41])})
    with caplog.at_level(logging.INFO):
        done(prep("mine", *clips.words, "--out", tmp_path / "s"))
    assert [(tube.frames.min(), tube.frames.max()) for tube in tubes_of(tmp_path / "s")] == [
        (0, 19),
        (20, 40),
        (41, 59),
    ]
    assert len({tube.number for tube in tubes_of(tmp_path / "s")}) == 3
    assert totals(tmp_path / "s")["tubes"]["cuts"] == 2
    assert "2 cuts: " in caplog.text


def test_a_frame_that_shows_the_one_before_again_is_in_no_tube(
    prep: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clips = draw_clips(tmp_path, {"a": Clip(30, [WALKER], copies=[7, 8, 20])})
    done(prep("mine", *clips.words, "--out", tmp_path / "s"))
    (tube,) = tubes_of(tmp_path / "s")
    assert tube.frames.tolist() == [frame for frame in range(30) if frame not in (7, 8, 20)]
    assert "3 frames show the picture before them once more, and are in no tube" in caplog.text
    assert rejected(tmp_path / "s") == {f"a/f{frame}": "no_tube" for frame in (7, 8, 20)}
    assert totals(tmp_path / "s")["tubes"]["duplicates"] == 3


def test_a_gap_is_bridged_up_to_max_gap_and_no_further(prep: Run, tmp_path: Path) -> None:
    seen = [frame for frame in range(40) if not 14 <= frame < 19]
    clips = draw_clips(tmp_path, {"a": Clip(40, [Thing((20, 40, 30, 40), (1, 0), seen)])})
    for gap, lengths in ((6, [35]), (5, [14, 21])):
        done(prep("mine", *clips.words, "--max-gap", gap, "--out", tmp_path / f"s{gap}"))
        assert [len(tube) for tube in tubes_of(tmp_path / f"s{gap}")] == lengths
    done(prep("mine", *clips.words, "--max-gap", 5, "--min-length", 15, "--out", tmp_path / "long"))
    assert [len(tube) for tube in tubes_of(tmp_path / "long")] == [21]
    assert totals(tmp_path / "long")["tubes"]["dropped"] == {"short": 1}


def test_a_pair_has_no_more_tubes_than_patches_per_pair_and_the_rarer_class_goes_first(
    prep: Run, tmp_path: Path
) -> None:
    things = [Thing((6 + 30 * n, 30, 20, 30), (0.2, 0.3), range(20 + 2 * n), int(n == 0)) for n in range(4)]
    clips = draw_clips(tmp_path, {"a": Clip(30, things)})
    done(prep("mine", *clips.words, "--patches-per-pair", 2, "--out", tmp_path / "s"))
    assert sorted((int(tube.classes[0]), len(tube)) for tube in tubes_of(tmp_path / "s")) == [(0, 26), (1, 20)]
    assert totals(tmp_path / "s")["tubes"]["dropped"] == {"crowded": 2}


def test_boxes_that_say_whose_they_are_are_linked_by_that(prep: Run, tmp_path: Path) -> None:
    """However far apart they lie."""
    leaping = Thing((10, 20, 20, 20), (60, 0), [0, 1])
    clips = draw_clips(tmp_path, {"a": Clip(24, [Thing((10, 20, 20, 20), (5, 3.5), range(24)), leaping])}, ids=True)
    done(prep("mine", *clips.words, "--out", tmp_path / "s"))
    assert [tube.frames.tolist() for tube in tubes_of(tmp_path / "s")] == [list(range(24))]


def test_still_pictures_are_told_in_one_line(prep: Run, tmp_path: Path) -> None:
    clips = draw_clips(tmp_path, {f"s{n}": Clip(1, [WALKER]) for n in range(3)})
    told(prep("mine", *clips.words, "--out", tmp_path / "s"), 3, "holds no video: its longest sequence has 1 frames")
    assert not (tmp_path / "s").exists()


def test_pictures_of_other_scenes_each_make_no_tube_and_it_is_said(
    prep: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    standing = Thing((60, 50, 30, 30), (0, 0), range(12))
    clips = draw_clips(tmp_path, {"a": Clip(12, [standing], cuts=range(1, 12))})
    result = prep("mine", *clips.words, "--out", tmp_path / "s")
    assert result.exit_code == 1
    assert "no tube of 10 frames or more (short 1" in caplog.text or "11 cuts" in caplog.text


@pytest.mark.parametrize("rate", [None, 30.0])
def test_a_stride_is_told_and_counts_as_one_step(
    prep: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture, rate: float | None
) -> None:
    clips = draw_clips(tmp_path, {"a": Clip(20, [WALKER], stride=20, rate=rate, missing=[5])})
    done(prep("mine", *clips.words, "--out", tmp_path / "s"))
    assert "frames of 1 of 1 sequences are far apart, such as those of a by 20 numbers" in caplog.text
    (tube,) = tubes_of(tmp_path / "s")
    assert tube.frames.tolist() == [20 * frame for frame in range(20) if frame != 5]
    assert totals(tmp_path / "s")["tubes"]["gaps"] == {"count": 1, "steps": 1}


def _class(file: h5py.File) -> None:
    file["patches/class"][3] = 5


def _frame(file: h5py.File) -> None:
    file["pairs/frame"][3] = file["pairs/frame"][2]


@pytest.mark.parametrize(
    ("change", "fault"),
    [(_class, "its boxes are of classes"), (_frame, "two boxes are of one frame")],
)
def test_verify_finds_what_cannot_be_of_tubes(
    followed: Path, prep: Run, tmp_path: Path, change: Any, fault: str
) -> None:
    shutil.copytree(followed, tmp_path / "s")
    path = tmp_path / "s/shard-00000.h5"
    with h5py.File(path, "r+") as file:
        change(file)
    _sign(tmp_path / "s", path)
    result = prep("verify", tmp_path / "s")
    assert result.exit_code == 3
    assert fault in result.output
    assert "--on-existing overwrite" in result.stderr


def _sign(folder: Path, shard: Path) -> None:
    """Write the hash of an altered shard into the index, as whoever made it so would."""
    from pipeline.files.hashing import file_sha256

    index = json.loads((folder / "index.json").read_text())
    for entry in index["shards"]:
        if entry["file"] == shard.name:
            entry |= {"sha256": file_sha256(shard), "bytes": shard.stat().st_size}
    (folder / "index.json").write_text(json.dumps(index))


def test_the_page_draws_tubes_as_strips_with_their_statistics(followed: Path, prep: Run, tmp_path: Path) -> None:
    done(prep("report", followed, "--out", tmp_path / "p.html", "--samples", 1))
    page = (tmp_path / "p.html").read_text()
    for text in ("Tubes as strips", "a, tube 0: person, 38 boxes in frames 0 to 39, 1 gaps", "a, tube 1: car", "short"):
        assert text in page
    for text in ("boxes of a tube", "in box sizes", "largest / smallest size in a tube"):
        assert text in page
    assert page.count("<img") == 2 * 8 + 4


def test_the_table_tells_of_tubes(crossing: Clips, prep: Run, tmp_path: Path) -> None:
    said = done(prep("mine", *crossing.words, "--out", tmp_path / "s"))
    rows = {tuple(line.split(maxsplit=1)) for line in said.splitlines()}
    assert ("tubes", "2 of 38 to 38 boxes, median 38") in rows
    assert "gaps in tubes" in said
    assert "tubes dropped: short" in said


def test_without_the_library_the_error_says_how_to_get_it(
    crossing: Clips, prep: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trackers", None)
    line = told(prep("mine", *crossing.words, "--out", tmp_path / "s"), 2, 'pip install "cmd-tir[tubes]"')
    assert "trackers" in line
    assert not (tmp_path / "s").exists()


def test_shards_without_tubes_stay_those_of_their_settings(crossing: Clips, prep: Run, tmp_path: Path) -> None:
    words = [word for word in crossing.words if word != "--tubes"]
    done(prep("mine", *words, "--out", tmp_path / "s"))
    plan = json.loads((tmp_path / "s/plan.json").read_text())
    assert not {"tubes", "max_gap", "min_length"} & plan["recipe"].keys()
    assert "tubes" not in totals(tmp_path / "s")
    reader = ShardReader(tmp_path / "s/shard-00000.h5")
    assert set(reader.tracks().tolist()) == {-1}
    names, frames = reader.sequences(), reader.frames()
    assert names is not None
    assert frames is not None
    for pair, name, frame in zip(reader.ids(), names, frames.tolist()):
        assert pair == f"{name}/f{frame}"


OWN = """
from pipeline.config import Settings
from pipeline.mine.methods.detection import Detection


class Options(Settings):
    wider: float = 0


class Mine(Detection):
    Options = Options

    def detect(self, pairs):
        found = super().detect(pairs)
        for each in found:
            each.boxes[:, 2] += self.options.wider
        return found
"""


def test_a_method_of_one_s_own_that_detects_makes_tubes_with_settings_of_its_own(
    crossing: Clips, prep: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_tubes.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    words = ("own_tubes:Mine" if word == "detection" else word for word in crossing.words)
    done(prep("mine", *words, "--set", "wider=4", "--out", tmp_path / "s"))
    first, second = tubes_of(tmp_path / "s")
    for tube, thing in ((first, WALKER), (second, FACING)):
        assert len(tube) == 38
        assert set(tube.boxes[:, 2].tolist()) == {thing.start[2] + 4}
