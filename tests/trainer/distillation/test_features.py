"""The simple way: L2 between what the trained branch makes of TIR and its teacher of RGB, in one window."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.errors import UsageError
from trainer.data import WindowDataset
from trainer.data.feeds import Feed, Feeding, assemble
from trainer.train.session import Training, prepare
from trainer.train.table.recipe_graph import plan_rows

from ..train_world import settings, shard, write_world

pytestmark = pytest.mark.usefixtures("small_training")
ROWS = ("b1", "b2", "c1")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("shards"))


def training(world: Path, out: Path, **changes: Any) -> Training:
    return Training(prepare(settings(world, out, losses="features", **changes)))


def batch(run: Training, feeding: Feeding) -> Feed:
    dataset = run.data.training_windows(feeding, samples=2)
    draws = torch.utils.data.default_collate([dataset[index] for index in range(2)])
    return assemble(draws, feeding, run.device, again=True)


@pytest.mark.parametrize("recipe", ROWS)
def test_the_twin_is_the_very_window_in_rgb(world: Path, tmp_path: Path, recipe: str) -> None:
    """Cut for it, nothing else changes: not even the brightness of the others."""
    run = training(world, tmp_path / "run", recipe=recipe)
    feeding = run.data.feeding
    feed, plain = batch(run, feeding), batch(run, replace(feeding, twin=None))
    assert feed.twin is not None
    assert plain.twin is None
    for name in ("reference", "test", "reference_box", "test_box", "label", "proposals"):
        assert getattr(feed, name).equal(getattr(plain, name))
    own = feed.test if recipe == "b2" else feed.reference
    # The target of the test world is bright in both modalities.
    bright = [(each.float().mean(1) > 180).float() for each in (own, feed.twin)]
    assert float((bright[0] * bright[1]).sum() / bright[1].sum()) > 0.9
    assert not own.equal(feed.twin)


@pytest.mark.parametrize("recipe", ROWS)
def test_nothing_is_to_be_learnt_where_tir_looks_as_rgb_does(world: Path, tmp_path: Path, recipe: str) -> None:
    run = training(world, tmp_path / "run", recipe=recipe)
    feed = batch(run, run.data.feeding)
    with torch.no_grad():
        assert run.objective(feed)[1]["loss"] > 1e-6
        same = replace(feed, twin=feed.test if recipe == "b2" else feed.reference)
        assert run.objective(same)[1]["loss"] == 0


@pytest.mark.parametrize("recipe", ROWS)
def test_the_trained_branch_alone_moves_to_a_teacher_that_stays(world: Path, tmp_path: Path, recipe: str) -> None:
    module = "tcl" if recipe == "c1" else "bbe"
    run = training(world, tmp_path / "run", recipe=recipe, rates={module: 2e-5})
    feed = batch(run, run.data.feeding)
    live = run.optimizer.live
    gradients = torch.autograd.grad(run.objective(feed)[0], list(live.values()), allow_unused=True)
    assert not [name for name, g in zip(live, gradients) if g is None or not g.abs().max()]
    before = {name: value.clone() for name, value in run.net.state_dict().items()}
    history = []
    for _ in range(6):
        loss, parts = run.objective(feed)
        history.append(parts["loss"])
        run.optimizer.step(loss)
    assert history[-1] < history[0]
    after = run.net.state_dict()
    assert {name for name in before if not after[name].equal(before[name])} == set(live)
    teacher = run.objective.reference_side if recipe == "b2" else run.objective.test_side
    assert teacher is not run.net
    assert all(value.equal(before[name]) for name, value in teacher.state_dict().items())


@pytest.mark.parametrize(
    ("recipe", "changes"), [("d3", {}), ("pretrain", {}), ("b1", {"feed": "gray"}), ("c1", {"feed": "rgb-rgb"})]
)
def test_rows_without_one_trained_branch_or_without_pairs_refuse_it(
    world: Path, recipe: str, changes: dict[str, str]
) -> None:
    with pytest.raises(UsageError, match="loss features: it compares TIR with RGB in the window of the one branch"):
        WindowDataset([world], recipe, "dimp18", losses="features", **changes)


@pytest.mark.parametrize("wanted", ["of_tir, of_rgb", "of_tir"])
def test_so_it_is_with_a_loss_of_one_s_own_that_compares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    (tmp_path / "own_comparison.py").write_text(f"def far({wanted}):\n    return of_tir.square().mean()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_comparison", raising=False)
    center = write_world(tmp_path / "center", shard(method="center"))
    own = settings(center, tmp_path / "runs", recipe="all", bbe_loss="own_comparison:far")
    told = {step.recipe.name: (step.state, step.why) for step in plan_rows(own).steps}
    assert told["b1"][0] == "to do"
    assert told["d3"] == ("left out", "loss own_comparison:far is for rows that train one branch")
    with pytest.raises(UsageError, match="loss own_comparison:far: it compares"):
        WindowDataset([center], "d3", "dimp18", bbe_loss="own_comparison:far")


def test_all_rows_are_refused_before_the_first_is_trained_where_no_pairs_are_fed(tmp_path: Path) -> None:
    center = write_world(tmp_path / "center", shard(method="center"))
    with pytest.raises(UsageError, match="loss features: it compares"):
        plan_rows(settings(center, tmp_path / "runs", recipe="all", losses="features", feed="gray"))


def test_in_all_rows_those_that_train_both_branches_are_left_out(tmp_path: Path) -> None:
    shards = tuple(write_world(tmp_path / m, shard(method=m)) for m in ("center", "random", "detection"))
    config = settings(shards[0], tmp_path / "runs", recipe="all", losses="features")
    states = {step.recipe.name: step.state for step in plan_rows(config.model_copy(update={"shards": shards})).steps}
    assert {states[name] for name in ("b1", "b2", "b3", "c1")} == {"to do"}
    assert {states[name] for name in ("d3", "d4", "d5")} == {"left out"}
