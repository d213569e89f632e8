"""Correlation of feature maps with the filters of their own sequences, and its transpose.

Both are one matrix product of all filter taps with all cells, whose rows are shifted and summed: a grouped convolution
with one output a group computes the same, but several times slower, above all in its gradients.

Shapes: m images of each of S sequences, C channels; an h x w map and a 4x4 filter, zero-padded by half a filter, give
(h+1) x (w+1) scores.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

FILTER_SIZE = 4
_PADDING = FILTER_SIZE // 2 - 1
_TAPS = FILTER_SIZE**2


def correlate(features: Tensor, filters: Tensor) -> Tensor:
    """Scores of K filters a sequence.

    Args:
        features: (m, S, C, h, w).
        filters: (K, S, C, 4, 4).

    Returns:
        (K, m, S, h+1, w+1).
    """
    m, s, channels, h, w = features.shape
    k = len(filters)
    taps = filters.flip(-2, -1).permute(1, 0, 3, 4, 2).reshape(s, k * _TAPS, channels)
    rows = (taps @ features.flatten(3)).reshape(m * s * k, _TAPS, h * w)
    scores = F.fold(rows, (h + 1, w + 1), FILTER_SIZE, padding=_PADDING)
    return scores.view(m, s, k, h + 1, w + 1).permute(2, 0, 1, 3, 4)


def correlate_transposed(features: Tensor, scores: Tensor) -> Tensor:
    """The transpose of :func:`correlate` in the filter, that is the gradient of <scores, correlate(features, filter)>.

    Args:
        features: (n, S, C, h, w).
        scores: (n, S, h+1, w+1).

    Returns:
        (S, C, 4, 4), summed over the n images.
    """
    n, s, channels, h, w = features.shape
    shifted = F.unfold(scores.flatten(0, 1)[:, None], FILTER_SIZE, padding=_PADDING)
    products = features.flatten(3) @ shifted.view(n, s, _TAPS, h * w).transpose(2, 3)
    return products.sum(0).view(s, channels, FILTER_SIZE, FILTER_SIZE).flip(-2, -1)
