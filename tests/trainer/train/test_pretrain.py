"""``pretrain``: what of each base tracker learns, at which rates, and a backbone that is left as it is."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from pipeline.errors import UsageError
from trainer.checkpoints.run_folder import START, RunFolder
from trainer.checkpoints.weights import load_weights
from trainer.distillation.branches import set_modes, trained_names
from trainer.net import TrackingNet, build_network
from trainer.recipes.row import Row, resolve_row
from trainer.recipes.settings import configure
from trainer.train import loop
from trainer.train.session import Training, prepare

from ..train_world import same_bits, settings

pytestmark = pytest.mark.usefixtures("small_training")
CLASSIFIER = {"tcl": 5e-5, "filter_optimizer": 5e-4}
RATES = {
    "dimp18": CLASSIFIER | {"bbe": 1e-3, "backbone": 2e-4},
    "dimp50": CLASSIFIER | {"bbe": 2e-4, "backbone": 2e-5},
    "superdimp": CLASSIFIER | {"bbe": 1e-3, "backbone": 2e-5},
    "atom": {"bbe": 1e-3},
}
"""Published learning rates."""
ALL = {"conv1", "bn1", "layer1", "layer2", "layer3"}
NORMED = ALL - {"conv1"}
LEARNING = {
    "dimp18": (ALL, NORMED),
    "dimp50": (ALL, NORMED),
    "superdimp": ({"layer3"}, {"layer3"}),
    "atom": (set(), NORMED),
}
"""Layers of the backbone whose (parameters, statistics) learn."""


def resolved(tracker: str, *overrides: str, recipe: str = "pretrain") -> tuple[Row, TrackingNet, dict[str, list[str]]]:
    config = configure({"recipe": recipe, "tracker": tracker, "out": "run"}, overrides)
    row = resolve_row(config)
    with torch.device("meta"):
        net = build_network(tracker)
    return row, net, {**trained_names(net, row, config)}


def layers(names: set[str]) -> set[str]:
    """Of the backbone's tensors, the layers."""
    return {name.split(".")[1] for name in names if name.startswith("feature_extractor.")} - {"layer4", "fc"}


@pytest.mark.parametrize("tracker", RATES)
def test_each_tracker_learns_what_it_was_trained_of_at_its_published_rates(tracker: str) -> None:
    row, net, groups = resolved(tracker)
    assert row.rates == RATES[tracker]
    assert groups.keys() == row.rates.keys()
    if "tcl" in groups:
        assert {name.split(".")[1] for name in groups["tcl"]} == {"feature_extractor", "filter_initializer"}
        assert {name.split(".")[1] for name in groups["filter_optimizer"]} == {"filter_optimizer"}
    trained = {name for group in groups.values() for name in group}
    assert len(trained) == sum(map(len, groups.values()))
    set_modes(net, row)
    norms = {name for name, module in net.named_modules() if isinstance(module, nn.BatchNorm2d) and module.training}
    assert (layers(trained), layers(norms)) == LEARNING[tracker]
    heads = {name for name, _ in net.named_parameters() if not name.startswith("feature_extractor.")}
    assert heads <= trained
    assert {f"bb_regressor.{layer}" for layer in ("fc34_3r.1", "fc4_rt.bn")} <= norms


@pytest.mark.parametrize("tracker", RATES)
def test_a_frozen_backbone_neither_steps_nor_drifts_and_the_heads_learn(tracker: str) -> None:
    row, net, groups = resolved(tracker, "backbone=frozen")
    assert row.rates == {module: rate for module, rate in RATES[tracker].items() if module != "backbone"}
    assert not layers({name for group in groups.values() for name in group})
    set_modes(net, row)
    assert not [module for module in net.feature_extractor.modules() if module.training]
    assert net.bb_regressor.fc3_rt.bn.training
    assert (row.learns_statistics, row.moves_backbone) == (True, False)


@pytest.mark.parametrize(("tracker", "rate"), [("superdimp", 2e-5), ("atom", 1e-3)])
def test_a_backbone_that_its_authors_left_learns_whole(tracker: str, rate: float) -> None:
    row, net, groups = resolved(tracker, "backbone=learns")
    assert row.rates == RATES[tracker] | {"backbone": rate}
    set_modes(net, row)
    norms = {name for name, module in net.named_modules() if isinstance(module, nn.BatchNorm2d) and module.training}
    assert (layers(set(groups["backbone"])), layers(norms)) == (ALL, NORMED)


def test_rates_that_are_given_and_the_filter_optimiser_s_beside_them() -> None:
    rates = resolved("dimp18", "rates.tcl=1e-4")[0].rates
    assert (rates["tcl"], rates["filter_optimizer"]) == (1e-4, pytest.approx(1e-3))
    rates = resolved("dimp18", "rates.tcl=1e-4", "rates.filter_optimizer=2e-4")[0].rates
    assert (rates["tcl"], rates["filter_optimizer"]) == (1e-4, 2e-4)
    row, _, groups = resolved("dimp18", "rates.filter_optimizer=1e-5", recipe="c1")
    assert row.rates == {"tcl": 1e-6, "filter_optimizer": 1e-5}
    assert not set(groups["tcl"]) & set(groups["filter_optimizer"])
    assert resolved("dimp18", recipe="c1")[0].rates == {"tcl": 1e-6}


@pytest.mark.parametrize(
    ("tracker", "recipe", "override", "told"),
    [
        ("atom", "pretrain", "rates.backbone=1e-4", "--set rates.backbone has no effect here"),
        ("atom", "pretrain", "rates.filter_optimizer=1e-4", "--set rates.filter_optimizer has no effect here"),
        ("dimp18", "b1", "rates.filter_optimizer=1e-4", "--set rates.filter_optimizer has no effect here"),
        ("dimp18", "d1", "rates.filter_optimizer=1e-4", "--set rates.filter_optimizer has no effect here"),
        ("dimp18", "c1", "backbone=frozen", "--set backbone has no effect here, it is for pretrain"),
        (
            "dimp18",
            "pretrain",
            "batch_size=7",
            "batch-norms of dimp18 learn their statistics from a batch of 8 at least",
        ),
    ],
)
def test_what_would_do_nothing_is_refused(tracker: str, recipe: str, override: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        resolved(tracker, override, recipe=recipe)


def run(world: Path, out: Path, **changes: Any) -> Path:
    """A pretraining of two epochs of a step each."""
    options: dict[str, Any] = {"recipe": "pretrain", "batch_size": 8, "samples_per_epoch": 8}
    return loop.train_row(settings(world, out, **options | changes)).model.parent


@pytest.mark.slow
@pytest.mark.parametrize("tracker", ["dimp18", "atom"])
@pytest.mark.timeout(300)
def test_a_run_on_a_frozen_backbone_leaves_it_bit_by_bit_and_is_gone_on_with(
    world: Path, tmp_path: Path, tracker: str, teacher: Path
) -> None:
    # As torchvision saves a ResNet-18, which is the backbone of both.
    began = {n: value for n, value in load_weights(teacher).items() if n.startswith("feature_extractor.")}
    torch.save({name.partition(".")[2]: value for name, value in began.items()}, tmp_path / "resnet18.pth")
    changes: dict[str, Any] = {"tracker": tracker, "backbone": "frozen", "init": (tmp_path / "resnet18.pth",)}
    whole, parts = run(world, tmp_path / "whole", **changes), run(world, tmp_path / "parts", epochs=1, **changes)
    run(world, tmp_path / "parts", **changes)
    assert same_bits(whole, parts)
    start, student = load_file(whole / START), load_weights(whole / "model.safetensors")
    assert not [name for name in start if name.startswith("feature_extractor.")]
    still = {name for name in start if start[name].equal(student[name])}
    assert not [name for name in still if name.endswith(("running_mean", "iou_predictor.weight", "linear.weight"))]
    assert all(value.equal(student[name]) for name, value in began.items())
    described = json.loads((whole / "run.json").read_text())
    assert described["settings"]["backbone"] == "frozen"
    assert "backbone" not in described["rates"]


def test_no_graph_is_kept_of_a_frozen_backbone(world: Path, tmp_path: Path) -> None:
    for backbone, kept in (("frozen", False), ("tracker", True)):
        options: dict[str, Any] = {"recipe": "pretrain", "batch_size": 8, "backbone": backbone}
        training = Training(prepare(settings(world, tmp_path / "run", samples_per_epoch=8, **options)))
        set_modes(training.net, training.row)
        batch = torch.utils.data.default_collate([training.data.training_windows()[draw] for draw in range(2)])
        feed, _ = next(training.batches([batch]))
        sides = training.objective._sides(feed)
        assert [maps.requires_grad for side in (sides.reference, sides.test) for maps in side.values()] == [kept] * 4


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_atom_s_backbone_drifts_without_a_step(world: Path, tmp_path: Path) -> None:
    """Its statistics alone change, and a run that goes on has them."""
    whole = run(world, tmp_path / "whole", tracker="atom")
    run(world, tmp_path / "parts", tracker="atom", epochs=1)
    assert same_bits(whole, run(world, tmp_path / "parts", tracker="atom"))
    start, student = load_file(whole / START), load_weights(whole / "model.safetensors")
    moved = {name for name in student if not start[name].equal(student[name]) and name.startswith("feature_ex")}
    assert {name.rsplit(".", 1)[1] for name in moved} == {"running_mean", "running_var", "num_batches_tracked"}
    assert {name.split(".")[1] for name in moved} == {"bn1", "layer1", "layer2", "layer3"}
    # Twice a step: the reference branch's images, then the test branch's, as in pytracking.
    assert int(student["feature_extractor.bn1.num_batches_tracked"]) == 2 * 2


@pytest.mark.slow
def test_a_run_of_before_is_not_gone_on_with_under_other_rates(world: Path, tmp_path: Path) -> None:
    made = run(world, tmp_path / "run", backbone="frozen", epochs=1)
    folder = RunFolder(made)
    state = folder.load_state()
    assert state is not None
    identity = {name: value for name, value in state["identity"].items() if name != "pretraining"}
    folder.save_state(state | {"identity": identity})
    with pytest.raises(UsageError, match="pretraining: one rate a module, all of the backbone -> as the base tracker"):
        run(world, made, backbone="frozen")
