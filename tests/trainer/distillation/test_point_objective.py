"""NanoTrack's rows: what each trains, that nothing else moves, and what its losses are given."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch

from trainer.distillation.branches import trained_names
from trainer.distillation.ownership import CORRELATED
from trainer.distillation.point_losses import cross_entropy, iou
from trainer.distillation.point_responses import distances_to
from trainer.net import build_network
from trainer.net.nano import boxes, points
from trainer.recipes.recipe import load_recipe
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import configure
from trainer.train.session import Training, prepare

from ..train_world import settings, write_world
from .repeated_batch import repeated, rounded_and_exact

ROWS = ("b1", "b2", "c1", "d1", "d2", "d3")
LOSSES = ("tracker", "paper", "features")
MOVING = [
    pytest.param(recipe, losses, marks=[pytest.mark.slow] * (recipe in ("d1", "d2")))
    for recipe, losses in itertools.product(ROWS, LOSSES)
]
TOWER = {"tcl": {"cls_pw_tower", "cls_pred"}, "bbe": {"bbox_pw_tower", "bbox_pred"}}
CORRELATION = {"tcl": "corr_pw_cls", "bbe": "corr_pw_reg"}
NUMBERS = {"reference": 2448, "bbe": 69_428, "tcl": 69_234}
"""Parameters of a reference branch, and of the test branch of each half."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("shards"))


def training(world: Path, out: Path, **changes: Any) -> Training:
    return Training(prepare(settings(world, out, **({"tracker": "nanotrack_v2", "head_steps": 2} | changes))))


def test_every_parameter_of_the_head_has_one_owner() -> None:
    net = build_network("nanotrack_v2")
    owned: dict[str, list[str]] = {}
    for module in ("tcl", "bbe"):
        for branch in ("reference", "test"):
            prefixes = CORRELATED.parts(module, branch)  # type: ignore[arg-type]
            names = [name for name, _ in net.named_parameters() if name.startswith(prefixes)]
            count = sum(net.get_parameter(name).numel() for name in names)
            assert count == NUMBERS["reference" if branch == "reference" else module]
            for name in names:
                owned.setdefault(name, []).append(f"{module} {branch}")
    assert all(len(owners) == 1 for owners in owned.values())
    left = [name for name, _ in net.named_parameters() if name not in owned]
    assert left
    assert all(name.startswith("backbone.") for name in left)


@pytest.mark.parametrize("losses", LOSSES)
@pytest.mark.parametrize("recipe", ROWS)
def test_a_row_trains_what_its_branches_own(recipe: str, losses: str) -> None:
    row = load_recipe(recipe)
    if losses == "features" and recipe not in ("b1", "b2", "c1"):
        return
    config = configure({"recipe": recipe, "tracker": "nanotrack_v2", "out": "run"}, (f"losses={losses}",))
    found = trained_names(build_network("nanotrack_v2"), resolve_row(config), config)
    assert found.keys() == row.trains.keys()
    for module, branch in row.trains.items():
        parts = {f"{CORRELATION[module]}.conv_kernel"} if branch != "test" else set()
        if branch != "reference":
            parts |= {f"{CORRELATION[module]}.conv_search"}
            parts |= {f"{CORRELATION[module]}.CA_layer"} if losses != "features" else set()
            parts |= TOWER[module] if losses == "tracker" or (losses, module) == ("paper", "tcl") else set()
        seen = {".".join(name.split(".")[1 : 3 if "corr_pw" in name else 2]) for name in found[module]}
        assert seen == parts


@pytest.mark.parametrize(("recipe", "losses"), MOVING)
def test_what_a_row_trains_moves_and_nothing_else(world: Path, tmp_path: Path, recipe: str, losses: str) -> None:
    if losses == "features" and recipe not in ("b1", "b2", "c1"):
        return
    run = training(world, tmp_path / "run", recipe=recipe, losses=losses)
    feed = repeated(run, 4)
    live = run.optimizer.live
    before = {name: value.clone() for name, value in run.net.state_dict().items()}
    loss = run.objective(feed)[0]
    if losses == "features":
        # The start is its own teacher, and TIR is RGB but for its colour: hardly a difference.
        assert loss > 0
    gradients = torch.autograd.grad(loss, list(live.values()), allow_unused=True)
    without = [name for name, g in zip(live, gradients) if g is None or not g.isfinite().all() or not g.abs().max()]
    assert not without
    run.optimizer.set_scale(1e3)
    run.optimizer.step(run.objective(feed)[0])
    after = run.net.state_dict()
    assert {name for name in before if not after[name].equal(before[name])} == set(live)


def test_at_rate_zero_a_student_is_its_teacher_to_the_bit(world: Path, tmp_path: Path) -> None:
    run = training(world, tmp_path / "run", recipe="d3")
    before = {name: value.clone() for name, value in run.net.state_dict().items()}
    run.optimizer.set_scale(0)
    for _ in range(2):
        run.optimizer.step(run.objective(repeated(run, 4))[0])
    assert all(value.equal(before[name]) for name, value in run.net.state_dict().items())


@pytest.mark.parametrize("losses", ["tracker", "paper"])
@pytest.mark.parametrize("recipe", [pytest.param("b2", marks=pytest.mark.slow), "c1", "d3"])
def test_the_loss_falls_on_a_repeated_batch(world: Path, tmp_path: Path, recipe: str, losses: str) -> None:
    rates = dict.fromkeys(load_recipe(recipe).trains, 3e-3)
    run = training(world, tmp_path / "run", recipe=recipe, losses=losses, rates=rates)
    feed = repeated(run, 4)
    history = []
    for _ in range(8):
        loss, parts = run.objective(feed)
        history.append(parts)
        run.optimizer.step(loss)
    for name in history[0]:
        assert history[-1][name] < 0.97 * history[0][name], name


def test_the_classes_weigh_the_same_over_the_batch() -> None:
    """One point on a target that is sure to be one, three beside it with even odds; others count for nothing."""
    logits = torch.zeros(2, 2, 2, 2)
    logits[0, 1, 0, 0] = 1000.0
    cells = torch.full((2, 2, 2), -1)
    cells[0, 0, 0] = 1
    cells[1, 0, :] = 0
    cells[1, 1, 0] = 0
    assert float(cross_entropy(logits, cells)) == pytest.approx(0.5 * torch.log(torch.tensor(2.0)).item())
    cells[0, 0, 0] = -1
    assert float(cross_entropy(logits, cells)) == pytest.approx(0.5 * torch.log(torch.tensor(2.0)).item())


def test_the_box_loss_is_of_the_boxes_that_points_on_the_target_tell() -> None:
    """A box of 40 x 20 about a point, and what the point tells: the same moved by 10 pixels to the right."""
    wanted = torch.tensor([20.0, 10, 20, 10]).view(1, 4, 1, 1).repeat(1, 1, 2, 2)
    told = wanted + torch.tensor([-10.0, 0, 10, 0]).view(1, 4, 1, 1)
    cells = torch.full((1, 2, 2), -1)
    assert float(iou(told, wanted, cells)) == 0
    cells[0, 0, 1] = 1
    told[:, :, 1] = 1e9
    assert float(iou(told, wanted, cells)) == pytest.approx(1 - 601 / 1001)
    assert float(iou(wanted, wanted, cells)) == 0


def test_distances_to_a_box_are_those_that_make_it() -> None:
    box = torch.tensor([[100.5, 90.5, 60.0, 40.0]])
    distances = distances_to(box)
    corners = boxes(distances)
    torch.testing.assert_close(
        corners + 0.5, torch.tensor([100.5, 90.5, 160.5, 130.5]).view(1, 4, 1, 1).expand_as(corners)
    )
    x, y = points()
    assert (distances[0, 0, 8, 8], distances[0, 1, 8, 8]) == (x[8, 8] - 100, y[8, 8] - 90)


def test_templates_of_other_scenes_are_for_rows_whose_losses_know_them(world: Path, tmp_path: Path) -> None:
    for recipe, changes, share in (
        ("c1", {}, 0.2),
        ("d3", {}, 0.2),
        ("b1", {}, 0.0),
        ("c1", {"losses": "paper"}, 0.0),
        ("d3", {"bbe_loss": "state"}, 0.0),
        ("d3", {"bbe_loss": "state+iou"}, 0.0),
        ("c1", {"other_scenes": 0.5}, 0.5),
    ):
        run = training(world, tmp_path / recipe, recipe=recipe, **changes)
        windows = run.data.training_windows(samples=200)
        foreign = [windows.draws.draw(index).foreign for index in range(200)]
        assert sum(foreign) / 200 == pytest.approx(share, abs=0.08)
        assert share or not any(foreign)
        for index in range(12):
            reference, test = (windows.draws.pair_of(each[0]) for each in windows.draws.draw(index).patches)
            names = [windows.source.names[pair][1].partition("/")[0] for pair in (reference, test)]
            assert (names[0] != names[1]) == foreign[index]
            assert windows[index]["pair"] == test
            assert (windows[index]["cells"] == 1).any() != foreign[index]
        told = windows.told(200)
        assert told["thin"] == 0
        assert told.get("other_scene", 0.0) == sum(foreign) / 200


def test_pictures_reach_the_network_as_b_g_r_of_0_to_255(world: Path, tmp_path: Path) -> None:
    run = training(world, tmp_path / "run", recipe="d3")
    batch = torch.utils.data.default_collate([run.data.training_windows()[index] for index in range(2)])
    feed, _ = next(run.batches([batch]))
    assert feed.reference.shape == (4, 3, 127, 127)
    assert feed.test.shape == (4, 3, 255, 255)
    assert run.net.images(feed.reference[:2]).equal(batch["reference_rgb"].flip(1).float())
    thermal = run.net.images(feed.test[:2])
    assert thermal[:, 0].equal(thermal[:, 1])
    assert thermal[:, 0].equal(thermal[:, 2])
    assert thermal.max() > 200


def test_bfloat16_changes_little_and_leaves_every_gradient(world: Path, tmp_path: Path) -> None:
    run = training(world, tmp_path / "run", recipe="d3", amp=True)
    rounded_and_exact(run, repeated(run, 4))
