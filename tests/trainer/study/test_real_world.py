"""A study of the user's own data: who is trained and tested on what, and what is refused or told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.cli import main as prep_commands
from pipeline.errors import DataError, UsageError
from trainer.commands.train import main as train_commands
from trainer.study.plan import CHOOSE, Run
from trainer.study.plan.order import in_order
from trainer.study.settings import PresetName
from trainer.study.worlds.choice import world_of
from trainer.study.worlds.real import scenes
from trainer.study.worlds.real.scenes import Looks
from trainer.study.worlds.world import World

from .real_world import User, frame, user, write_pairs, write_sequence

__all__ = ["user"]


def lists(world: World) -> dict[str, list[str]]:
    return {name.removesuffix(".txt"): text.split() for name, text in world.files.items() if name.endswith(".txt")}


def plan(world: World) -> dict[str, Run]:
    return {run.id: run for run in in_order(world.runs(world.scope))}


def after(run: Run, flag: str) -> list[str]:
    return [word for before, word in zip(run.command, run.command[1:]) if before == flag]


@pytest.mark.parametrize("preset", ["toy", "quick", "laptop", "full"])
@pytest.mark.parametrize("tracker", ["nanotrack_v2", "dimp18"])
def test_every_command_is_one_that_the_programs_take(user: User, preset: PresetName, tracker: str) -> None:
    select = "s0" if preset in ("quick", "laptop") else None
    world = world_of(user.config(preset=preset, tracker=tracker, select=select))
    runs = plan(world)
    for run in runs.values():
        words = [word.replace("{rate:", "1").partition("}")[0] if "{rate:" in word else word for word in run.command]
        if words[0] == "pipeline":
            prep_commands.commands[words[1]].make_context(words[1], words[2:])
        elif words[0] == "trainer" and words[1].startswith("--"):
            train_commands.commands["train"].make_context("train", words[1:])
        elif words[0] == "cmd_tir":
            assert after(run, "--sequences") == [",".join(lists(world)["test"])]
            assert "oracle" not in run.id
        elif words[0] != CHOOSE:
            assert words[1] == "two-frame"
            assert set(after(run, "--list")) <= set(world.files)
        made = {word for word in words if word in runs}
        assert made - {run.id} <= {*run.needs}
    assert ("tracked/tir/d3~shuffled~0" in runs) == (preset in ("laptop", "full"))
    assert "t3" not in world.scope.rows
    assert ("t3" in lacking(world)) == (preset in ("laptop", "full"))


def lacking(world: World) -> str:
    return str(world.told(world.scope)["lacking"])


def test_no_sequence_is_in_two_places(user: User) -> None:
    found = lists(world_of(user.config(select="s0,s4")))
    assert found["select"] == ["s0", "s4"]
    assert found["test"] == ["s1", "s2", "s3", "s5", "s6"]
    assert found["fold-a"] == ["s1", "s3", "s6"]
    assert found["fold-b"] == ["s2", "s5"]


def test_each_half_of_the_oracle_is_measured_on_the_other_in_as_many_windows(user: User) -> None:
    world = world_of(user.config())
    runs = plan(world)
    for own, other in ("ab", "ba"):
        found = runs[f"found/test/tir/d3/oracle/0/{own}"]
        assert after(found, "--list") == [f"fold-{other}.txt"]
        (student,) = [word.partition("=")[2] for word in found.command if word.startswith("d3~oracle~0=")]
        assert after(runs[student], "--shards") == [f"shards/truth-{own}"]
        assert {"feed=tir-tir", "instants=two", "rate_scale={rate:oracle}"} <= {*after(runs[student], "--set")}
        whole = runs["found/test/tir/d3/true/0"]
        assert after(whole, "--list") == ["test.txt"]
        each = {int(*after(run, "--windows")) / len(lists(world)[run_list(run)]) for run in (found, whole)}
        assert len(each) == 1
    boxes = {fold: world.files[f"truth-{fold}.jsonl"] for fold in "ab"}
    for fold in "ab":
        assert {line.split('"')[3].partition("/")[0] for line in boxes[fold].splitlines()} == {
            *lists(world)[f"fold-{fold}"]
        }


def run_list(run: Run) -> str:
    (name,) = after(run, "--list")
    return name.removesuffix(".txt")


def test_what_shows_a_scene_of_the_pairs_is_left_out_with_its_recording_and_told(user: User) -> None:
    write_sequence(user.tests, "copied", 101, suffix=".jpg")
    write_sequence(user.tests, "zoomed", 55)
    (user.folder / "clips.csv").write_text("sequence,clip\ncopied,walk\nzoomed,walk\n")
    world = world_of(user.config(clips=user.folder / "clips.csv"))
    names = {name for each in lists(world).values() for name in each}
    assert names == {f"s{number}" for number in range(7)}
    assert world.told(world.scope)["left out: scenes of the pairs"] == "copied, zoomed"
    assert world.clips["copied"] == world.clips["zoomed"] == "walk"
    assert world.clips["s1"] == "s1"


def test_what_only_another_recording_joins_to_a_scene_of_the_pairs_is_left_out_too(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sequence(user.tests, "copied", 101)
    write_sequence(user.tests, "beside", 55)
    seen = scenes.likeness

    def joined(one: Looks, other: Looks) -> float:
        """As if ``copied`` showed what ``beside`` shows too, which the pairs do not show."""
        both = sorted(float(np.abs(each[0]).sum()) for each in (one, other))
        return 1.0 if both == beside else seen(one, other)

    looked = [scenes.looks(sorted((user.tests / f"{name}/img").iterdir())) for name in ("copied", "beside")]
    beside = sorted(float(np.abs(each[0]).sum()) for each in looked)
    monkeypatch.setattr(scenes, "likeness", joined)
    world = world_of(user.config())
    assert world.told(world.scope)["left out: scenes of the pairs"] == "beside, copied"


def test_recordings_of_one_scene_are_never_in_both_folds(user: User) -> None:
    write_sequence(user.tests, "s1_again", 1, frames=6, suffix=".jpg")
    (user.folder / "clips.csv").write_text("s2,walk\ns5,walk\n")
    found = lists(world_of(user.config(clips=user.folder / "clips.csv")))
    together = [{*found["fold-a"]} >= pair or {*found["fold-b"]} >= pair for pair in ({"s1", "s1_again"}, {"s2", "s5"})]
    assert all(together)


def test_what_shows_a_scene_that_a_rate_is_chosen_on_is_in_no_test_and_told(user: User) -> None:
    write_sequence(user.tests, "s0_again", 0, frames=6, suffix=".jpg")
    write_sequence(user.tests, "walked", 70)
    (user.folder / "clips.csv").write_text("s0,walk\nwalked,walk\n")
    world = world_of(user.config(clips=user.folder / "clips.csv"))
    assert lists(world)["select"] == ["s0"]
    assert not {"s0", "s0_again", "walked"} & {*lists(world)["test"]}
    assert world.told(world.scope)["left out: scenes that rates are chosen on"] == "s0_again, walked"
    with pytest.raises(UsageError, match="is left to test on"):
        world_of(user.config(clips=user.folder / "clips.csv", select="s0,s1,s2,s3,s4,s5,s6"))


def test_scenes_for_rates_that_nobody_names_are_drawn_by_their_names_alone(user: User) -> None:
    chosen = lists(world_of(user.config(select=None)))["select"]
    assert len(chosen) == 2
    (user.tests / "s6").rename(user.tests / "s9")
    again = lists(world_of(user.config(select=None)))["select"]
    assert set(chosen) - {"s6"} <= set(again)
    (user.folder / "names").write_text("\n".join(chosen))
    assert lists(world_of(user.config(select=str(user.folder / "names"))))["select"] == sorted(set(chosen) - {"s6"})


def test_without_two_scenes_there_is_no_oracle_and_the_plan_says_so(user: User) -> None:
    world = world_of(user.config(select="s0,s2,s3,s4,s5,s6"))
    assert lists(world)["test"] == ["s1"]
    assert "oracle" not in world.scope.controls
    assert "headroom stays unknown" in lacking(world)
    assert not any("oracle" in name for name in plan(world))


def test_several_folders_of_pairs_are_drawn_from_alike(user: User) -> None:
    more = write_pairs(user.folder / "more", (200,), frames=12)
    world = world_of(user.config(pairs=(user.folder / "pairs/aligned", more), preset="laptop"))
    runs = plan(world)
    assert after(runs["runs/b1/true/0"], "--shards") == ["shards/0/detection", "shards/1/detection"]
    assert after(runs["runs-center/b1/true/0"], "--shards") == ["shards/0/center", "shards/1/center"]
    assert "t3" in world.scope.rows


def test_other_data_is_another_study(user: User) -> None:
    before = world_of(user.config()).inputs
    assert world_of(user.config()).inputs == before
    truth = user.tests / "s1/groundtruth_rect.txt"
    truth.write_text(truth.read_text().replace("20,16", "20,15"))
    (user.folder / "boxes.jsonl").write_text("")
    changed = world_of(user.config(select="s1")).inputs
    assert {name for name in before if changed[name] != before[name]} == {"tests", "select", "boxes"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"detections": None}, "--weights FILE"),
        ({"weights": Path("yolo.onnx")}, "give one"),
        ({"select": "s9"}, "no sequence .* is called s9"),
        ({"select": "s*"}, "both choosing and testing"),
        ({"preset": "toy"}, "--select has no effect with --preset toy"),
        ({"test": None}, "--test SEQUENCES"),
        ({"pairs": ()}, "--pairs ALIGNED"),
        ({"pairs": (), "test": None}, "--select has no effect"),
    ],
)
def test_what_does_not_go_together_is_refused(user: User, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        world_of(user.config(**changed))


def test_centre_patches_need_no_detector(user: User) -> None:
    world = world_of(user.config(patches="center", detections=None))
    assert world.patches == "center"
    assert after(plan(world)["runs/c1/true/0"], "--shards") == ["shards/0/center"]


@pytest.mark.parametrize(
    ("table", "error"),
    [("s1\n", DataError), ("s1,\n", DataError), ("nobody,walk\n", UsageError), ("s1,a\ns1,b\n", UsageError)],
)
def test_a_table_of_clips_that_cannot_be_followed_is_refused(user: User, table: str, error: type[Exception]) -> None:
    (user.folder / "clips.csv").write_text(table)
    with pytest.raises(error, match=r"clips\.csv:"):
        world_of(user.config(clips=user.folder / "clips.csv"))


def test_frames_that_pairs_cannot_hold_or_that_lie_in_folders_of_two_names_make_no_oracle(user: User) -> None:
    deep = user.tests / "s3/img/0001.png"
    cv2.imwrite(str(deep), frame(3, 0).astype(np.uint16) * 100)
    assert "frames of 8 bits" in lacking(world_of(user.config()))
    cv2.imwrite(str(deep), frame(3, 0))
    assert lacking(world_of(user.config())) == "nothing"
    for path in (user.tests / "s3/img").iterdir():
        path.rename(user.tests / "s3" / path.name)
    (user.tests / "s3/img").rmdir()
    assert "folders of one name" in lacking(world_of(user.config()))


def test_sequences_that_cannot_be_tested_on_are_told_and_pairs_that_moved_are_refused(user: User) -> None:
    (user.tests / "s3/groundtruth_rect.txt").write_text("10,20,20,16\n" + "NaN,NaN,NaN,NaN\n" * 3)
    cv2.imwrite(str(user.tests / "s4/img/0001.png"), np.full((80, 96, 3), (0, 90, 255), np.uint8))
    world = world_of(user.config())
    assert not {"s3", "s4"} & {*lists(world)["test"]}
    assert "s4 (in colour" in str(world.told(world.scope))
    assert "s3 (its target is not known at two instants" in str(world.told(world.scope))
    (user.folder / "pairs/data").rename(user.folder / "elsewhere")
    with pytest.raises(DataError, match="not there any more"):
        world_of(user.config())


def test_the_plan_tells_who_is_for_what_and_writes_nothing(user: User) -> None:
    words = ["study", "--out", user.folder / "study", "--tracker", "nanotrack_v2", "--init", user.folder / "init.pth"]
    words += ["--pairs", user.folder / "pairs/aligned", "--test", user.tests, "--select", "s0", "--dry-run"]
    words += ["--detections", user.folder / "boxes.jsonl"]
    done = CliRunner().invoke(train_commands, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    told = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in done.stdout.splitlines()}
    assert told["tested on"] == "6 sequences of 6 clips"
    assert told["rates chosen on"] == "1 sequences of 1 clips: s0"
    assert told["oracle"] == "two folds: 3 sequences of 3 clips, 3 sequences of 3 clips"
    assert told["teacher on RGB"].startswith("unknown")
    assert not (user.folder / "study").exists()
