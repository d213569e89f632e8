"""A search window of another size than the base tracker's own, from the training to the tracking."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from pipeline.errors import UsageError
from pipeline.next_command import CONFIG
from trainer.checkpoints.run_folder import META, RUN, RunFolder
from trainer.checkpoints.weights import load_weights
from trainer.commands.track import main as cmd_track
from trainer.commands.train import main as cmd_train
from trainer.net import build_network
from trainer.pages import feeds_page
from trainer.recipes.settings import make_settings
from trainer.trackers import Tracker
from trainer.trackers.online.engine import OnlineEngine
from trainer.trackers.parameters.defaults import defaults_of, resolve
from trainer.train import loop, merge, session, stage

from ...conftest import done, told
from ..track_world import write_sequence
from ..train_world import SMALL_WINDOW, settings

pytestmark = pytest.mark.usefixtures("small_training")
QUICK = ('augmentation={"fliplr":true}', "num_init_random_boxes=2", "sample_memory_size=4")


def model_of(folder: Path, row: str, teacher: Path, **more: object) -> Path:
    """A run's folder with a model that says that it is of a row."""
    folder.mkdir()
    RunFolder(folder).save_model(load_weights(teacher), {"tracker": "dimp18", "recipe": row} | more)
    return folder


def seen_by(patch: pytest.MonkeyPatch) -> set[tuple[int, ...]]:
    """The shapes of the pictures that trackers show their network from now on."""
    shapes: set[tuple[int, ...]] = set()
    features = OnlineEngine._features

    def spy(engine: OnlineEngine, patches: Any) -> Any:
        shapes.update(patch.shape for patch in patches)
        return features(engine, patches)

    patch.setattr(OnlineEngine, "_features", spy)
    return shapes


def track(run: Path, root: Path, *more: str) -> None:
    write_sequence(root / "data", "car", 3)
    words = ["--weights", run, "--dataset", "tir_sequences", "--root", root / "data", "--out", root / "boxes"]
    words += ["--device", "cpu", "--workers", 1, *(word for each in (*QUICK, *more) for word in ("--set", each))]
    done(CliRunner().invoke(cmd_track, [str(word) for word in words]))


@pytest.mark.slow
def test_a_run_in_windows_of_160_is_tracked_in_windows_of_160(
    world: Path, tmp_path: Path, teacher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"epochs": 1, "held_out": 0.3, "held_out_samples": 1}
    asked = settings(world, tmp_path / "run", window=160, init=(teacher,), **options)
    training = session.Training(session.prepare(asked))
    for windows in (training.data.training_windows(), training.data.validation_windows(training.data.feeding, 1)):
        sample = windows[0]
        assert sample["test_rgb"].shape == (3, 160, 160)
        assert sample["label"].shape == (11, 11)
    loop.train_row(asked)
    described, run = (json.loads((tmp_path / "run" / name).read_text()) for name in (META, RUN))
    assert (described["window"], run["settings"]["window"], run["identity"]["window"]) == (160, 160, 160)
    shapes = seen_by(monkeypatch)
    track(tmp_path / "run", tmp_path)
    assert shapes == {(160, 160, 3)}
    assert json.loads((tmp_path / "boxes/plan.json").read_text())["params"]["image_sample_size"] == 160
    for window in (None, 176):
        with pytest.raises(UsageError, match=re.escape(f"(window: 160 -> {window})")):
            loop.train_row(settings(world, tmp_path / "run", window=window, **options))


def test_weights_that_name_no_window_and_a_window_that_is_typed_are_as_before(
    tmp_path: Path, teacher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = seen_by(monkeypatch)
    track(model_of(tmp_path / "plain", "c1", teacher), tmp_path)
    assert shapes == {(288, 288, 3)}
    assert "image_sample_size" not in json.loads((tmp_path / "boxes/plan.json").read_text())["params"]
    shapes.clear()
    (tmp_path / "other").mkdir()
    track(model_of(tmp_path / "small", "c1", teacher, window=160), tmp_path / "other", "image_sample_size=96")
    assert shapes == {(96, 96, 3)}


@pytest.mark.parametrize("tracker", ["dimp18", "atom"])
@pytest.mark.parametrize("window", [144, 160, None])
def test_a_tracker_takes_the_window_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracker: str, window: int | None
) -> None:
    """Nine cells or ten: ATOM would take an even number alone."""
    torch.manual_seed(0)
    RunFolder(tmp_path).save_model(build_network(tracker).state_dict(), {"tracker": tracker, "recipe": "a1"})
    if window:
        (tmp_path / META).write_text(json.dumps({"tracker": tracker, "recipe": "a1", "window": window}))
    shapes = seen_by(monkeypatch)
    quick = {"augmentation": {}, "num_init_random_boxes": 2, "init_CG_iter": 2, "init_GN_iter": 1}
    known = {each.name for each in fields(defaults_of(tracker))}
    follower = Tracker(tracker, tmp_path / "model.safetensors", params={k: v for k, v in quick.items() if k in known})
    follower.start(np.full((200, 240), 90, np.uint8), [60, 40, 31, 22])
    side = window or 288
    assert shapes == {(side, side, 3)}
    assert follower.params == resolve(tracker, {k: v for k, v in quick.items() if k in known} | sized(tracker, window))


def sized(tracker: str, window: int | None) -> dict[str, Any]:
    """The parameters of pytracking that a window is in."""
    if window is None:
        return {}
    square = {"max_image_sample_size": window**2, "min_image_sample_size": window**2}
    return {"image_sample_size": window} if tracker == "dimp18" else square | {"feature_size_odd": window == 144}


def test_the_jitter_is_the_same_in_boxes(world: Path, tmp_path: Path) -> None:
    """A window of twice the size shows the same: boxes in it are twice as large, labels as wide a share."""
    small, large = (
        session.prepare(settings(world, tmp_path / "run", window=window)).data.training_windows()[3]
        for window in (160, 320)
    )
    for box in ("reference_box", "test_box"):
        np.testing.assert_allclose(large[box], small[box] * 2, rtol=1e-5)
    assert large["label"].sum() == pytest.approx(4 * small["label"].sum(), rel=0.1)


@pytest.mark.slow
def test_psi_reads_maps_of_any_window(world: Path, tmp_path: Path) -> None:
    for window in (96, 160, 176):
        options: dict[str, Any] = {"recipe": "b1", "losses": "paper", "head_steps": 1, "window": window}
        assert loop.train_row(settings(world, tmp_path / str(window), epochs=1, **options)).epochs == 1


def test_the_trackers_own_window_is_as_if_none_were_given(world: Path, tmp_path: Path) -> None:
    asked, none = (settings(world, tmp_path, window=window) for window in (SMALL_WINDOW, None))
    assert asked.identity() == none.identity()
    assert asked.record() == none.record()
    assert "window" not in none.identity()


@pytest.mark.parametrize("window", [80, 150, 656])
def test_windows_that_are_none_are_refused(tmp_path: Path, window: int) -> None:
    with pytest.raises(UsageError, match=f"setting window: Input should be .*, got {window}"):
        make_settings({"recipe": "c1", "window": window})
    words = ["--shards", tmp_path, "--out", tmp_path / "run", "--window", window]
    told(CliRunner().invoke(cmd_train, [str(word) for word in words]), 2, "setting window")


@pytest.mark.slow
def test_a_parent_of_another_window_is_told_and_recorded(
    world: Path, tmp_path: Path, teacher: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parent = model_of(tmp_path / "a1", "a1", teacher, window=160)
    loop.train_row(settings(world, tmp_path / "own", epochs=1, init=(parent,)))
    line = f"{parent} has learnt in windows of 160 px, this run has {SMALL_WINDOW}: a network takes any; --window 160"
    assert caplog.text.count(line) == 1
    assert json.loads((tmp_path / "own" / RUN).read_text())["other_windows"] == {str(parent): 160}
    caplog.clear()
    loop.train_row(settings(world, tmp_path / "same", epochs=1, init=(parent,), window=160))
    loop.train_row(settings(world, tmp_path / "plain", epochs=1, init=(teacher,), window=160))
    assert "has learnt in windows" not in caplog.text
    assert "other_windows" not in json.loads((tmp_path / "same" / RUN).read_text())


def test_rows_put_together_have_the_window_of_their_parents(tmp_path: Path, teacher: Path) -> None:
    windows = {"b1": 160, "b2": 160, "other": 176, "own": None}
    runs = {name: model_of(tmp_path / name, name[:2], teacher, window=px) for name, px in windows.items()}
    merge.merge_runs(runs["b1"], runs["b2"], tmp_path / "merged")
    init = (runs["b1"], runs["b2"])
    for name, window in (("b3", None), ("same", 160)):
        stage.train_one(settings(tmp_path, tmp_path / name, recipe="b3", init=init, window=window))
    for name in ("merged", "b3", "same"):
        assert json.loads((tmp_path / name / META).read_text())["window"] == 160
    for name in ("other", "own"):
        with pytest.raises(UsageError, match="learnt in search windows of different sizes"):
            merge.merge_runs(runs["b1"], runs[name], tmp_path / "refused")
    with pytest.raises(UsageError, match="--window 176: b3 has the window of its parents: leave it out"):
        stage.train_one(settings(tmp_path, tmp_path / "refused", recipe="b3", init=init, window=176))
    assert not (tmp_path / "refused").exists()


def test_a_base_tracker_as_it_is_is_tracked_in_the_window_that_is_asked_for(tmp_path: Path, teacher: Path) -> None:
    def put(window: int | None) -> None:
        words = ["--recipe", "a1", "--tracker", "dimp18", "--init", teacher, "--out", tmp_path / "a1"]
        words += ["--window", window] if window else []
        result = CliRunner().invoke(cmd_train, [str(word) for word in words])
        told(result, 2, "(window: 160 -> None)") if window is None else done(result)

    put(160)
    assert json.loads((tmp_path / "a1" / META).read_text())["window"] == 160
    put(160)
    put(None)


def test_an_export_says_what_pytracking_must_be_told(tmp_path: Path, teacher: Path) -> None:
    for window, said in ((160, "params.image_sample_size = 160: its search window is of 160 px"), (None, "")):
        run = model_of(tmp_path / str(window), "d3", teacher, window=window)
        printed = done(CliRunner().invoke(cmd_train, ["export", str(run), "--out", str(tmp_path / "cmd.pth.tar")]))
        assert said in printed
        assert ("set in pytracking" in printed) == bool(window)
        words = ["--config", str(tmp_path / f"cmd.pth.tar.{CONFIG}"), "--out", str(tmp_path / "again.pth.tar")]
        assert done(CliRunner().invoke(cmd_train, ["export", *words])).replace("again", "cmd") == printed


def test_the_feeds_page_draws_windows_of_that_size(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []
    picture = feeds_page.picture_of
    monkeypatch.setattr(feeds_page, "picture_of", lambda window: shapes.append(window.shape) or picture(window))
    words = ["feeds", "--shards", world, "--recipe", "b2", "--tracker", "dimp18", "--samples", 1, "--window", 160]
    done(CliRunner().invoke(cmd_train, [str(word) for word in (*words, "--out", tmp_path / "feeds.html")]))
    assert set(shapes) == {(3, 160, 160)}
    assert "160 px, 5 boxes wide" in (tmp_path / "feeds.html").read_text()
    assert "window: 160\n" in (tmp_path / f"feeds.html.{CONFIG}").read_text()
