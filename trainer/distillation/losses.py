"""The losses: the base trackers' own, and the two distillation losses of the paper (Eq. 2 and 3).

Eq. 2 and 3 sum the squared error within a sample (its score map, its box state) and average over samples. A sequence
has its own filter, so the penalty on filters is averaged in the same way: the balance of error and penalty does not
depend on the batch size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

HINGE_THRESHOLD = 0.05


def lb_hinge(scores: Tensor, label: Tensor, threshold: float | None = HINGE_THRESHOLD) -> Tensor:
    """DiMP's hinged squared error: background scores below 0 cost nothing (Bhat et al., ICCV 2019, sec. 3.6).

    Args:
        scores: any shape.
        label: the same shape; cells below ``threshold`` are background.
        threshold: None for a plain mean squared error.

    Returns:
        The mean over all elements.
    """
    if threshold is None:
        return F.mse_loss(scores, label)
    background = label < threshold
    error = torch.where(background, scores.relu(), scores - label)
    return error.square().mean()


def dimp_classification(scores: Tensor, label: Tensor) -> Tensor:
    """DiMP's classification loss over filter iterates: 100 for the first, 100 for the last, 400 shared by the others.

    Args:
        scores: (iterations + 1, m, S, h+1, w+1), at least three iterates.
        label: (m, S, h+1, w+1).
    """
    losses = torch.stack([lb_hinge(iterate, label) for iterate in scores])
    return 100 * (losses[0] + losses[-1]) + 400 * losses[1:-1].mean()


def iou_regression(prediction: Tensor, overlap: Tensor) -> Tensor:
    """ATOM's and DiMP's box loss: squared error to 2 IoU - 1, mean over all proposals (same shapes)."""
    return F.mse_loss(prediction, 2 * overlap - 1)


def kl_regression(scores: Tensor, sample_density: Tensor, gt_density: Tensor) -> Tensor:
    """SuperDiMP's box loss: KL divergence from the truth to the predicted density (Danelljan et al., CVPR 2020).

    The normaliser is estimated by importance sampling from the proposals.

    Args:
        scores: (..., P) unnormalised log densities of P proposals.
        sample_density: (..., P) density that the proposals were drawn from.
        gt_density: (..., P) density of the true box.

    Returns:
        The mean over the leading axes; negative values are possible, since a constant is left out.
    """
    log_partition = torch.logsumexp(scores - sample_density.log(), dim=-1) - math.log(scores.shape[-1])
    expected = (scores * (gt_density / sample_density)).mean(dim=-1)
    return (log_partition - expected).mean()


def tcl_loss(scores: Tensor, label: Tensor, filter: Tensor, mu: float) -> Tensor:
    """Eq. 2: |phi(x_t) * x_v - g|^2 + mu |phi(x_t)|^2, the target centre location loss.

    Args:
        scores: (..., h, w) of the test branch under the reference branch's filter; iterates may be stacked in front.
        label: the Gaussian g, broadcastable to ``scores``.
        filter: (..., C, f, f), one filter a sequence (and iterate).
        mu: weight of the penalty.

    Returns:
        Squared error summed over cells, mean over samples (and iterates), plus mu times the filters' mean squared norm.
    """
    error = (scores - label).square().sum(dim=(-2, -1)).mean()
    return error + mu * filter.square().sum(dim=(-3, -2, -1)).mean() if mu else error


def bbe_loss(prediction: Tensor, s: Tensor, parameters: Iterable[Tensor], nu: float) -> Tensor:
    """Eq. 3: |psi(theta(x_t) . phi(x_v)) - s|^2 + nu |theta|^2, the bounding box estimation loss.

    Args:
        prediction: (..., 4) box states, standardised like ``s``.
        s: (..., 4) box states.
        parameters: theta; biases and batch-norm scales, that is everything with one axis, are not penalised.
        nu: weight of the penalty.

    Returns:
        Squared error summed over the state, mean over samples, plus nu times the squared norm of the weights.
    """
    error = (prediction - s).square().sum(dim=-1).mean()
    if not nu:
        return error
    return error + nu * torch.stack([weight.square().sum() for weight in parameters if weight.dim() > 1]).sum()
