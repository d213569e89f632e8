"""NanoTrack's own losses, on points that are labelled (its authors' V2 training).

What each parameter is, is told in :mod:`trainer.recipes.losses`, where each of these has its line.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from trainer.distillation.choices import state_error


def cross_entropy(logits: Tensor, cells: Tensor) -> Tensor:
    """NanoTrack's classification loss: of the points on a target and of those beside it, each half, over the batch."""
    surprise = -logits.log_softmax(dim=1)
    positive, negative = cells == 1, cells == 0
    return (_mean(surprise[:, 1], positive) + _mean(surprise[:, 0], negative)) / 2


def iou(distances: Tensor, wanted: Tensor, cells: Tensor) -> Tensor:
    """NanoTrack's box loss: 1 - IoU of the boxes that the points on a target tell, mean over all of them.

    Intersection and union are both enlarged by one pixel.
    """
    return _mean(1 - _overlap(distances, wanted), cells == 1)


def state_error_and_iou(
    predicted_state: Tensor,
    state: Tensor,
    weights: Sequence[Tensor],
    nu: float,
    distances: Tensor,
    wanted: Tensor,
    cells: Tensor,
) -> Tensor:
    """Eq. 3 beside NanoTrack's own."""
    return state_error(predicted_state, state, weights, nu) + iou(distances, wanted, cells)


def answered_classes(logits: Tensor, taught_logits: Tensor) -> Tensor:
    """KL divergence from what the teacher says of every point on RGB to what is said on TIR.

    Points on and beside its target weigh half each, by its own word, as in :func:`cross_entropy`.
    """
    said, taught = logits.log_softmax(dim=1), taught_logits.log_softmax(dim=1)
    divergence = (taught.exp() * (taught - said)).sum(dim=1)
    weights = [share / share.sum().clamp(min=1e-12) for share in taught.exp().unbind(1)]
    return (divergence * (weights[0] + weights[1])).sum() / 2


def answered_boxes(distances: Tensor, taught_distances: Tensor, taught_sure: Tensor) -> Tensor:
    """1 - IoU of every point's boxes on TIR and, of the teacher, on RGB, weighed by how sure that is of its target."""
    return ((1 - _overlap(distances, taught_distances)) * taught_sure).sum() / taught_sure.sum().clamp(min=1e-12)


def _overlap(distances: Tensor, wanted: Tensor) -> Tensor:
    """IoU (R, h, w) of the boxes that points tell with the ones that they are to tell, both (R, 4, h, w)."""
    left, top, right, bottom = distances.unbind(1)
    to_left, to_top, to_right, to_bottom = wanted.unbind(1)
    across = torch.minimum(left, to_left) + torch.minimum(right, to_right)
    along = torch.minimum(top, to_top) + torch.minimum(bottom, to_bottom)
    intersection = across.clamp(min=0) * along.clamp(min=0)
    area, true_area = (left + right) * (top + bottom), (to_left + to_right) * (to_top + to_bottom)
    return (intersection + 1) / (area + true_area - intersection + 1)


def _mean(values: Tensor, where: Tensor) -> Tensor:
    """Mean of the values of some points; 0, with a gradient of 0, where there is none."""
    return values[where].sum() / where.sum().clamp(min=1)
