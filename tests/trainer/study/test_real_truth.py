"""The oracle's shards, made by the commands that a study starts, and what tells that two recordings show one scene."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.files.json_text import write_json
from pipeline.runtime.output import PLAN
from pipeline.shards import open_shards
from trainer.study import plan_study
from trainer.study.judge import write_verdict
from trainer.study.results import write_results
from trainer.study.run import collect, write_rate
from trainer.study.worlds.choice import world_of
from trainer.study.worlds.real.scenes import ALIKE, groups, likeness, looks

from .real_world import SIZE, User, frame, user

__all__ = ["user"]


def test_the_oracle_s_shards_are_thermal_frames_of_one_fold_with_true_boxes_that_know_their_object(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of(user.config())
    study = user.folder / "study"
    study.mkdir()
    monkeypatch.chdir(study)
    for name, text in world.files.items():
        (study / name).write_text(text)
    runs = {run.id: run for run in world.runs(world.scope)}
    for name in ("aligned/truth", "shards/truth-a", "shards/truth-b"):
        done = CliRunner().invoke(main, list(runs[name].command[1:]))
        assert done.exit_code == 0, done.output
        assert (study / runs[name].makes).exists()
    names: dict[str, set[str]] = {}
    for fold in "ab":
        shards = open_shards(f"shards/truth-{fold}")
        found = [(*shards.pairs[patch.pair].pair_id.split("/"), patch) for patch in shards.patches]
        names[fold] = {name for name, _, _ in found}
        assert names[fold] == {*world.files[f"fold-{fold}.txt"].split()}
        assert len(shards.pairs) == len(found) == 4 * len(names[fold])
        tracks = {(name, patch.track) for name, _, patch in found}
        assert len(tracks) == len(names[fold])
        assert min(track for _, track in tracks) >= 0
        for name, number, patch in found:
            at, pair = int(number) - 1, shards.pairs[patch.pair]
            assert patch.box.tolist() == [10 + 2 * at, 20, 20, 16]
            assert (pair.tir == frame(int(name[1:]), at)).all()
            assert (pair.rgb == frame(int(name[1:]), at)[..., None]).all()
    assert not names["a"] & names["b"]


def _recording(folder: Path, seed: int, suffix: str, at: int) -> list[Path]:
    folder.mkdir()
    for number in range(3):
        picture = cv2.resize(frame(seed, at + number), (SIZE[0] * 2, SIZE[1] * 2), interpolation=cv2.INTER_CUBIC)
        darker = (picture * 0.6 + np.linspace(0, 30, SIZE[0] * 2)).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number}{suffix}"), darker if suffix == ".jpg" else picture)
    return sorted(folder.iterdir())


def test_one_place_is_known_again_in_another_file_of_another_brightness(tmp_path: Path) -> None:
    one = looks(_recording(tmp_path / "one", 1, ".png", 0))
    same = looks(_recording(tmp_path / "same", 1, ".jpg", 4))
    other = looks(_recording(tmp_path / "other", 2, ".png", 0))
    assert likeness(one, same) > ALIKE + 0.1
    assert likeness(one, other) < ALIKE - 0.2
    assert groups({"b": other, "c": same, "a": one}) == [["a", "c"], ["b"]]


def test_a_third_recording_joins_two() -> None:
    one, other = np.eye(2, dtype=np.float32)
    between = (one + other) / np.float32(np.sqrt(2))
    assert groups({"a": one[None], "b": other[None]}) == [["a"], ["b"]]
    assert groups({"a": one[None], "b": other[None], "c": between[None]}) == [["a", "b", "c"]]


def test_frames_with_nothing_to_be_seen_are_like_none(tmp_path: Path) -> None:
    for name, level in (("one", 10), ("two", 10)):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "0.png"), np.full((40, 50), level, np.uint8))
        (tmp_path / name / "1.png").write_bytes(b"no picture")
    one, two = (looks(sorted((tmp_path / name).iterdir())) for name in ("one", "two"))
    assert likeness(one, two) == 0
    assert likeness(one, looks([])) == 0


def test_the_two_halves_of_the_oracle_are_one_model_of_the_whole_test(user: User) -> None:
    config = user.config()
    plan = plan_study(config)
    config.out.mkdir()
    for control in ("", "shuffled", "rgb-rgb", "oracle"):
        write_rate(config.out, control, 10)
    for run in plan.runs:
        if run.set == "test":
            (listed,) = [word for before, word in zip(run.command, run.command[1:]) if before == "--list"]
            names = world_of(config).files[listed].split()
            _found(config.out / run.makes, [word.partition("=")[0] for word in run.command if "~" in word], names)
    rows = collect(config.out, plan, ("test",))
    assert write_results(config.out / "results.jsonl", rows) == len(rows)
    told = [row for row in rows if row.row == "d3" and row.control == "oracle"]
    assert sorted(row.sequence for row in told) == [f"s{number}" for number in range(1, 7)]
    assert sorted(row.sequence for row in rows if row.row == "the middle") == [f"s{number}" for number in range(1, 7)]
    write_json(config.out / PLAN, plan.record())
    verdict = write_verdict(config.out)["verdicts"]["d3"]
    assert verdict["contrasts"]["oracle − a1"]["sequences"] == 6
    assert "headroom unknown" not in verdict["sentence"]


def _found(folder: Path, models: list[str], sequences: list[str]) -> None:
    """What ``two-frame`` would have found: the oracle above all others."""
    folder.mkdir(parents=True)
    for model in models:
        values = {"student": 0.9 if "oracle" in model else 0.5, "the middle": 0.2}
        rows = [
            {"sequence": name, "answer": answer, "measure": "iou_from_peak", "value": value, "windows": 2}
            for name in sequences
            for answer, value in values.items()
        ]
        (folder / f"{model}.json").write_text(json.dumps({"modality": "tir", "rows": rows}))
