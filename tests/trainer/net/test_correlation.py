"""Correlation against torch's own convolution, and its transpose by the definition of a transpose."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from trainer.net.correlation import correlate, correlate_transposed

from .conftest import noise


def test_equals_a_grouped_convolution() -> None:
    features, filters = noise("features", 3, 2, 5, 6, 7), noise("filters", 4, 2, 5, 4, 4)
    grouped = torch.stack([F.conv2d(features.flatten(1, 2), one, padding=2, groups=2) for one in filters])
    torch.testing.assert_close(correlate(features, filters), grouped)


def test_transpose_is_the_adjoint() -> None:
    features, scores = noise("features", 3, 2, 5, 6, 7), noise("scores", 3, 2, 7, 8)
    filters = noise("filters", 1, 2, 5, 4, 4)
    left = (correlate(features, filters)[0] * scores).sum(dim=(0, 2, 3))
    right = (filters[0] * correlate_transposed(features, scores)).sum(dim=(1, 2, 3))
    torch.testing.assert_close(left, right)


def test_channels_last_maps_give_the_same() -> None:
    features, filters = noise("features", 6, 5, 6, 7), noise("filters", 1, 2, 5, 4, 4)
    last = features.to(memory_format=torch.channels_last)
    torch.testing.assert_close(
        correlate(last.view(3, 2, *last.shape[1:]), filters), correlate(features.view(3, 2, 5, 6, 7), filters)
    )
