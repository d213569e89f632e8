"""What every loss must do: a new one has a line in ``trainer/recipes/losses.py`` and passes these tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from trainer.recipes.losses import BBE, POINT_BBE, POINT_TCL, TCL, Loss, load_loss

KINDS = {"tcl": TCL, "bbe": BBE, "point tcl": POINT_TCL, "point bbe": POINT_BBE}
LOSSES = [(kind, name) for kind, losses in KINDS.items() for name in losses.registry]
LEARNT = (
    "scores",
    "filters",
    "end_scores",
    "end_filters",
    "predicted",
    "predicted_state",
    "of_tir",
    "logits",
    "distances",
)
"""What a network makes, and so what a loss must tell how to change."""
PENALISED = {"filters": "mu", "end_filters": "mu", "weights": "nu"}
"""What has an effect where its weight is above 0 alone."""
SPREAD = {"logits": 40.0}
"""How much is a little, where it is not 0.3."""
Given = dict[str, Callable[[], Any]]


def load(kind: str, name: str) -> Loss:
    return load_loss(KINDS[kind].registry, KINDS[kind].given, name)


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def optimum(loss: Loss) -> dict[str, Any]:
    """Values of everything under which nothing is left to learn, in float64."""
    label, state = noise(0, 1, 3, 6, 6).abs().clamp(0.1, 1), noise(1, 3, 4)
    overlap, sampled, truth = noise(2, 3, 50).sigmoid(), noise(3, 3, 50).exp(), noise(4, 3, 50).exp()
    cells, sides = torch.arange(108).view(3, 6, 6) % 3 % 2, noise(10, 3, 4, 6, 6).abs() + 1
    truth = truth / (truth / sampled).mean(dim=-1, keepdim=True)
    return {
        "scores": label.expand(4, 1, 3, 6, 6).clone(),
        "filters": noise(5, 4, 3, 8, 4, 4),
        "end_scores": label.expand(2, 1, 3, 6, 6).clone(),
        "end_filters": noise(6, 2, 3, 8, 4, 4),
        "label": label,
        "mu": 0.0,
        # A density has its best scores up to a constant, an overlap at 2 IoU - 1.
        "predicted": truth.log() if "truth_density" in loss.takes else 2 * overlap - 1,
        "overlap": overlap,
        "sample_density": sampled,
        "truth_density": truth,
        "predicted_state": state.clone(),
        "state": state,
        "weights": [noise(7, 5, 4), noise(8, 4, 2)],
        "nu": 0.0,
        "of_tir": noise(9, 3, 40),
        "of_rgb": noise(9, 3, 40),
        # Points that are as sure as numbers can be, and boxes that are the true ones.
        "logits": 40 * torch.stack([1 - cells, cells], dim=1).double(),
        "cells": cells,
        "distances": sides.clone(),
        "wanted": sides,
        "taught_scores": label.expand(4, 1, 3, 6, 6),
        "taught_predicted": 2 * overlap - 1,
        "taught_logits": 40 * torch.stack([1 - cells, cells], dim=1).double(),
        "taught_distances": sides,
        "taught_sure": noise(11, 3, 6, 6).sigmoid(),
    }


def value(loss: Loss, values: dict[str, Any]) -> Tensor:
    given: Given = {name: lambda each=each: each for name, each in values.items()}  # type: ignore[misc]
    result: Tensor = loss(given)
    return result


def moved(values: dict[str, Any], seed: int) -> dict[str, Any]:
    """The values with what a network makes changed a little."""
    learnt = {name: each for name, each in values.items() if name in LEARNT}
    return values | {name: each + SPREAD.get(name, 0.3) * noise(seed, *each.shape) for name, each in learnt.items()}


@pytest.mark.parametrize(("kind", "name"), LOSSES)
def test_it_is_a_finite_scalar_and_computes_nothing_that_it_does_not_take(kind: str, name: str) -> None:
    loss = load(kind, name)
    asked = []
    values = moved(optimum(loss), 1)
    given: Given = {each: lambda each=each: (asked.append(each), values[each])[1] for each in values}  # type: ignore[misc]
    result = loss(given)
    assert result.shape == ()
    assert result.isfinite()
    assert sorted(asked) == sorted(loss.takes)
    assert any(each in LEARNT for each in loss.takes)


@pytest.mark.parametrize(("kind", "name"), LOSSES)
def test_nothing_is_better_than_its_optimum(kind: str, name: str) -> None:
    loss = load(kind, name)
    best = optimum(loss)
    least = value(loss, best)
    if "truth_density" not in loss.takes:
        assert least == pytest.approx(0, abs=1e-12)
    for seed in range(10):
        assert value(loss, moved(best, seed)) > least


@pytest.mark.parametrize(("kind", "name"), LOSSES)
def test_its_gradient_reaches_what_is_learnt_and_vanishes_at_the_optimum(kind: str, name: str) -> None:
    loss = load(kind, name)
    takes = [each for each in loss.takes if each in LEARNT and each not in PENALISED]
    for values, vanishes in ((optimum(loss), True), (moved(optimum(loss), 2), False)):
        leaves = [values[each].requires_grad_() for each in takes]
        gradients = torch.autograd.grad(value(loss, values), leaves)
        for gradient in gradients:
            assert gradient.isfinite().all()
            assert bool(gradient.abs().max() < 1e-9) == vanishes


@pytest.mark.parametrize(("kind", "name"), LOSSES)
def test_its_gradient_is_that_of_its_value(kind: str, name: str) -> None:
    loss = load(kind, name)
    values = moved(optimum(loss), 3)
    takes = [each for each in loss.takes if each in LEARNT and each not in PENALISED]

    def of(*leaves: Tensor) -> Tensor:
        return value(loss, values | dict(zip(takes, leaves)))

    assert torch.autograd.gradcheck(of, [values[each].requires_grad_() for each in takes], fast_mode=True)


@pytest.mark.parametrize(("kind", "name"), LOSSES)
def test_a_penalty_pulls_at_what_it_is_on(kind: str, name: str) -> None:
    loss = load(kind, name)
    for penalised, weight in PENALISED.items():
        if penalised not in loss.takes or weight not in loss.takes:
            continue
        values = optimum(loss)
        each = values[penalised]
        leaves = [tensor.requires_grad_() for tensor in (each if isinstance(each, list) else [each])]
        raised = value(loss, values | {weight: 0.5})
        assert raised > value(loss, values)
        assert all(gradient.abs().max() > 0 for gradient in torch.autograd.grad(raised, leaves))
