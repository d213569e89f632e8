"""Precise RoI pooling (Jiang et al., ECCV 2018: IoU-Net) as two small matrix products.

A map is read as F(y, x) = sum of its cells times hat functions centred *on* the cell coordinates, zero beyond the
border. A bin's value is the mean of F over the bin. Hats are separable, so a bin is (row weights) x map x (column
weights), each weight the integral of one hat over one side of the bin, divided by that side. Autograd of that form is
exact in the map and in the four coordinates of a box. Box refinement has that derivative in closed form
(:class:`BoxPooling`): a hat's integral grows at an edge as the hat is high there.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.net.precision import full_precision, widened

_WITHOUT_FLOAT64 = frozenset({"mps"})


def _edges(low: Tensor, high: Tensor, bins: int, cells: int) -> tuple[Tensor, Tensor, Tensor]:
    """The edges of every bin of one axis, as every cell's hat sees them.

    Args:
        low: (...) where the boxes begin, in cells, float64: the differences below cancel all of float32's precision.
        high: (...) where they end.
        bins: bins a box.
        cells: cells of the map along the axis.

    Returns:
        (..., bins + 1, cells) from each cell to each edge, -1 or 1 where the hat has ended; (..., 1, 1) a bin's side, 1
        for a box without extent; (..., 1, 1) whether it has one.
    """
    solid = high > low
    start = torch.where(solid, low, 0.0)[..., None]
    side = torch.where(solid, high - low, 1.0)[..., None] / bins
    edges = start + side * torch.arange(bins + 1, dtype=low.dtype, device=low.device)
    reach = (edges[..., None] - torch.arange(cells, dtype=low.dtype, device=low.device)).clamp(-1, 1)
    return reach, side[..., None], solid[..., None, None]


def _axis_weights(low: Tensor, high: Tensor, bins: int, cells: int) -> Tensor:
    """Mean of every cell's hat over every bin of one axis; arguments as in :func:`_edges`.

    Returns:
        (..., bins, cells), zero with zero gradient for a box without extent.
    """
    reach, side, solid = _edges(low, high, bins, cells)
    integral = reach - reach * reach.abs() / 2
    return torch.where(solid, integral.diff(dim=-2) / side, 0.0)


def _axis_slopes(low: Tensor, high: Tensor, bins: int, cells: int) -> Tensor:
    """What :func:`_axis_weights` returns, its derivative in where a box begins, and that in its extent: (3, ...)."""
    reach, side, solid = _edges(low, high, bins, cells)
    far = reach.abs()
    hats = 1 - far
    # An edge moves with the extent by its share of it; so does the side that the mean is divided by.
    share = torch.arange(bins + 1, dtype=low.dtype, device=low.device)[:, None] / bins
    made = torch.stack([reach - reach * far / 2, hats, hats * share]).diff(dim=-2) / side
    made[2] -= made[0] / (bins * side)
    return torch.where(solid, made, 0.0)


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


def wide_coordinates(boxes: Tensor) -> Tensor:
    """Boxes in float64, where the device has it."""
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
    x, y, w, h = (wide_coordinates(boxes) * spatial_scale).unbind(-1)
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
    corners = wide_coordinates(rois[:, None, 1:]) * spatial_scale
    return _pool(chosen, corners.unbind(-1), output_size)[:, 0]


class BoxPooling:
    """What :func:`pool_boxes` gives, and its derivative in the boxes without autograd.

    Args:
        maps: (N, h, w, C), a part of a map with all cells that the boxes touch.
        boxes: (N, P, 4) x, y, w, h in cells of that part, float64 where there is such.
        bins: along either side.

    Attributes:
        pooled: (N, P, bins, bins, C).
    """

    def __init__(self, maps: Tensor, boxes: Tensor, bins: int) -> None:
        count, height, width, channels = maps.shape
        starts, ends = boxes[..., :2], boxes[..., :2] + boxes[..., 2:]
        axes = _axis_slopes(starts, ends, bins, max(height, width)).to(maps.dtype)
        self._columns, self._across = axes[0, :, :, 0, :, :width], axes[1:, :, :, 0, :, :width]
        rows, self._down = axes[0, :, :, 1, :, :height], axes[1:, :, :, 1, :, :height]
        self._rows = maps.reshape(count, height, width * channels)
        strips = rows.flatten(1, 2) @ self._rows
        self._strips = strips.view(*rows.shape[:3], width, channels)
        self.pooled = self._columns[:, :, None] @ self._strips

    def slopes(self, weights: Tensor) -> Tensor:
        """The derivative (N, P, 4) of each box's sum of ``pooled * weights`` in its x, y, w, h."""
        across = (weights @ self._strips.mT).sum(2)
        spread = self._columns.mT[:, :, None] @ weights
        down = (spread.flatten(1, 2).flatten(2) @ self._rows.mT).view(self._down.shape[1:])
        both = [(along * changes).sum((-2, -1)) for along, changes in ((across, self._across), (down, self._down))]
        return torch.stack(both, dim=-1).permute(1, 2, 0, 3).flatten(2)
