"""psi of Eq. 3: fully connected layers that read the box state s from the modulated test maps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

WIDTH = 256


class StateHead(nn.Module):
    """Predicts the standardised state (cx/w, cy/h, log w, log h) of the target in the test window.

    It reads the whole modulated maps, since it must say where the box is: of DiMP and ATOM both levels averaged to
    9 x 9 cells, of NanoTrack the maps as they are.

    Args:
        mean: (4,) of s over the training windows.
        std: (4,) likewise.
        channels: of all levels together.
        cells: a side that every level is averaged to.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor, channels: int, cells: int) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.pool = nn.AdaptiveAvgPool2d(cells)
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * cells * cells, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 4)
        )

    def forward(self, modulated: Sequence[Tensor]) -> Tensor:
        """Standardised states (N, 4) of N modulated test images, (N, C, h, w) of each level."""
        maps = torch.cat([self.pool(level) for level in modulated], dim=1)
        states: Tensor = self.layers(maps)
        return states

    def standardise(self, state: Tensor) -> Tensor:
        """States (N, 4) in units of their spread over the training windows."""
        return (state - self.mean) / self.std
