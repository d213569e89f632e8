"""The losses against their definitions, their gradients, and the reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from trainer.distillation.losses import (
    bbe_loss,
    dimp_classification,
    iou_regression,
    kl_regression,
    lb_hinge,
    tcl_loss,
)

from ...conftest import shared


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def density(seed: int, *shape: int) -> Tensor:
    return noise(seed, *shape).exp()


def test_hinge_by_hand() -> None:
    scores, label = torch.tensor([-2.0, 0.5, -2.0, 0.5]), torch.tensor([0.01, 0.01, 0.9, 0.9])
    expected = (0 + 0.5**2 + 2.9**2 + 0.4**2) / 4
    assert lb_hinge(scores, label).item() == pytest.approx(expected)
    assert lb_hinge(scores, label, threshold=0.95).item() == pytest.approx(0.5**2 * 2 / 4)
    assert lb_hinge(scores, label, threshold=None).item() == pytest.approx(((scores - label) ** 2).mean().item())


def test_dimp_classification_weighs_first_last_and_the_rest() -> None:
    scores, label = noise(0, 6, 2, 3, 5, 5), noise(1, 2, 3, 5, 5).abs()
    each = [lb_hinge(iterate, label) for iterate in scores]
    expected = 100 * each[0] + 100 * each[5] + 400 / 4 * (each[1] + each[2] + each[3] + each[4])
    torch.testing.assert_close(dimp_classification(scores, label), expected)


def test_iou_regression_aims_at_twice_the_overlap_less_one() -> None:
    overlap = torch.tensor([[0.0, 0.5, 1.0]])
    assert iou_regression(torch.tensor([[-1.0, 0.0, 1.0]]), overlap) == 0
    assert iou_regression(torch.tensor([[-1.0, 0.0, 4.0]]), overlap) == 3


def test_kl_by_its_definition() -> None:
    scores, sampled, truth = noise(0, 4, 7), density(1, 4, 7), density(2, 4, 7)
    rows = [
        math.log(sum(math.exp(s) / q for s, q in zip(*row[:2], strict=True)) / 7)
        - sum(s * p / q for s, q, p in zip(*row, strict=True)) / 7
        for row in zip(scores.tolist(), sampled.tolist(), truth.tolist(), strict=True)
    ]
    assert kl_regression(scores, sampled, truth).item() == pytest.approx(sum(rows) / 4)


@given(shift=st.floats(-50, 50))
def test_kl_ignores_a_constant_when_the_truth_is_normalised(shift: float) -> None:
    scores, sampled, truth = noise(0, 3, 9), density(1, 3, 9), density(2, 3, 9)
    truth = truth / (truth / sampled).mean(dim=-1, keepdim=True)
    torch.testing.assert_close(kl_regression(scores + shift, sampled, truth), kl_regression(scores, sampled, truth))


def test_kl_is_least_at_the_true_density() -> None:
    sampled, truth = density(1, 2, 200), density(2, 2, 200)
    truth = truth / (truth / sampled).mean(dim=-1, keepdim=True)
    least = kl_regression(truth.log(), sampled, truth)
    for seed in range(5):
        assert kl_regression(truth.log() + 0.3 * noise(seed, 2, 200), sampled, truth) > least


def test_equation_2_by_hand() -> None:
    scores, label = torch.ones(1, 2, 3, 3), torch.zeros(1, 2, 3, 3)
    scores[0, 1] = 2
    filters = torch.stack([torch.full((5, 4, 4), 1.0), torch.full((5, 4, 4), 3.0)])
    assert tcl_loss(scores, label, filters, 0.0).item() == pytest.approx((9 * 1 + 9 * 4) / 2)
    assert tcl_loss(scores, label, filters, 0.1).item() == pytest.approx(22.5 + 0.1 * 80 * (1 + 9) / 2)


def test_equation_2_averages_over_samples_and_iterates() -> None:
    scores, label, filters = noise(0, 2, 3, 4, 5, 5), noise(1, 3, 4, 5, 5), noise(2, 2, 4, 6, 4, 4)
    apart = [tcl_loss(scores[k, :, i], label[:, i], filters[k, i], 0.3) for k in range(2) for i in range(4)]
    torch.testing.assert_close(tcl_loss(scores, label, filters, 0.3), torch.stack(apart).mean())


def test_equation_3_by_hand() -> None:
    prediction, state = torch.tensor([[1.0, 0, 0, 2], [0, 0, 0, 0]]), torch.zeros(2, 4)
    weight, bias = torch.full((2, 3), 2.0), torch.full((3,), 5.0)
    assert bbe_loss(prediction, state, [weight, bias], 0.0).item() == pytest.approx(2.5)
    assert bbe_loss(prediction, state, [weight, bias], 0.5).item() == pytest.approx(2.5 + 0.5 * 24)


def test_gradients_in_float64() -> None:
    label, state = noise(1, 3, 2, 5, 5), noise(2, 6, 4)
    wanted = [value.requires_grad_() for value in (noise(3, 3, 2, 5, 5), noise(4, 2, 6, 4, 4))]
    assert torch.autograd.gradcheck(lambda scores, filters: tcl_loss(scores, label, filters, 0.2), wanted)
    weights = [value.requires_grad_() for value in (noise(5, 6, 4), noise(6, 4, 3))]
    assert torch.autograd.gradcheck(lambda found, weight: bbe_loss(found, state, [weight], 0.2), weights)
    scores = noise(7, 3, 8).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: kl_regression(s, density(8, 3, 8), density(9, 3, 8)), scores)
    maps = noise(10, 3, 5, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: lb_hinge(s, noise(11, 3, 5, 5)), maps)


@pytest.mark.parametrize("threshold", [0.05, 0.3, None])
def test_reference_of_the_hinge(threshold: float | None, device: torch.device) -> None:
    case = np.load(shared("parity/reference_public/losses_31.npz"))
    scores, label = (torch.from_numpy(case[name]).to(device) for name in ("pred", "label"))
    loss = lb_hinge(scores.requires_grad_(), label, threshold)
    loss.backward()
    assert loss.item() == pytest.approx(case[f"f64_lbhinge_{threshold}"].item(), rel=1e-5)
    wanted = case[f"lbhinge_grad_{threshold}"]
    np.testing.assert_allclose(_gradient(scores), wanted, atol=1e-5 * np.abs(wanted).max())


def _gradient(tensor: Tensor) -> np.ndarray:
    assert tensor.grad is not None
    return tensor.grad.cpu().numpy()


def test_reference_of_kl(device: torch.device) -> None:
    case = np.load(shared("parity/reference_public/losses_31.npz"))
    scores, sampled, truth = (
        torch.from_numpy(case[name]).to(device) for name in ("kl_scores", "kl_sample_density", "kl_gt_density")
    )
    loss = kl_regression(scores.requires_grad_(), sampled, truth)
    loss.backward()
    assert loss.item() == pytest.approx(case["f64_kl"].item(), rel=1e-5)
    np.testing.assert_allclose(_gradient(scores), case["kl_grad"], atol=1e-5 * np.abs(case["kl_grad"]).max())
