"""Precise RoI pooling (Jiang et al., ECCV 2018: IoU-Net) as two small matrix products.

A map is read as F(y, x) = sum of its cells times hat functions centred *on* the cell coordinates, zero beyond the
border. A bin's value is the mean of F over the bin. Hats are separable, so a bin is (row weights) x map x (column
weights), each weight the integral of one hat over one side of the bin, divided by that side. Autograd of that form is
exact in the map and in the four coordinates of a box, which box refinement needs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.net.precision import full_precision, widened

_WITHOUT_FLOAT64 = frozenset({"mps"})


def _axis_weights(low: Tensor, high: Tensor, bins: int, cells: int) -> Tensor:
    """Mean of every cell's hat over every bin of one axis.

    Args:
        low: (N, P) where the boxes begin, in cells, float64: the differences below cancel all of float32's precision.
        high: (N, P) where they end.
        bins: bins a box.
        cells: cells of the map along the axis.

    Returns:
        (N, P, bins, cells), zero with zero gradient for a box without extent.
    """
    solid = high > low
    start = torch.where(solid, low, 0.0)[..., None]
    size = torch.where(solid, high - low, 1.0)[..., None] / bins
    edges = start + size * torch.arange(bins + 1, dtype=low.dtype, device=low.device)
    reach = (edges[..., None] - torch.arange(cells, dtype=low.dtype, device=low.device)).clamp(-1, 1)
    integral = reach - reach * reach.abs() / 2
    return torch.where(solid[..., None, None], integral.diff(dim=-2) / size[..., None], 0.0)


def _pool(features: Tensor, corners: tuple[Tensor, ...], output_size: tuple[int, int]) -> Tensor:
    """Pool (N, C, H, W) over boxes given as x0, y0, x1, y1, each (N, P) in cells, to (N, P, C, ph, pw)."""
    n, channels, height, width = features.shape
    x0, y0, x1, y1 = corners
    count, (ph, pw) = x0.shape[1], output_size
    with full_precision(features):
        maps = widened(features).permute(0, 2, 3, 1)
        rows = _axis_weights(y0, y1, ph, height).to(maps.dtype)
        columns = _axis_weights(x0, x1, pw, width).to(maps.dtype)
        strips = rows.reshape(n, count * ph, height) @ maps.reshape(n, height, width * channels)
        pooled = columns[:, :, None] @ strips.view(n, count, ph, width, channels)
    return pooled.permute(0, 1, 4, 2, 3)


def _wide_coordinates(boxes: Tensor) -> Tensor:
    return boxes.to(torch.float32 if boxes.device.type in _WITHOUT_FLOAT64 else torch.float64)


def pool_boxes(features: Tensor, boxes: Tensor, output_size: tuple[int, int], spatial_scale: float) -> Tensor:
    """Pool every image over its own P boxes.

    Args:
        features: (N, C, H, W).
        boxes: (N, P, 4) x, y, w, h in image pixels; they may leave the image.
        output_size: bins (ph, pw).
        spatial_scale: cells a pixel.

    Returns:
        (N, P, C, ph, pw), float32 or wider, differentiable in features and boxes.
    """
    x, y, w, h = (_wide_coordinates(boxes) * spatial_scale).unbind(-1)
    return _pool(features, (x, y, x + w, y + h), output_size)


def prroi_pool(features: Tensor, rois: Tensor, output_size: tuple[int, int], spatial_scale: float) -> Tensor:
    """Pool rois that each name their image.

    Args:
        features: (N, C, H, W).
        rois: (R, 5) image index, x0, y0, x1, y1 in image pixels, real-valued, without any half-pixel shift.
        output_size: bins (ph, pw).
        spatial_scale: cells a pixel.

    Returns:
        (R, C, ph, pw); 0 with zero gradients for a roi without area. No gradient goes to the image index.
    """
    chosen = features.index_select(0, rois[:, 0].detach().long())
    corners = _wide_coordinates(rois[:, None, 1:]) * spatial_scale
    return _pool(chosen, corners.unbind(-1), output_size)[:, 0]
