"""Where mixed precision stops: sums of squares, step lengths and box gradients need more than eight bits."""

from __future__ import annotations

import torch
from torch import Tensor


def full_precision(like: Tensor) -> torch.autocast:
    """A context on the device of ``like`` in which autocast does not narrow matrix products or convolutions."""
    return torch.autocast(like.device.type, enabled=False)


def widened(tensor: Tensor) -> Tensor:
    """The tensor in float32, or in its own type if that is wider."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
