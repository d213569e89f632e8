"""Controls of the study: which rows take them, what they are beside one another, and where they are written down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import UsageError
from trainer.data import WindowDataset
from trainer.recipes.recipe import load_recipe, recipe_names
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import TrainConfig, configure
from trainer.train import run
from trainer.train.table.recipe_graph import plan_rows

from ..train_world import settings, shard, small_windows, write_world

DISTILS = [name for name in recipe_names() if load_recipe(name).trains and name not in ("pretrain", "k3")]
CONTROLS = ("pairs=shuffled", "feed=rgb-rgb", "feed=tir-tir", "feed=gray", "misalign=5")
FED = ("_rgb", "_tir", "_gray")


def configured(recipe: str, *overrides: str) -> TrainConfig:
    tracker = "atom" if recipe.startswith("atom") else "dimp18"
    return configure({"recipe": recipe, "tracker": tracker, "out": "run"}, overrides)


@pytest.mark.parametrize("control", CONTROLS)
def test_every_row_that_distils_takes_every_control(control: str) -> None:
    for recipe in DISTILS:
        resolve_row(configured(recipe, control))
    if not control.startswith("feed"):
        resolve_row(configured("k3", control))


@pytest.mark.parametrize(
    ("recipe", "overrides", "idle", "by"),
    [
        ("pretrain", ("pairs=shuffled",), "pairs", "rows that are fed pairs"),
        ("pretrain", ("feed=gray",), "feed", "rows that are fed pairs; for pretrain feed=tir-tir"),
        ("pretrain", ("feed=rgb-rgb",), "feed", "rows that are fed pairs"),
        ("k3", ("feed=gray",), "feed", "rows that are fed pairs"),
        ("pretrain", ("misalign=3",), "misalign", "rows that are fed pairs"),
        ("b1", ("feed=gray", "pairs=shuffled"), "pairs", "rows that are fed pairs, with feed=pairs"),
        ("all", ("feed=gray", "pairs=shuffled"), "pairs", "rows that are fed pairs, with feed=pairs"),
        ("b1", ("feed=tir-tir", "misalign=1"), "misalign", "rows that are fed pairs, with feed=pairs and pairs=true"),
        ("d3", ("feed=rgb-rgb", "mix=spatial"), "mix", "rows that feed both modalities to a branch, with feed=pairs"),
        ("all", ("feed=gray", "mix=spatial"), "mix", "rows that feed both"),
        ("d3", ("feed=rgb-rgb", "mix_pairs=once"), "mix_pairs", "rows that feed both .* with mix=batch and feed=pairs"),
        ("c1", ("pairs=shuffled", "misalign=1"), "misalign", "rows that are fed pairs, with feed=pairs and pairs=true"),
        *(
            (row, (control,), control.partition("=")[0], "recipes that train")
            for row in ("a1", "b3")
            for control in CONTROLS
        ),
    ],
)
def test_a_control_that_does_nothing_is_refused(recipe: str, overrides: tuple[str, ...], idle: str, by: str) -> None:
    with pytest.raises(UsageError, match=f"--set {idle} has no effect here, it is for ({by})"):
        run(configured(recipe, *overrides))


def test_the_data_set_of_windows_refuses_alike(folders: list[Path]) -> None:
    with pytest.raises(UsageError, match="--set misalign has no effect here"):
        WindowDataset([folders[0]], "b1", "dimp18", feed="gray", misalign=3)


def test_true_pairs_are_what_they_were_before_there_were_others() -> None:
    """``true`` is also what YAML makes of it; neither is written down, and what differs is."""
    plain = configured("b1").identity()
    assert configured("b1", "pairs=true", "feed=pairs", "misalign=0").identity() == plain
    assert not {"pairs", "feed", "misalign"} & (plain.keys() | configured("b1").record().keys())
    for control in CONTROLS:
        name, _, value = control.partition("=")
        assert str(configured("b1", control).identity()[name]).removesuffix(".0") == value
        assert str(configured("b1", control).record()[name]).removesuffix(".0") == value


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    made = tmp_path_factory.mktemp("shards")
    plain = [write_world(made / method, shard(method=method)) for method in ("center", "random", "detection")]
    return plain + [
        write_world(made / f"{method}-tubes", shard(method=method, tubes=True)) for method in ("random", "detection")
    ]


def all_rows(folders: list[Path], out: Path, **changes: Any) -> TrainConfig:
    return settings(folders[0], out, recipe="all", **changes).model_copy(update={"shards": tuple(folders)})


@pytest.mark.parametrize("control", CONTROLS)
def test_in_all_rows_every_row_that_trains_takes_it(folders: list[Path], tmp_path: Path, control: str) -> None:
    name, _, value = control.partition("=")
    given = float(value) if name == "misalign" else value
    steps = plan_rows(all_rows(folders, tmp_path, **{name: given})).steps
    assert sum(bool(step.recipe.trains) for step in steps) >= 8
    for step in steps:
        assert step.config
        usual = TrainConfig.model_fields[name].default
        assert getattr(step.config, name) == (given if step.recipe.trains else usual)


@pytest.mark.parametrize("recipe", ["t3", "t4"])
@pytest.mark.parametrize("control", [{"pairs": "shuffled"}, {"feed": "tir-tir"}, {"feed": "gray"}, {"misalign": 9.0}])
def test_under_a_control_the_same_two_instants_of_a_tube_are_drawn(
    folders: list[Path], recipe: str, control: dict[str, Any]
) -> None:
    """And in the same windows: what is seen there is all that changes."""
    given: dict[str, Any] = {"samples_per_epoch": 30, "held_out": 0, "window": 96}
    true, other = (WindowDataset(folders, recipe, "dimp18", **given, **change) for change in ({}, control))
    assert true.data.instants == other.data.instants == "two"
    different = 0
    for draw in range(30):
        first, second = true[draw], other[draw]
        patches = true._draws.draws.draw(draw).patches
        assert patches == other._draws.draws.draw(draw).patches
        assert patches[0] != patches[1]
        for name in ("reference_box", "test_box", "proposals"):
            np.testing.assert_array_equal(first[name], second[name])
        seen = [[each[key] for key in sorted(each) if key.endswith(FED)] for each in (first, second)]
        different += len(seen[0]) != len(seen[1]) or not all(map(np.array_equal, *seen))
    assert different == 30


def test_shuffled_needs_two_sequences_on_either_side(
    folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_windows(monkeypatch)
    lone = write_world(tmp_path, shard(1, 12))
    with pytest.raises(UsageError, match=r"only video-0 to train on: mine more"):
        WindowDataset([lone], "b1", "dimp18", pairs="shuffled", held_out_samples=0)
    # One of six is held out.
    with pytest.raises(UsageError, match=r"only video-\d held out: raise --set held_out, or --set held_out_samples=0"):
        WindowDataset([folders[0]], "b1", "dimp18", pairs="shuffled")
    assert len(WindowDataset([folders[0]], "b1", "dimp18", pairs="shuffled", held_out_samples=0)) == 26_000
    assert len(WindowDataset([folders[0]], "b1", "dimp18", pairs="shuffled", held_out=0.5)) == 26_000


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "control"), [("b1", "misalign=5"), ("c1", "pairs=shuffled"), ("b2", "feed=gray")])
def test_a_run_under_a_control_is_measured_as_the_row_s(
    folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str, control: str
) -> None:
    """From the same start: the held-out test asks every student the same, and its losses are of what it is fed."""
    small_windows(monkeypatch)
    name, _, value = control.partition("=")
    told = []
    for changes in ({}, {name: float(value) if name == "misalign" else value}):
        out = tmp_path / str(len(told))
        config = settings(folders[0], out, recipe=recipe, epochs=1, held_out=0.5, held_out_samples=4, **changes)
        run(config)
        told.append(json.loads((out / "held_out.json").read_text()))
        assert json.loads((out / "run.json").read_text())["settings"].get(name) == changes.get(name)
    assert told[0]["before"]["losses"] != told[1]["before"]["losses"]
    first, second = (each["scores"]["start"] for each in told)
    assert second
    assert {way: first[way] for way in second} == second
