"""One training pass of the base trackers against pytracking's: loss, every gradient, every batch-norm statistic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from trainer.distillation.losses import dimp_classification, iou_regression, kl_regression
from trainer.net import DimpNet, build_network

from .conftest import Case


@dataclass(frozen=True)
class Tolerance:
    """Relative errors allowed, of the loss, of a gradient (norm and one projection) and of a running statistic."""

    loss: float
    gradient: float
    statistic: float


def total_loss(net: DimpNet, case: Case, dtype: torch.dtype) -> Tensor:
    """The base tracker's own loss of one pass."""
    images, searched, boxes, places = (
        case.inputs[key].to(dtype) for key in ("train_imgs", "test_imgs", "train_bb", "test_proposals")
    )
    label, target, sampled, truth = (
        torch.from_numpy(case[key]).to(images)
        for key in ("test_label", "proposal_iou", "proposal_density", "gt_density")
    )
    scores, predicted = net(images, searched, boxes, places)
    if case["kind"] == "kl":
        return dimp_classification(scores, label) + 0.01 * kl_regression(predicted, sampled, truth)
    # The reference stores its targets 2 IoU - 1 under the name of the overlap.
    return dimp_classification(scores, label) + iou_regression(predicted, (target + 1) / 2)


@pytest.mark.parametrize(
    ("stem", "dtype", "tolerance"),
    [
        pytest.param("train_dimp18", torch.float64, Tolerance(1e-7, 1e-5, 1e-7), marks=pytest.mark.slow),
        ("train_dimp18", torch.float32, Tolerance(1e-4, 1e-2, 1e-5)),
        pytest.param("train_dimp50_kl", torch.float32, Tolerance(1e-4, 1e-2, 1e-5), marks=pytest.mark.slow),
    ],
)
def test_one_pass(
    reference: Callable[[str], Case], stem: str, dtype: torch.dtype, tolerance: Tolerance, device: torch.device
) -> None:
    case = reference(stem).on(device)
    net = build_network(stem.split("_")[1]).train()
    net.load_state_dict(case.state_dict)
    net.to(device, dtype)
    loss = total_loss(net, case, dtype)
    loss.backward()
    assert loss.item() == pytest.approx(float(case["f64_loss"]), rel=tolerance.loss)

    gradients = {name: p.grad.double().cpu().flatten() for name, p in net.named_parameters() if p.grad is not None}
    assert set(gradients) == set(case["grad_names"])
    for name, norm, dot in zip(case["grad_names"], case["f64_grad_norms"], case["f64_grad_dots"], strict=True):
        if norm > 1e-6:
            gradient = gradients[str(name)]
            assert gradient.norm().item() == pytest.approx(norm, rel=tolerance.gradient), name
            projection = gradient @ torch.linspace(-1, 1, gradient.numel(), dtype=torch.float64)
            assert projection.item() == pytest.approx(dot, abs=10 * tolerance.gradient * norm), name

    statistics = dict(net.named_buffers())
    for name, norm in zip(case["bn_names"], case["f64_bn_norms"], strict=True):
        assert statistics[str(name)].double().norm().item() == pytest.approx(norm, rel=tolerance.statistic), name
