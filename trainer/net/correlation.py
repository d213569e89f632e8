"""Correlation of feature maps with the filters of their own sequences, and its transpose.

Both are one matrix product of all filter taps with all cells, whose rows are shifted and summed: a grouped convolution
with one output a group computes the same, but several times slower, above all in its gradients.

Shapes: m images of each of S sequences, C channels; an h x w map and a filter, zero-padded by half a filter, give
(h+1) x (w+1) scores for filters of even size (DiMP's 4x4), h x w ones for odd.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

FILTER_SIZE = 4


def _fold_padding(size: tuple[int, int]) -> tuple[int, int]:
    """Padding with which shifting the rows back by the taps of a filter leaves the scores."""
    return (size[0] - 1) // 2, (size[1] - 1) // 2


def _scores_size(cells: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    return cells[0] + (size[0] + 1) % 2, cells[1] + (size[1] + 1) % 2


def correlate(features: Tensor, filters: Tensor) -> Tensor:
    """Scores of K filters a sequence.

    Args:
        features: (m, S, C, h, w).
        filters: (K, S, C, kh, kw).

    Returns:
        (K, m, S, h+1, w+1) for even kh, kw.
    """
    m, s, channels, h, w = features.shape
    k, size = len(filters), (filters.shape[-2], filters.shape[-1])
    taps = filters.flip(-2, -1).permute(1, 0, 3, 4, 2).reshape(s, -1, channels)
    rows = (taps @ features.flatten(3)).reshape(m * s * k, size[0] * size[1], h * w)
    height, width = _scores_size((h, w), size)
    scores = F.fold(rows, (height, width), size, padding=_fold_padding(size))
    return scores.view(m, s, k, height, width).permute(2, 0, 1, 3, 4)


def correlate_transposed(
    features: Tensor, scores: Tensor, size: tuple[int, int] = (FILTER_SIZE, FILTER_SIZE)
) -> Tensor:
    """The transpose of :func:`correlate` in the filter, that is the gradient of <scores, correlate(features, filter)>.

    Args:
        features: (n, S, C, h, w).
        scores: (n, S, h+1, w+1) for even kh, kw.
        size: (kh, kw) of the filter.

    Returns:
        (S, C, kh, kw), summed over the n images.
    """
    n, s, channels, h, w = features.shape
    shifted = F.unfold(scores.flatten(0, 1)[:, None], size, padding=_fold_padding(size))
    products = features.flatten(3) @ shifted.view(n, s, -1, h * w).transpose(2, 3)
    return products.sum(0).view(s, channels, *size).flip(-2, -1)
