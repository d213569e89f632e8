"""Scores and derivatives in closed form, from parts of the maps, against autograd on all of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from trainer.net import AtomNet, build_network
from trainer.net.backbone import Features
from trainer.net.iou_net import BoxFeatures, IoUNet, Modulation
from trainer.net.iou_parts import PartsOfWindows, PartsUnderBoxes
from trainer.net.iou_slopes import ProposalSlopes

from .conftest import noise

CELLS = 9, 11
"""Of the coarse map; the fine one has an odd number of rows."""
IMAGE = [0.0, 0.0, 176.0, 144.0]
Boxes = Sequence[Sequence[float]]


def random_net() -> IoUNet:
    """With batch-norms that do something."""
    torch.manual_seed(0)
    net: AtomNet = build_network("atom").eval().requires_grad_(False).double()
    for module in net.bb_regressor.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            module.bias.normal_()
    return net.bb_regressor


NET = random_net()
FEATURES: Features = {
    "layer2": noise("fine", 1, 128, 2 * CELLS[0] - 1, 2 * CELLS[1]).relu(),
    "layer3": noise("coarse", 1, 256, *CELLS).relu(),
}
MODULATION = Modulation(noise("mod3", 1, 256).relu(), noise("mod4", 1, 256).relu())
MAPS = NET.modulate(MODULATION, NET.test_features(FEATURES))
SLOPES = ProposalSlopes(NET)


def by_autograd(boxes: Tensor, maps: BoxFeatures = MAPS) -> tuple[Tensor, Tensor]:
    places = boxes.clone().requires_grad_()
    scores = NET.score(maps, places)
    return scores.detach(), torch.autograd.grad(scores.sum(), places)[0]


corner = st.one_of(st.floats(-80, 200, width=32), st.sampled_from([-16.0, 0.0, 16.0, 128.0, 144.0, 176.0]))
side = st.one_of(st.floats(0.5, 300, width=32), st.sampled_from([16.0, 48.0, 0.0, -5.0]))


@settings(max_examples=25, deadline=None)
@given(boxes=st.lists(st.tuples(corner, corner, side, side), min_size=1, max_size=3))
def test_closed_form_from_parts_is_autograd_on_all(boxes: list[tuple[float, ...]]) -> None:
    """Wherever boxes lie: on cells, over the border, beside the map, far apart, without extent."""
    places = torch.tensor([boxes], dtype=torch.float64)
    wanted = by_autograd(places)
    for parts in (PartsOfWindows(MAPS), PartsUnderBoxes(NET, MODULATION, FEATURES)):
        torch.testing.assert_close(SLOPES(parts(places), places), wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("path", [[(40, 40, 30, 20), (44, 43, 30, 20)], [(40, 40, 30, 20), (90, 70, 60, 50)]])
def test_boxes_that_move_are_always_on_their_maps(path: Boxes) -> None:
    parts = PartsUnderBoxes(NET, MODULATION, FEATURES)
    for box in path:
        places = torch.tensor([[box]], dtype=torch.float64)
        torch.testing.assert_close(SLOPES(parts(places), places), by_autograd(places), rtol=1e-9, atol=1e-9)


def test_each_window_is_cut_to_its_own_boxes_and_again_where_one_leaves() -> None:
    """The boxes of a window move, then those of another; a cut is as large in all of them."""
    windows = BoxFeatures(*(torch.cat([maps, maps.flip(2), maps.flip(3)]) for maps in MAPS))
    parts, places = PartsOfWindows(windows), torch.tensor([[40.0, 40, 30, 20], [150, 100, 30, 60], [-20, 3, 10, 10]])
    places = places[:, None].double()
    first = parts(places)
    assert [part.maps.shape[:3] for part in first] == [(3, 6, 7), (3, 4, 4)]
    assert first[0].corner.tolist() == [[4, 4], [15, 11], [0, 0]], "no cell is beyond the map"
    for window, moved, made in ((0, 5.0, False), (2, 60.0, True)):
        places[window, :, :2] += moved
        assert (parts(places) is not first) == made
        wanted = by_autograd(places, windows)
        torch.testing.assert_close(SLOPES(parts(places), places), wanted, rtol=1e-9, atol=1e-9)


def test_maps_are_made_around_the_boxes_and_again_only_where_these_leave_them() -> None:
    parts = PartsUnderBoxes(NET, MODULATION, FEATURES)
    first, near, far = (parts(torch.tensor([[box]])) for box in ([64.0, 48, 16, 16], [68.0, 45, 17, 18], IMAGE))
    assert near is first
    assert [part.maps.shape[1:3] for part in first] == [(6, 6), (4, 4)]
    assert [part.maps.shape[1:3] for part in far] == [maps.shape[2:] for maps in MAPS]
    assert [part.corner.tolist() for part in first] == [[[7, 5]], [[3, 2]]]


@pytest.mark.parametrize("lost", [(torch.nan, 40, 30, 20), (20, 40, torch.inf, 20), (-1e30, 0, 2e30, 50)])
def test_a_box_that_is_lost_does_not_disturb_the_others(lost: Sequence[float]) -> None:
    both = torch.tensor([[lost, (40, 40, 30, 20)]], dtype=torch.float64)
    wanted = by_autograd(both[:, 1:])
    for parts in (PartsOfWindows(MAPS), PartsUnderBoxes(NET, MODULATION, FEATURES)):
        scores, slopes = SLOPES(parts(both), both)
        torch.testing.assert_close((scores[:, 1:], slopes[:, 1:]), wanted, rtol=1e-9, atol=1e-9)


def test_weights_are_those_it_was_made_of() -> None:
    net = random_net()
    slopes, box = ProposalSlopes(net), torch.tensor([[[40.0, 40, 30, 20]]], dtype=torch.float64)
    before = slopes(PartsOfWindows(MAPS)(box), box)
    net.requires_grad_()
    score = net.score(MAPS, box)
    score.sum().backward()
    assert before[0].item() == pytest.approx(score.item())
    assert not before[1].requires_grad
