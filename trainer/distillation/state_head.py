"""psi of Eq. 3: fully connected layers that read the box state s from the modulated test map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.net.iou_net import BoxFeatures

CELLS = 9
WIDTH = 256


class StateHead(nn.Module):
    """Predicts the standardised state (cx/w, cy/h, log w, log h) of the target in the test window.

    It reads the whole modulated map, both levels averaged to 9 x 9 cells, since it must say where the box is.

    Args:
        mean: (4,) of s over the training windows.
        std: (4,) likewise.
        channels: of each modulated level.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor, channels: int = 256) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.pool = nn.AdaptiveAvgPool2d(CELLS)
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(2 * channels * CELLS * CELLS, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 4)
        )

    def forward(self, modulated: BoxFeatures) -> Tensor:
        """Standardised states (N, 4) of N modulated test images."""
        maps = torch.cat([self.pool(modulated.level3), self.pool(modulated.level4)], dim=1)
        states: Tensor = self.layers(maps)
        return states

    def standardise(self, state: Tensor) -> Tensor:
        """States (N, 4) in units of their spread over the training windows."""
        return (state - self.mean) / self.std
