"""Which parameters a branch owns, and which of them a row trains."""

import pytest
from torch import nn

from trainer.distillation.branches import splits, trained_names
from trainer.distillation.ownership import MODULATED
from trainer.net import build_network
from trainer.recipes.recipe import load_recipe
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import configure

REFERENCE_BBE = {"conv3_1r", "conv4_1r", "fc3_1r", "fc34_3r", "fc34_4r"}
TEST_BBE = {"conv3_1t", "conv3_2t", "conv4_1t", "conv4_2t", "fc3_rt", "fc4_rt", "iou_predictor"}


@pytest.fixture(scope="module")
def net() -> nn.Module:
    return build_network("dimp18")


def names(net: nn.Module, recipe: str, *settings: str) -> dict[str, list[str]]:
    config = configure({"recipe": recipe, "tracker": "dimp18", "out": "run"}, settings)
    return {**trained_names(net, resolve_row(config), config)}


@pytest.mark.parametrize(
    ("recipe", "losses", "expected"),
    [
        ("b1", "tracker", {"bbe": REFERENCE_BBE}),
        ("b1", "paper", {"bbe": REFERENCE_BBE}),
        ("c1", "tracker", {"tcl": {"filter_initializer", "filter_optimizer"}}),
        ("b2", "tracker", {"bbe": TEST_BBE}),
        ("d1", "tracker", {"bbe": TEST_BBE, "tcl": {"feature_extractor"}}),
        ("d2", "tracker", {"bbe": REFERENCE_BBE, "tcl": {"filter_initializer", "filter_optimizer"}}),
        (
            "d3",
            "tracker",
            {
                "bbe": REFERENCE_BBE | TEST_BBE,
                "tcl": {"filter_initializer", "filter_optimizer", "feature_extractor"},
            },
        ),
        (
            "d3",
            "paper",
            {
                "bbe": REFERENCE_BBE | TEST_BBE - {"fc3_rt", "fc4_rt", "iou_predictor"},
                "tcl": {"filter_initializer", "filter_optimizer", "feature_extractor"},
            },
        ),
    ],
)
def test_a_row_trains_what_its_branches_own(
    net: nn.Module, recipe: str, losses: str, expected: dict[str, set[str]]
) -> None:
    found = names(net, recipe, f"losses={losses}")
    root = {"tcl": "classifier", "bbe": "bb_regressor"}
    assert found.keys() == expected.keys()
    for module, parts in expected.items():
        assert {tuple(name.split(".")[:2]) for name in found[module]} == {(root[module], part) for part in parts}
        every = [n for n, _ in net.named_parameters() if n.startswith(tuple(f"{root[module]}.{p}." for p in parts))]
        assert sorted(found[module]) == sorted(every)


def test_every_box_and_classifier_tensor_has_an_owner(net: nn.Module) -> None:
    found = names(net, "d3")
    owned = {name for names in found.values() for name in names}
    assert {name for name, _ in net.named_parameters() if name not in owned} == {
        name for name, _ in net.named_parameters() if name.startswith("feature_extractor.")
    }


def test_the_shared_features_are_trained_in_c1_where_that_is_asked_for(net: nn.Module) -> None:
    frozen, trained = (names(net, "c1", f"tcl_features={how}")["tcl"] for how in ("frozen", "trained"))
    added = set(trained) - set(frozen)
    assert added
    assert all(name.startswith("classifier.feature_extractor.") for name in added)
    assert names(net, "c1f")["tcl"] == trained
    assert names(net, "c1f", "tcl_features=frozen")["tcl"] == frozen
    sizes = [sum(net.get_parameter(name).numel() for name in each) for each in (frozen, trained)]
    assert [round(size / 1e6, 2) for size in sizes] == [0.59, 2.36], "as docs/training.md says"
    assert splits(load_recipe("c1"), MODULATED, trained)
    assert not splits(load_recipe("c1"), MODULATED, frozen)
    assert not splits(load_recipe("d3"), MODULATED, trained)


def test_box_losses_with_iou_train_the_scoring_layers(net: nn.Module) -> None:
    found = names(net, "b2", "bbe_loss=state+iou")["bbe"]
    assert any(".iou_predictor." in name for name in found)
    assert not any(".iou_predictor." in name for name in names(net, "b2", "bbe_loss=state")["bbe"])


def test_pretrain_trains_all_that_runs(net: nn.Module) -> None:
    found = {name for group in names(net, "pretrain").values() for name in group}
    left = {name.split(".")[1] for name, _ in net.named_parameters() if name not in found}
    assert left == {"layer4", "fc"}
