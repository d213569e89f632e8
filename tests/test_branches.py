"""What each branch is fed, and what it owns."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from trainer.branches import IMAGE_MEAN, assemble, normalise, trained_names
from trainer.data import MEAN_COLOUR
from trainer.net import build_network
from trainer.recipe import load_recipe

REFERENCE_BBE = {"conv3_1r", "conv4_1r", "fc3_1r", "fc34_3r", "fc34_4r"}
TEST_BBE = {"conv3_1t", "conv3_2t", "conv4_1t", "conv4_2t", "fc3_rt", "fc4_rt", "iou_predictor"}
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def net() -> nn.Module:
    return build_network("dimp18")


def batch(pairs: int = 2) -> dict[str, Any]:
    """Pictures whose gray value tells pair, branch and modality; targets that tell the pair."""
    values = {"reference_rgb": 10, "reference_tir": 20, "test_rgb": 30, "test_tir": 40}
    content: dict[str, Any] = {
        key: torch.stack([torch.full((3, 4, 4), value + pair, dtype=torch.uint8) for pair in range(pairs)])
        for key, value in values.items()
    }
    row = torch.arange(pairs, dtype=torch.float32)
    content |= {"reference_box": row[:, None].expand(-1, 4) + 100, "label": row[:, None, None].expand(-1, 5, 5)}
    content |= {"state": row[:, None].expand(-1, 4), "proposals": row[:, None, None].expand(-1, 8, 4)}
    return content | {"proposal_iou": row[:, None].expand(-1, 8)}


def gray(images: Tensor) -> list[int]:
    """The value (0 to 255) that each normalised picture had in its first channel."""
    return [round(float(image[0, 0, 0] * 0.229 + IMAGE_MEAN[0]) * 255) for image in images]


def test_a_mixed_batch_holds_every_pair_both_ways_round() -> None:
    feed = assemble(batch(), "rgb-tir", "tir-rgb", CPU)
    assert gray(feed.reference) == [10, 11, 20, 21]
    assert gray(feed.test) == [40, 41, 30, 31]
    for target in (feed.reference_box - 100, feed.label, feed.state, feed.proposals, feed.proposal_iou):
        assert target.flatten(1)[:, 0].tolist() == [0, 1, 0, 1]
    assert feed.density is None


@pytest.mark.parametrize(
    ("reference", "test", "values"), [("tir", "rgb", ([20, 21], [30, 31])), ("rgb", "tir", ([10, 11], [40, 41]))]
)
def test_a_one_way_batch_holds_every_pair_once(reference: str, test: str, values: tuple[list[int], list[int]]) -> None:
    content = batch() | {"density": torch.ones(2, 8), "truth_density": torch.zeros(2, 8)}
    feed = assemble(content, reference, test, CPU)
    assert (gray(feed.reference), gray(feed.test)) == values
    assert feed.density is not None
    assert [float(part.mean()) for part in feed.density] == [1, 0]


def test_pictures_are_normalised_as_imagenet_s_and_blank_ones_vanish() -> None:
    images = torch.tensor([255, 0, 128], dtype=torch.uint8).view(1, 3, 1, 1)
    expected = torch.tensor([(1 - 0.485) / 0.229, -0.456 / 0.224, (128 / 255 - 0.406) / 0.225])
    torch.testing.assert_close(normalise(images).flatten(), expected)
    blank = normalise(torch.tensor(MEAN_COLOUR, dtype=torch.uint8).view(1, 3, 1, 1).expand(2, 3, 8, 8))
    assert float(blank.abs().max()) < 0.01
    assert blank.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("recipe", "losses", "expected"),
    [
        ("b1", "tracker", {"bbe": REFERENCE_BBE}),
        ("b1", "paper", {"bbe": REFERENCE_BBE}),
        ("c1", "tracker", {"tcl": {"filter_initializer", "filter_optimizer"}}),
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
    found = trained_names(net, load_recipe(recipe), losses)
    root = {"tcl": "classifier", "bbe": "bb_regressor"}
    assert found.keys() == expected.keys()
    for module, parts in expected.items():
        assert {tuple(name.split(".")[:2]) for name in found[module]} == {(root[module], part) for part in parts}
        every = [n for n, _ in net.named_parameters() if n.startswith(tuple(f"{root[module]}.{p}." for p in parts))]
        assert sorted(found[module]) == sorted(every)


def test_every_box_and_classifier_tensor_has_an_owner(net: nn.Module) -> None:
    found = trained_names(net, load_recipe("d3"), "tracker")
    owned = {name for names in found.values() for name in names}
    assert {name for name, _ in net.named_parameters() if name not in owned} == {
        name for name, _ in net.named_parameters() if name.startswith("feature_extractor.")
    }
