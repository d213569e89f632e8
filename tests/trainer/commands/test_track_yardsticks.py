"""cmd-track --yardstick: results as of any tracker, without weights, and what cmd-eval says of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from pipeline.errors import UsageError
from trainer.commands.evaluate import main as evaluate
from trainer.commands.track import main
from trainer.sequences.track_note import tracked_by
from trainer.track import TrackConfig, run

from ...conftest import REPOSITORY, done, told
from ..track_world import BOX, STEP, World, world, write_sequence

__all__ = ["world"]

FIRST = BOX + np.array([-2, -2, 4, 4])
"""With an edge around the square: without one there is nothing to correlate."""


@pytest.fixture
def framed(world: World) -> World:
    """The world with ground truth that has an edge around the square, and no weights."""
    write_sequence(world.root, "deep", 4, deep=True)
    for file in world.root.glob("*/groundtruth_rect.txt"):
        np.savetxt(file, np.loadtxt(file, delimiter=",") + np.array([-2, -2, 4, 4]), fmt="%g", delimiter=",")
    world.weights.unlink()
    return world


def words(world: World, yardstick: str, *others: object) -> list[str]:
    given = (
        "--yardstick",
        yardstick,
        "--dataset",
        "tir_sequences",
        "--root",
        world.root,
        "--out",
        world.folder / yardstick,
    )
    return [str(word) for word in (*given, *others)]


def track(world: World, yardstick: str, *others: object) -> Result:
    return CliRunner().invoke(main, words(world, yardstick, "--workers", 1, *others))


def boxes(folder: Path, name: str) -> list[list[float]]:
    return np.loadtxt(folder / f"{name}.txt", delimiter=",").tolist()


def test_a_moving_square_is_followed_by_the_template_and_not_by_the_start_box(framed: World) -> None:
    for yardstick, step in (("start-box", 0 * STEP), ("template", STEP)):
        printed = done(track(framed, yardstick))
        assert printed.splitlines()[0].split() == ["yardstick", yardstick]
        assert "weights" not in printed
        for name, frames in (("car", 5), ("dog", 12), ("deep", 4)):
            assert boxes(framed.folder / yardstick, name) == (FIRST + np.arange(frames)[:, None] * step).tolist()
            assert np.loadtxt(framed.folder / yardstick / f"{name}_time.txt").shape == (frames,)
        noted = json.loads((framed.folder / yardstick / "track.json").read_text())
        assert (noted["tracker"], noted["weights"], noted["weights_sha256"]) == (yardstick, None, None)
        assert (noted["device"], noted["faults"], noted["sequences"]["dog"]["frames"]) == ("cpu", {}, 12)
    assert not framed.seen.made


def test_a_rerun_keeps_what_is_finished_draws_and_refuses_the_folder_of_the_other(framed: World) -> None:
    done(track(framed, "template", "--sequences", "car"))
    times = framed.folder / "template/car_time.txt"
    before = times.stat().st_mtime_ns
    done(track(framed, "template", "--save-frames"))
    assert times.stat().st_mtime_ns == before
    assert len(list((framed.folder / "template/frames/dog").iterdir())) == 12
    told(track(framed, "start-box", "--out", framed.folder / "template"), 2, "tracker: template -> start-box")
    done(track(framed, "start-box", "--out", framed.folder / "template", "--on-existing", "overwrite"))
    assert boxes(framed.folder / "template", "car")[-1] == FIRST.tolist()


def test_options_that_are_for_trackers_with_weights_are_refused(framed: World) -> None:
    for option, value in {
        "--weights": framed.weights, "--tracker": "dimp18", "--device": "cpu", "--threads": 1, "--set": "iounet_k=1",
        "--seed": 0,
    }.items():  # fmt: skip
        said = f"{option} has no effect here, it is for a tracker with weights, not for --yardstick template"
        told(track(framed, "template", option, value), 2, said)
    given = {"dataset": "tir_sequences", "root": framed.root, "out": framed.out}
    with pytest.raises(UsageError, match="--seed has no effect here"):
        run(TrackConfig(yardstick="start-box", seed=3, **given))
    with pytest.raises(UsageError, match="--yardstick templates: there is none: did you mean template"):
        run(TrackConfig(yardstick="templates", **given))
    told(track(framed, "best"), 2, "'best' is not one of 'start-box', 'template'")
    plain = CliRunner().invoke(main, [*words(framed, "template")[2:]])
    told(plain, 2, "nothing to track with: give --weights FILE|RUN, or --yardstick start-box or template")
    assert not (framed.folder / "template").exists()


def test_cmd_eval_shows_them_beside_the_others_and_says_what_they_are(framed: World) -> None:
    given: list[object] = [
        "--dataset",
        "tir_sequences",
        "--annotations",
        framed.root,
        "--out",
        framed.folder / "report",
    ]
    for yardstick in ("start-box", "template"):
        done(track(framed, yardstick))
        given += ["--results", f"my {yardstick}={framed.folder / yardstick}"]
    plain = framed.folder / "plain"
    plain.mkdir()
    for name in ("car", "dog", "deep"):
        (plain / f"{name}.txt").write_bytes((framed.folder / f"template/{name}.txt").read_bytes())
    printed = done(CliRunner().invoke(evaluate, [str(word) for word in (*given, "--results", f"plain={plain}")]))
    assert "my template (yardstick)" in printed
    report = framed.folder / "report"
    scores = json.loads((report / "metrics.json").read_text())["trackers"]
    assert {name: each.get("yardstick") for name, each in scores.items()} == {
        "my start-box": True, "my template": True, "plain": None,
    }  # fmt: skip
    assert scores["my template"]["overall"]["success"] == pytest.approx(20 / 21)
    assert scores["my start-box"]["overall"]["success"] < 0.8
    assert "| my start-box (yardstick) | " in (report / "tables.md").read_text()
    assert "| plain | " in (report / "tables.md").read_text()
    assert (report / "report.html").read_text().count("<td>yardstick</td>") == 2


@pytest.mark.parametrize("content", [None, "{", "[]", '{"tracker": ["template"]}', '{"tracker": null}'])
def test_a_note_of_another_program_says_no_tracker(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "track.json").write_text(content)
    assert tracked_by(tmp_path) is None


@pytest.mark.slow
def test_processes_give_the_same_boxes(framed: World) -> None:
    code = "from trainer.commands.track import main; main()"
    many = words(framed, "template", "--workers", 2, "--out", framed.out)
    subprocess.run([sys.executable, "-c", code, *many], cwd=REPOSITORY, check=True, timeout=110)
    done(track(framed, "template"))
    for name in ("car", "dog", "deep"):
        assert boxes(framed.out, name) == boxes(framed.folder / "template", name)
