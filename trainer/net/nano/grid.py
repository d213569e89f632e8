"""Where the cells of the head lie in the search crop, and the boxes that its distances mean."""

from __future__ import annotations

import torch
from torch import Tensor

TEMPLATE_SIZE, SEARCH_SIZE = 127, 255
"""Sides of the two crops, pixels."""
STRIDE = 16
TEMPLATE_CELLS, SEARCH_CELLS = 8, 16
"""Cells a side of the two feature maps."""
CENTRE = float(SEARCH_SIZE // 2)
"""The centre of the search crop in its own pixels, x and y alike."""


def points(centre: float = CENTRE) -> Tensor:
    """The point of every cell of the head's answer.

    Args:
        centre: coordinate of the search crop's centre; 0 gives points relative to it.

    Returns:
        (2, 16, 16) float32: x and y, pixels. In the crop they run from -1 to 239.
    """
    along = (torch.arange(SEARCH_CELLS, dtype=torch.float32) - SEARCH_CELLS // 2) * STRIDE + centre
    y, x = torch.meshgrid(along, along, indexing="ij")
    return torch.stack([x, y])


def boxes(distances: Tensor, centre: float = CENTRE) -> Tensor:
    """The box of every cell.

    Args:
        distances: (..., 4, 16, 16): from the cell's point to the left, top, right and bottom side, pixels.
        centre: of the search crop, see :func:`points`.

    Returns:
        (..., 4, 16, 16): x and y of the upper left corner, then of the lower right one.
    """
    at = points(centre).to(distances)
    return torch.cat([at - distances[..., :2, :, :], at + distances[..., 2:, :, :]], dim=-3)
