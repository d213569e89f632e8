"""Box refinement on a made-up IoU score."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, cast
from unittest import mock

import numpy as np
import pytest
import torch
from torch import Tensor

from trainer.net import build_network
from trainer.net.base import TrackingNet
from trainer.net.iou_net import BoxFeatures, Modulation
from trainer.net.iou_parts import PartsOfWindows
from trainer.net.iou_slopes import ProposalSlopes
from trainer.trackers import refine
from trainer.trackers.parameters.params import DimpParams
from trainer.trackers.refine import BoxRefiner, ascend

BEST = torch.tensor([50.0, 40.0, 30.0, 20.0])


class Bowl:
    """Scores boxes by their distance to the best one."""

    def __init__(self) -> None:
        self.asked: list[Tensor] = []

    def score(self, boxes: Tensor) -> Tensor:
        return -(((boxes - BEST) / 100) ** 2).sum(-1)

    def __call__(self, parts: Any, boxes: Tensor) -> tuple[Tensor, Tensor]:
        self.asked.append(boxes)
        return self.score(boxes), -2 * (boxes - BEST) / 100**2


class Net:
    """As much of a network as the refiner touches."""

    bb_regressor = None

    def modulation(self, reference: Any, boxes: Tensor) -> Modulation:
        return Modulation(boxes, boxes)


@torch.inference_mode()
def refined(start: list[float], **params: Any) -> tuple[np.ndarray | None, Bowl]:
    bowl, settings, generator = Bowl(), replace(DimpParams(), **params), torch.Generator().manual_seed(0)
    with mock.patch.multiple(refine, ProposalSlopes=lambda _: bowl, PartsUnderBoxes=lambda *_: lambda boxes: None):
        made = BoxRefiner(cast(TrackingNet, Net()), settings, generator, torch.device("cpu"))
        made.learn({}, torch.zeros(2, 4))
        return made.refine({}, np.array(start, np.float32)), bowl


START = [44.0, 44.0, 36.0, 18.0]


@pytest.mark.parametrize(
    "params",
    [
        {"box_refinement_step_length": 20, "box_refinement_iter": 60},
        {"box_refinement_step_length": (20, 10), "box_refinement_iter": 60},
        {"box_refinement_space": "relative", "box_refinement_step_length": 1, "box_refinement_iter": 60},
    ],
)
def test_boxes_climb_to_the_best_one(params: dict[str, Any]) -> None:
    box, _ = refined(START, **params)
    assert box is not None
    assert np.abs(box - BEST.numpy()).max() < 1


def test_a_step_is_the_gradient_times_the_size() -> None:
    box, _ = refined(START, num_init_random_boxes=0, box_refinement_iter=1, box_refinement_step_length=2)
    start = torch.tensor(START)
    slope = -2 * (start - BEST) / 100**2
    np.testing.assert_allclose(box, start + 2 * slope * start[2:].repeat(2), rtol=1e-6)


def test_a_relative_step_is_the_gradient_in_those_coordinates() -> None:
    box, _ = refined(
        START,
        num_init_random_boxes=0,
        box_refinement_iter=1,
        box_refinement_step_length=(0.5, 0.8),
        box_refinement_space="relative",
    )
    start = torch.tensor(START)
    point = torch.cat([(start[:2] + start[2:] / 2) / start[2:], start[2:].log()]).requires_grad_()
    size = point[2:].exp()
    value = Bowl().score(torch.cat([point[:2] * start[2:] - size / 2, size]))
    (slope,) = torch.autograd.grad(value, point)
    after = (point + torch.tensor([0.5, 0.5, 0.8, 0.8]) * slope).detach()
    wanted = torch.cat([after[:2] * start[2:] - after[2:].exp() / 2, after[2:].exp()])
    np.testing.assert_allclose(box, wanted, rtol=1e-5)


def test_starts_are_the_box_and_random_ones_of_at_least_a_third_of_its_side() -> None:
    _, bowl = refined(START, box_jitter_sz=4.0)
    starts = bowl.asked[0][0]
    assert starts.shape == (10, 4)
    assert starts[0].tolist() == START
    assert starts[:, 2:].min() >= 18 / 3
    assert len(starts.unique(dim=0)) == 10


def test_steps_decay() -> None:
    common = {"num_init_random_boxes": 0, "box_refinement_step_length": 5}
    once, _ = refined(START, box_refinement_iter=1, **common)
    none, _ = refined(START, box_refinement_iter=5, box_refinement_step_decay=0, **common)
    np.testing.assert_array_equal(once, none)


def test_slim_boxes_are_dropped() -> None:
    assert refined([40, 40, 60, 5], num_init_random_boxes=0, box_refinement_iter=1)[0] is None


def test_the_best_are_those_of_the_last_pass_before_the_last_step() -> None:
    box, bowl = refined(START, iounet_k=1, box_refinement_iter=1, box_refinement_step_length=0)
    starts = bowl.asked[0][0]
    best = (starts - BEST).square().sum(1).argmin()
    np.testing.assert_array_equal(box, starts[best])


@pytest.mark.parametrize("space", ["default", "relative"])
def test_many_sequences_at_once_are_each_by_itself(space: Literal["default", "relative"]) -> None:
    net = build_network("dimp18").eval().requires_grad_(False)
    settings = replace(DimpParams(), box_refinement_space=space, box_refinement_step_length=0.1)
    generator = torch.Generator().manual_seed(0)
    modulation = Modulation(*(torch.rand(3, 256, generator=generator) for _ in range(2)))
    maps = BoxFeatures(*(torch.randn(3, 256, side, side, generator=generator) for side in (18, 9)))
    starts = torch.tensor([30.0, 40, 50, 45]) + 10 * torch.rand(3, 4, 4, generator=generator)

    def climbed(mine: slice) -> tuple[Tensor, Tensor]:
        seen = BoxFeatures(*(level[mine] for level in maps))
        parts = PartsOfWindows(net.modulate(Modulation(*(vectors[mine] for vectors in modulation)), seen))
        return ascend(lambda boxes: ProposalSlopes(net.bb_regressor)(parts(boxes), boxes), starts[mine], settings)

    boxes, scores = climbed(slice(None))
    assert (boxes - starts).abs().amax(dim=(1, 2)).min() > 1e-3
    for each in range(3):
        mine = slice(each, each + 1)
        torch.testing.assert_close((boxes[mine], scores[mine]), climbed(mine), rtol=1e-4, atol=1e-3)
