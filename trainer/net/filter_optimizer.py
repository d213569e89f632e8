"""DiMP's filter optimizer: steepest descent on a learnt discriminative loss (Bhat et al., ICCV 2019, sec. 3.1-3.4)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from trainer.net.correlation import correlate, correlate_transposed

STRIDE = 16
_MIN_REGULARISATION = 1e-3
_MIN_CURVATURE = 1e-8


class FilterPrediction(NamedTuple):
    """What the filter predictor made of the training images of S sequences."""

    filter: Tensor
    """(S, C, 4, 4), the last iterate."""
    filters: Tensor
    """(iterations + 1, S, C, 4, 4), from the initial filter to the last."""
    losses: Tensor
    """(iterations + 1,) the optimizer's own loss at each iterate, mean over sequences."""


class TargetMaps(NamedTuple):
    """The learnt functions of a score cell's distance to the target, each (n, S, h+1, w+1)."""

    label: Tensor
    """The score wished for."""
    mask: Tensor
    """0 to 1: how much a cell belongs to the target; where it does not, negative scores cost nothing."""
    weight: Tensor
    """How much a cell's residual counts."""


class FilterOptimizer(nn.Module):
    """Minimises sum |q (a(s) - y)|^2 + lambda |w|^2 over a sequence's filter w, s being its scores.

    y, the mask m and the weight in q are piecewise linear functions of the distance to the target; the activation
    a(s) = (1-m)/2 |s| + (1+m)/2 s passes scores on the target and rectifies them elsewhere. Step lengths come from
    the Gauss-Newton approximation of the curvature. Everything is unrolled and differentiable.

    Args:
        label_sigma: width of the initial label, in score cells.
        bins: radial bins of the learnt functions.
        spacing: distance between two bins, in score cells.
    """

    def __init__(self, label_sigma: float, bins: int = 100, spacing: float = 0.1) -> None:
        super().__init__()
        self.spacing = spacing
        self.log_step_length = nn.Parameter(torch.tensor([math.log(0.9)]))
        self.filter_reg = nn.Parameter(torch.tensor([0.1]))
        distance = spacing * torch.arange(bins)
        label = torch.exp(-0.5 * (distance / label_sigma) ** 2)
        self.label_map_predictor = _radial_profile(label - label.min())
        self.target_mask_predictor = nn.Sequential(_radial_profile(3 * torch.tanh(2 - distance)), nn.Sigmoid())
        self.spatial_weight_predictor = _radial_profile(torch.ones(bins))

    def target_maps(self, boxes: Tensor, size: tuple[int, int]) -> TargetMaps:
        """Label, mask and weight of every score cell.

        Args:
            boxes: (n, S, 4) x, y, w, h in image pixels.
            size: rows and columns of the score map.
        """
        centre = (boxes[..., :2] + boxes[..., 2:] / 2) / STRIDE
        rows, columns = (torch.arange(cells, dtype=boxes.dtype, device=boxes.device) for cells in size)
        vertical = rows[:, None] - centre[..., 1, None, None]
        horizontal = columns - centre[..., 0, None, None]
        bins = self.label_map_predictor.in_channels
        position = ((vertical.square() + horizontal.square()).sqrt() / self.spacing).clamp(max=bins - 1)
        bin_index = torch.arange(bins, dtype=boxes.dtype, device=boxes.device)[:, None, None]
        hats = (1 - (position.flatten(0, 1)[:, None] - bin_index).abs()).clamp(min=0)
        predictors = (self.label_map_predictor, self.target_mask_predictor, self.spatial_weight_predictor)
        return TargetMaps(*(predictor(hats).view(position.shape) for predictor in predictors))

    def forward(
        self, initial: Tensor, features: Tensor, boxes: Tensor, iterations: int, sample_weight: Tensor | None = None
    ) -> FilterPrediction:
        """Improve the filters of S sequences.

        Args:
            initial: (S, C, 4, 4).
            features: (n, S, C, h, w) classification features of the training images.
            boxes: (n, S, 4) x, y, w, h in image pixels.
            iterations: steps to take.
            sample_weight: (n,) or (n, S) weight of every image, 1/n each by default.
        """
        n, _, _, h, w = features.shape
        label, mask, weight = self.target_maps(boxes, (h + 1, w + 1))
        share = features.new_full((n,), 1 / n) if sample_weight is None else sample_weight
        weight = weight * share.sqrt().view(n, -1, 1, 1)
        step_length = self.log_step_length.exp()
        regularisation = self.filter_reg.square().clamp(min=_MIN_REGULARISATION**2)

        filters, losses = [initial], []
        scores = correlate(features, initial[None])[0]
        for step in range(iterations + 1):
            current = filters[-1]
            activated = (1 - mask) / 2 * scores.abs() + (1 + mask) / 2 * scores
            residual = weight * (activated - label)
            losses.append((residual.square().sum() + regularisation * current.square().sum()) / len(current))
            if step == iterations:
                break
            slope = weight * ((1 - mask) / 2 * scores.detach().sign() + (1 + mask) / 2)
            gradient = correlate_transposed(features, slope * residual) + regularisation * current
            direction = correlate(features, gradient[None])[0]
            energy = gradient.square().sum(dim=(1, 2, 3))
            curvature = (slope * direction).square().sum(dim=(0, 2, 3)) + regularisation * energy
            length = step_length * energy / curvature.clamp(min=_MIN_CURVATURE)
            filters.append(current - length[:, None, None, None] * gradient)
            # Scores are linear in the filter, so its step moves them without another correlation.
            scores = scores - length[:, None, None] * direction
        return FilterPrediction(filters[-1], torch.stack(filters), torch.cat(losses))


def _radial_profile(values: Tensor) -> nn.Conv2d:
    """A function of distance as a 1x1 convolution over radial bins, which is how released weights store it."""
    profile = nn.Conv2d(len(values), 1, 1, bias=False)
    with torch.no_grad():
        profile.weight.copy_(values.view_as(profile.weight))
    return profile
