"""The filter optimizer against its own objective, written out anew."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.net.filter_optimizer import FilterOptimizer

from .conftest import noise

N, S, C, H, W = 3, 2, 6, 7, 8


@pytest.fixture
def optimizer() -> FilterOptimizer:
    return FilterOptimizer(label_sigma=0.9).double()


@pytest.fixture
def boxes() -> Tensor:
    corner = torch.tensor([40.0, 30.0]) + 8 * noise("corner", N, S, 2)
    return torch.cat([corner, torch.full((N, S, 2), 32.0, dtype=torch.float64)], dim=-1)


@pytest.fixture
def features() -> Tensor:
    return noise("features", N, S, C, H, W) / math.sqrt(C * 16)


def objective(optimizer: FilterOptimizer, filters: Tensor, features: Tensor, boxes: Tensor, share: Tensor) -> Tensor:
    """Sum over sequences of |q (a(s) - y)|^2 + lambda |w|^2, one sequence and one image at a time."""
    label, mask, weight = optimizer.target_maps(boxes, (H + 1, W + 1))
    total = torch.zeros((), dtype=torch.float64)
    for i in range(S):
        for j in range(N):
            score = F.conv2d(features[j, i][None], filters[i][None], padding=2)[0, 0]
            m = mask[j, i]
            activated = torch.where(score > 0, score, m * score)
            residual = weight[j, i] * (activated - label[j, i])
            total = total + share[j] * residual.square().sum()
        total = total + optimizer.filter_reg.square().sum() * filters[i].square().sum()
    return total


def test_target_maps_interpolate_the_learnt_profiles(optimizer: FilterOptimizer) -> None:
    box = torch.tensor([[[16.0, 32.0, 32.0, 16.0]]], dtype=torch.float64)
    maps = optimizer.target_maps(box, (5, 20))
    rows, columns = torch.arange(5)[:, None], torch.arange(20)
    distance = torch.hypot(rows - 2.5, columns - 2.0).clamp(max=9.9)
    bins = 0.1 * np.arange(100)
    label = np.exp(-0.5 * (bins / 0.9) ** 2)
    mask = 1 / (1 + np.exp(-np.interp(distance, bins, 3 * np.tanh(2 - bins))))
    np.testing.assert_allclose(maps.label[0, 0].detach(), np.interp(distance, bins, label - label.min()), atol=1e-6)
    np.testing.assert_allclose(maps.mask[0, 0].detach(), mask, atol=1e-6)
    np.testing.assert_allclose(maps.weight[0, 0].detach(), 1, atol=1e-6)


def test_losses_are_the_objective_at_each_iterate(optimizer: FilterOptimizer, features: Tensor, boxes: Tensor) -> None:
    found = optimizer(noise("initial", S, C, 4, 4), features, boxes, 4)
    assert found.filters.shape == (5, S, C, 4, 4)
    torch.testing.assert_close(found.filter, found.filters[-1])
    share = torch.full((N,), 1 / N, dtype=torch.float64)
    for filters, loss in zip(found.filters, found.losses, strict=True):
        torch.testing.assert_close(loss, objective(optimizer, filters, features, boxes, share) / S)


def test_each_step_descends_along_the_gradient(optimizer: FilterOptimizer, features: Tensor, boxes: Tensor) -> None:
    share = torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64)
    found = optimizer(noise("initial", S, C, 4, 4), features, boxes, 6, share)
    assert (found.losses.diff() < 0).all()
    before = found.filters[2].detach().requires_grad_()
    value = objective(optimizer, before, features, boxes, share)
    (slope,) = torch.autograd.grad(value, before)
    step = found.filters[3] - found.filters[2]
    cosine = F.cosine_similarity(step.flatten(1), -slope.flatten(1))
    torch.testing.assert_close(cosine, torch.ones_like(cosine))


def test_a_full_step_is_optimal_where_the_objective_is_quadratic(
    optimizer: FilterOptimizer, features: Tensor, boxes: Tensor
) -> None:
    """With the mask at 1 everywhere the activation is the identity, and step length 1 minimises along the line."""
    with torch.no_grad():
        optimizer.target_mask_predictor[0].weight.fill_(50)
        optimizer.log_step_length.zero_()
    found = optimizer(noise("initial", S, C, 4, 4), features, boxes, 1)
    share = torch.full((N,), 1 / N, dtype=torch.float64)
    stretch = torch.ones(S, 1, 1, 1, dtype=torch.float64, requires_grad=True)
    moved = found.filters[0] + stretch * (found.filters[1] - found.filters[0]).detach()
    (slope,) = torch.autograd.grad(objective(optimizer, moved, features, boxes, share), stretch)
    assert slope.abs().max() < 1e-9


def test_a_weight_for_each_image_equals_repeating_it(
    optimizer: FilterOptimizer, features: Tensor, boxes: Tensor
) -> None:
    initial = noise("initial", S, C, 4, 4)
    twice = [0, 0, 1, 2]
    weighted = optimizer(initial, features, boxes, 3, torch.tensor([0.5, 0.25, 0.25]))
    repeated = optimizer(initial, features[twice], boxes[twice], 3)
    torch.testing.assert_close(weighted.filters, repeated.filters)
    each = optimizer(initial, features, boxes, 3, torch.tensor([[0.5], [0.25], [0.25]]).expand(N, S))
    torch.testing.assert_close(each.filters, weighted.filters)


def test_gradients_reach_every_parameter_and_the_features(
    optimizer: FilterOptimizer, features: Tensor, boxes: Tensor
) -> None:
    initial = noise("initial", S, C, 4, 4).requires_grad_()
    features.requires_grad_()
    names, parameters = zip(*optimizer.named_parameters(), strict=True)

    def last_filter(*values: Tensor) -> Tensor:
        arguments = (values[0], values[1], boxes, 2)
        state = dict(zip(names, values[2:], strict=True))
        found: Tensor = torch.func.functional_call(optimizer, state, arguments).filter
        return (found * noise("out", S, C, 4, 4)).sum()

    assert torch.autograd.gradcheck(last_filter, (initial, features, *parameters), fast_mode=True)
