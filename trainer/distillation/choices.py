"""The losses that a run can choose (``tcl_loss``, ``bbe_loss``), on what a step gives them by the names of parameters.

What each parameter is, is told in :mod:`trainer.recipes.losses`, where each of these has its line.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from trainer.distillation.losses import bbe_loss, dimp_classification, iou_regression, kl_regression, tcl_loss

KL_WEIGHT = 0.01
"""SuperDiMP's weight of the box loss beside DiMP's classification loss."""


def lbhinge(scores: Tensor, label: Tensor) -> Tensor:
    """The base trackers' own: DiMP's hinged error over all filter iterates."""
    return dimp_classification(scores, label)


def l2(end_scores: Tensor, label: Tensor, end_filters: Tensor, mu: float) -> Tensor:
    """Eq. 2, averaged over the initial and the final filter."""
    return tcl_loss(end_scores, label, end_filters, mu)


def features(of_tir: Tensor, of_rgb: Tensor) -> Tensor:
    """L2 between what the trained branch makes of TIR and its teacher of RGB: distillation without the other branch."""
    return (of_tir - of_rgb).square().mean()


def answered_scores(scores: Tensor, taught_scores: Tensor) -> Tensor:
    """L2 between the response on TIR and the teacher's on RGB in the same windows, over all filter iterates."""
    return (scores - taught_scores).square().mean()


def answered_proposals(predicted: Tensor, taught_predicted: Tensor) -> Tensor:
    """L2 between what is said of the proposals on TIR and what the teacher says of them on RGB."""
    return (predicted - taught_predicted).square().mean()


def iou(predicted: Tensor, overlap: Tensor) -> Tensor:
    """ATOM's and DiMP's own."""
    return iou_regression(predicted, overlap)


def kl(predicted: Tensor, sample_density: Tensor, truth_density: Tensor) -> Tensor:
    """SuperDiMP's own."""
    return KL_WEIGHT * kl_regression(predicted, sample_density, truth_density)


def state_error(predicted_state: Tensor, state: Tensor, weights: Sequence[Tensor], nu: float) -> Tensor:
    """Eq. 3."""
    return bbe_loss(predicted_state, state, weights, nu)


def state_error_and_iou(
    predicted_state: Tensor, state: Tensor, weights: Sequence[Tensor], nu: float, predicted: Tensor, overlap: Tensor
) -> Tensor:
    """Eq. 3 beside ATOM's and DiMP's own."""
    return state_error(predicted_state, state, weights, nu) + iou(predicted, overlap)
