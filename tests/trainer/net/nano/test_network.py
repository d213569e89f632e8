"""NanoTrack's network: its keys, its two halves, its points."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from trainer.net.nano import HALVES, HalfName, NanoNet, boxes, nanotrack_v2, points
from trainer.net.nano.network import OWNED

from ....conftest import shared
from .drawn import drawn_crops, drawn_network, planes


@pytest.fixture(scope="module")
def net() -> NanoNet:
    return drawn_network()


def features(name: str, count: int, cells: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(len(name))
    return torch.randn(count, 48, cells, cells, generator=generator)


def test_keys_and_shapes_are_those_of_the_released_file_without_its_dead_neck() -> None:
    wanted = json.loads(shared("nano/nanotrack_v2_keys.json").read_text())
    found = {name: list(value.shape) for name, value in nanotrack_v2().state_dict().items()}
    assert list(found.items()) == [(name, shape) for name, shape in wanted.items() if not name.startswith("neck.")]


def test_size_of_the_parts() -> None:
    net = nanotrack_v2()
    assert sum(p.numel() for p in net.backbone.parameters()) == 190_520
    assert sum(p.numel() for p in net.ban_head.parameters()) == 143_558


def test_every_parameter_of_the_head_is_of_one_branch_of_one_half() -> None:
    head = {name: p.numel() for name, p in nanotrack_v2().named_parameters() if name.startswith("ban_head.")}
    owners = {name: [] for name in head}
    counts = {}
    for half, owned in OWNED.items():
        for branch in ("reference", "test"):
            own = [name for name in head if name.startswith(getattr(owned, branch))]
            counts[half, branch] = sum(head[name] for name in own)
            for name in own:
                owners[name].append((half, branch))
        assert set(owned.scoring) < set(owned.test)
    assert all(len(each) == 1 for each in owners.values())
    assert counts == {
        ("tcl", "reference"): 2_448,
        ("tcl", "test"): 69_234,
        ("bbe", "reference"): 2_448,
        ("bbe", "test"): 69_428,
    }


@pytest.mark.parametrize("name", HALVES)
def test_a_branch_is_moved_by_what_it_owns_alone(name: HalfName) -> None:
    net = drawn_network()
    half, owned = net.half_of(name), OWNED[name]
    template, search = features("t", 2, 8), features("search", 2, 16)
    half.template(template).square().sum().backward()
    touched = {key for key, p in net.named_parameters() if p.grad is not None}
    assert touched == {key for key, _ in net.named_parameters() if key.startswith(owned.reference)}
    net.zero_grad()
    half.correlate(half.template(template).detach(), half.search(search)).square().sum().backward()
    touched = {key for key, p in net.named_parameters() if p.grad is not None and p.grad.any()}
    wanted = [key for key, _ in net.named_parameters() if key.startswith(owned.test)]
    assert touched == {key for key in wanted if not key.startswith(owned.scoring)}


@pytest.mark.parametrize("name", HALVES)
def test_one_template_serves_many_search_crops(net: NanoNet, name: HalfName) -> None:
    half = net.half_of(name)
    template, search = features("t", 1, 8), features("search", 3, 16)
    with torch.no_grad():
        several = half(template, search)
        alone = torch.cat([half(template, each[None]) for each in search])
    torch.testing.assert_close(several, alone, rtol=1e-4, atol=1e-4)


def test_a_correlation_map_belongs_to_one_cell_of_the_template(net: NanoNet) -> None:
    """Row by row: map 8 * row + column is of the template's cell (row, column)."""
    correlation = net.half_of("bbe").correlation
    template, search = features("t", 1, 8), features("search", 1, 16)
    with torch.no_grad():
        attention = correlation.CA_layer
        products = torch.einsum("ncij,nckl->nijkl", template, search).flatten(1, 2)
        torch.testing.assert_close(correlation(template, search), attention(products), rtol=1e-4, atol=1e-4)


def test_forward_is_the_entry_points_in_order(net: NanoNet) -> None:
    template, search = (planes(crops) for crops in drawn_crops(2))
    with torch.no_grad():
        logits, distances = net(template, search)
        seen, searched = net.backbone_features(template), net.backbone_features(search)
        assert seen.shape == (2, 48, 8, 8)
        assert searched.shape == (2, 48, 16, 16)
        torch.testing.assert_close(logits, net.classify(seen, searched))
        torch.testing.assert_close(distances, net.distances(seen, searched))
    assert logits.shape == (2, 2, 16, 16)
    assert distances.shape == (2, 4, 16, 16)
    assert (distances > 0).all()


def test_random_weights_give_values_within_bounds() -> None:
    """A network of its own, which pretraining starts from, looks at pictures of 0 to 255."""
    torch.manual_seed(0)
    net = nanotrack_v2().eval()
    with torch.no_grad():
        logits, distances = net(*(planes(crops) for crops in drawn_crops()))
    assert logits.abs().max() < 5
    assert 10 < distances.min() < 127 / 4 < distances.max() < 100


def test_points_lie_around_the_centre_of_the_crop() -> None:
    x, y = points()
    assert (x[0, 0], y[0, 0]) == (-1, -1)
    assert (x[2, 15], y[2, 15]) == (239, 31)
    assert (x[8, 8], y[8, 8]) == (127, 127)
    assert points(0)[:, 8, 8].tolist() == [0, 0]


def test_boxes_are_told_by_their_corners() -> None:
    distances = torch.tensor([10.0, 20, 30, 40])[None, :, None, None].expand(2, 4, 16, 16)
    found = boxes(distances)
    assert found.shape == (2, 4, 16, 16)
    np.testing.assert_array_equal(found[1, :, 8, 9], [143 - 10, 127 - 20, 143 + 30, 127 + 40])
    np.testing.assert_array_equal(boxes(distances, 0)[0, :, 8, 8], [-10, -20, 30, 40])


@pytest.mark.parametrize("name", HALVES)
def test_autocast_does_not_narrow_the_answer(net: NanoNet, name: HalfName) -> None:
    """What the tower gives is narrow; a distance that is the exponential of eight bits would be some per cent off."""
    half, maps = net.half_of(name), torch.randn(2, 64, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            read, found = half.tower(maps), half.predict(maps)
        wanted = half.prediction(read.float())
    assert read.dtype == torch.bfloat16
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted.exp() if half.exponential else wanted)
