"""NanoTrack through the real command: rows, their graph, what is measured, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from pipeline.errors import UsageError
from trainer.checkpoints.weights import load_weights
from trainer.commands.train import main
from trainer.net import build_network
from trainer.recipes.settings import configure
from trainer.train.merge import merge_parents

from ..train_world import shard, tracked, write_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("shards"), tracked(sequences=12, frames=3))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(99)
    file = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    save_file(build_network("nanotrack_v2").state_dict(), file)
    return file


def train(*words: object) -> int:
    fixed = ["--tracker", "nanotrack_v2", "--device", "cpu", "--loader-workers", "0", "--epochs", "1"]
    fixed += ["--samples-per-epoch", "8", "--batch-size", "4"]
    with pytest.raises(SystemExit) as ended:
        main([*fixed, *map(str, words)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


@pytest.mark.slow
def test_c1_from_shards_to_a_student_that_is_measured(world: Path, teacher: Path, tmp_path: Path) -> None:
    out = tmp_path / "c1"
    words = ("--shards", world, "--recipe", "c1", "--init", teacher, "--out", out, "--set", "rate_scale=100")
    assert train(*words) == 0
    run, held_out = read(out / "run.json"), read(out / "held_out.json")
    assert run["losses"] == {"tcl": "cross_entropy", "bbe": "iou"}
    assert run["unusual"]["thin"] == 0
    assert 0.15 < run["unusual"]["other_scene"] < 0.25
    assert all(name.startswith("ban_head.corr_pw_cls.conv_kernel.") for name in run["trained"])
    before, after = load_weights(teacher), load_weights(out / "model.safetensors")
    assert {name for name in before if not after[name].equal(before[name])} == set(run["trained"])
    assert held_out["test"]["kind"] == "two frames"
    figures = held_out["figures"]["TIR alone"]
    assert set(figures) == {"iou_from_peak", "iou_at_centre", "hit", "peak_error"}
    assert set(figures["hit"]) >= {"start", "student", "the middle", "the borders' box", "the reference's box kept"}
    assert set(held_out["figures"]["RGB and TIR"]) == {"modulation_cosine"}
    assert "IoU of the box that the point nearest to the true centre tells" in (out / "report.html").read_text()
    for when in ("before", "after"):
        shown = held_out[when]["shown"]
        assert len(shown) == 4
        assert all(len(each["response"]) == 16 and len(each["box"]) == 4 for each in shown)
    assert held_out["before"]["shown"] != held_out["after"]["shown"]
    assert (out / "report.html").read_text().count("<figcaption>response after") == 4
    assert train(*words) == 0


@pytest.mark.parametrize(
    "changes",
    [
        ("losses=paper", "head_steps=2"),
        ("losses=features",),
        ("pairs=shuffled", "held_out_samples=0"),
        ("feed=gray",),
        ("feed=tir-tir",),
        ("misalign=5",),
        ("instants=two",),
        ("teacher={teacher}",),
    ],
)
def test_every_control_and_setting_has_a_step(
    world: Path, teacher: Path, tmp_path: Path, changes: tuple[str, ...]
) -> None:
    words = [word for change in changes for word in ("--set", change.format(teacher=teacher))]
    given = ("--shards", world, "--init", teacher, "--out", tmp_path, "--dry-run")
    assert train(*given, "--recipe", "b2", *words) == 0


@pytest.mark.parametrize("mix", ["mix=spatial", "mix_pairs=once"])
def test_mixed_rows_take_both_mixes(world: Path, teacher: Path, tmp_path: Path, mix: str) -> None:
    assert (
        train("--shards", world, "--init", teacher, "--out", tmp_path, "--recipe", "d3", "--set", mix, "--dry-run") == 0
    )


def test_pretrain_trains_the_head_and_its_statistics_on_rgb(world: Path, tmp_path: Path) -> None:
    out = tmp_path / "pretrain"
    assert train("--shards", world, "--recipe", "pretrain", "--out", out, "--set", "held_out_samples=0", "--force") == 0
    run = read(out / "run.json")
    assert run["rates"] == {"bbe": 5e-3, "tcl": 5e-3}
    assert run["images"] == 1
    assert run["instants"]["a_draw"] == "two"
    start, model = load_weights(out / "start.safetensors"), load_weights(out / "model.safetensors")
    moved = {name for name in start if not start[name].equal(model[name])}
    assert moved >= {name for name in model if name.startswith("ban_head.")} - {"ban_head.cls_pred.0.bias"}
    torch.manual_seed(0)
    fresh = build_network("nanotrack_v2").state_dict()
    assert all(value.equal(fresh[name]) for name, value in model.items() if name.startswith("backbone."))


def test_a_tracker_of_tir_alone_is_made_from_random_weights(world: Path, tmp_path: Path) -> None:
    """All of it learns, of TIR on both branches."""
    out = tmp_path / "run"
    words = (
        "--recipe",
        "pretrain",
        "--samples-per-epoch",
        4,
        "--batch-size",
        4,
        "--set",
        "held_out_samples=0",
        "--force",
    )
    assert train("--shards", world, *words, "--set", "backbone=learns", "--set", "feed=tir-tir", "--out", out) == 0
    run = read(out / "run.json")
    assert run["rates"] == {"bbe": 5e-3, "tcl": 5e-3, "backbone": 5e-3}
    start, model = load_weights(out / "start.safetensors"), load_weights(out / "model.safetensors")
    moved = {name for name in start if not start[name].equal(model[name])}
    assert moved >= {name for name in model if name.startswith("backbone.") and name.endswith("running_var")}
    assert {name.split(".")[0] for name in moved} == {"backbone", "ban_head"}
    assert read(out / "run.json")["settings"]["feed"] == "tir-tir"


@pytest.mark.slow
def test_all_rows_in_order_without_those_that_share_features(tmp_path: Path, teacher: Path, capsys: Any) -> None:
    methods = ("center", "random", "detection")
    folders = [write_world(tmp_path / method, shard(method=method)) for method in methods]
    tubes = {f"{method}-tubes": shard(method=method, tubes=True) for method in methods[1:]}
    folders += [write_world(tmp_path / kind, content) for kind, content in tubes.items()]
    words = [word for folder in folders for word in ("--shards", folder)]
    given = (*words, "--recipe", "all", "--init", teacher, "--out", tmp_path / "runs", "--samples-per-epoch", 4)
    assert train(*given, "--set", "held_out_samples=0", "--set", "rate_scale=1000") == 0
    rows = ["a1", "b1", "b2", "b3", "c1", "d1", "d2", "d3", "d4", "d5", "t3", "t4"]
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == sorted(["config.yaml", *rows])
    told = capsys.readouterr().out
    assert "left out" not in told
    b1, b2, b3 = (load_weights(tmp_path / "runs" / row / "model.safetensors") for row in ("b1", "b2", "b3"))
    for name, value in b3.items():
        assert value.equal((b1 if ".conv_kernel." in name else b2)[name]), name
    c1, d3 = load_weights(tmp_path / "runs/c1/model.safetensors"), load_weights(tmp_path / "runs/d3/start.safetensors")
    assert all(value.equal((c1 if ".corr_pw_cls.conv_kernel." in name else b3)[name]) for name, value in d3.items())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--recipe", "c1f"), "recipe c1f trains what nanotrack_v2's branches share, and they share nothing: take c1"),
        (("--set", "tcl_features=trained"), "--set tcl_features has no effect here"),
        (("--set", "rates.filter_optimizer=1e-3"), "rates.filter_optimizer has no effect here"),
        (
            ("--set", "tcl_loss=lbhinge"),
            "no classification loss of NanoTrack is called 'lbhinge': choose cross_entropy",
        ),
        (("--recipe", "b1", "--set", "bbe_loss=kl"), "no box loss of NanoTrack is called 'kl'"),
        (("--window", "160"), "--window 160: NanoTrack's points are those of a window of 255 px"),
        (("--recipe", "pretrain", "--set", "images=2"), "--set images has no effect here"),
        (("--recipe", "pretrain", "--set", "backbone=frozen"), "--set backbone has no effect here"),
        (("--recipe", "b1", "--set", "other_scenes=.3"), "--set other_scenes has no effect here"),
        (("--tracker", "dimp18", "--set", "thin_targets=none"), "--set thin_targets has no effect here"),
        (
            ("--tracker", "dimp18", "--set", "tcl_loss=cross_entropy"),
            "no classification loss is called 'cross_entropy'",
        ),
    ],
)
def test_what_it_has_not_is_refused_in_one_line(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], line: str
) -> None:
    assert train("--shards", world, "--recipe", "c1", "--out", tmp_path / "run", *words) == 2
    errors = [each for each in capsys.readouterr().err.splitlines() if each.startswith("error: ")]
    assert len(errors) == 1
    assert line in errors[0]


@pytest.mark.parametrize("given", [True, False])
def test_a_base_tracker_of_another_window_is_refused(teacher: Path, tmp_path: Path, given: bool) -> None:
    """With weights and, as ``model.json`` would say it to all rows that start from them, without."""
    asked = {"recipe": "a1", "tracker": "nanotrack_v2", "window": 160, "init": [teacher] * given, "out": tmp_path}
    with pytest.raises(UsageError, match="--window 160: NanoTrack's points are those of a window of 255 px"):
        merge_parents(configure(asked, ()))
    assert not list(tmp_path.iterdir())
