"""What each branch is fed."""

from typing import Any

import pytest
import torch
from torch import Tensor

from trainer.data.feeds import Feeding, assemble
from trainer.data.views.cut import MEAN_COLOUR
from trainer.net.base import normalise
from trainer.recipes.recipe import load_recipe
from trainer.recipes.settings import configure

CPU = torch.device("cpu")
BOTH = Feeding(("rgb", "tir"), ("tir", "rgb"))


def batch(pairs: int = 2) -> dict[str, Any]:
    """Pictures whose gray value tells pair, branch and modality; targets that tell the pair."""
    values = {"reference_rgb": 10, "reference_tir": 20, "test_rgb": 30, "test_tir": 40}
    content: dict[str, Any] = {
        key: torch.stack([torch.full((3, 4, 4), value + pair, dtype=torch.uint8) for pair in range(pairs)])
        for key, value in values.items()
    }
    row = torch.arange(pairs, dtype=torch.float32)
    content |= {"reference_box": row[:, None].expand(-1, 4) + 100, "label": row[:, None, None].expand(-1, 5, 5)}
    content |= {"pair": row, "test_box": row[:, None].expand(-1, 4)}
    content |= {"state": row[:, None].expand(-1, 4), "proposals": row[:, None, None].expand(-1, 8, 4)}
    return content | {"proposal_iou": row[:, None].expand(-1, 8)}


def gray(images: Tensor) -> list[int]:
    """The value of each picture."""
    return [int(image[0, 0, 0]) for image in images]


def test_a_mixed_batch_holds_every_pair_both_ways_round() -> None:
    feed = assemble(batch(), BOTH, CPU)
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
    feed = assemble(content, Feeding((reference,), (test,)), CPU)
    assert (gray(feed.reference), gray(feed.test)) == values
    assert feed.density is not None
    assert [float(part.mean()) for part in feed.density] == [1, 0]


def test_what_enters_one_way_round_stays_where_it_was_read() -> None:
    """There it may be pinned: a GPU takes it from there while the CPU goes on."""
    content = batch()
    feed = assemble(content, Feeding(("rgb",), ("tir",)), CPU)
    assert feed.reference.data_ptr() == content["reference_rgb"].data_ptr()
    assert feed.label.data_ptr() == content["label"].data_ptr()


def test_pictures_are_normalised_as_imagenet_s_and_blank_ones_vanish() -> None:
    images = torch.tensor([255, 0, 128], dtype=torch.uint8).view(1, 3, 1, 1)
    expected = torch.tensor([(1 - 0.485) / 0.229, -0.456 / 0.224, (128 / 255 - 0.406) / 0.225])
    torch.testing.assert_close(normalise(images).flatten(), expected)
    blank = normalise(torch.tensor(MEAN_COLOUR, dtype=torch.uint8).view(1, 3, 1, 1).expand(2, 3, 8, 8))
    assert float(blank.abs().max()) < 0.01
    assert blank.is_contiguous(memory_format=torch.channels_last)


def test_mix_pairs_once_lets_half_of_the_batch_enter_each_way_round() -> None:
    """The other reading of section 4.3: floor(B/2) pairs one way, the rest the other."""
    feed = assemble(batch(3), Feeding(("rgb", "tir"), ("tir", "rgb"), once=True), CPU)
    assert gray(feed.reference) == [10, 21, 22]
    assert gray(feed.test) == [40, 31, 32]
    for target in (feed.reference_box - 100, feed.label, feed.state, feed.proposals, feed.proposal_iou):
        assert target.flatten(1)[:, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("recipe", "settings", "expected"),
    [
        ("b2", (), Feeding(("rgb",), ("tir",))),
        ("d4", (), BOTH),
        ("d4", ("mix_pairs=once",), Feeding(("rgb", "tir"), ("tir", "rgb"), once=True)),
        ("d4", ("mix=spatial",), Feeding(("rgb-tir",), ("tir-rgb",))),
    ],
)
def test_a_row_and_the_mix_say_what_is_cut(recipe: str, settings: tuple[str, ...], expected: Feeding) -> None:
    feeding = Feeding.of(load_recipe(recipe), configure({"recipe": recipe, "out": "run"}, settings))
    assert feeding == expected
    assert feeding.joined == (settings == ("mix=spatial",))
