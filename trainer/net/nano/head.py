"""NanoTrack's head: two halves alike that share nothing, one tells target from background, one the target's box.

Each compares every cell of the template with every cell of the search crop (pixel-wise correlation: Yan et al.,
Alpha-Refine, CVPR 2021), weighs the maps of the comparison, and reads them with depthwise separable convolutions.
Module names are those of the authors' files.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.net.nano.backbone import CHANNELS
from trainer.net.nano.grid import TEMPLATE_CELLS

MAPS = TEMPLATE_CELLS**2
"""Of a correlation: one a cell of the template."""
TOWER_CHANNELS, TOWER_LAYERS = 96, 6
CLASSES, SIDES = 2, 4
"""Background and target; left, top, right and bottom."""


class ChannelAttention(nn.Module):
    """Every map multiplied by a factor from 0 to 1 that the means of all maps decide."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels, 1)
        self.fc2 = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scale the maps of (N, C, H, W)."""
        means = x.mean(dim=(2, 3), keepdim=True)
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(means))))


class PixelwiseCorrelation(nn.Module):
    """Cells of the template times cells of the search crop."""

    def __init__(self) -> None:
        super().__init__()
        self.CA_layer = ChannelAttention(MAPS)
        self.conv_kernel = nn.Sequential(nn.Conv2d(CHANNELS, CHANNELS, 1), nn.BatchNorm2d(CHANNELS))
        self.conv_search = nn.Sequential(nn.Conv2d(CHANNELS, CHANNELS, 1), nn.BatchNorm2d(CHANNELS))

    def forward(self, template: Tensor, search: Tensor) -> Tensor:
        """The weighed maps of the comparison.

        Args:
            template: (N or 1, 48, 8, 8), after ``conv_kernel``.
            search: (N, 48, 16, 16), after ``conv_search``.

        Returns:
            (N, 64, 16, 16): map k is the inner product with cell k of the template, row by row, nothing scaled.
        """
        products = template.flatten(2).transpose(1, 2) @ search.flatten(2)
        maps: Tensor = self.CA_layer(products.view(*products.shape[:2], *search.shape[2:]))
        return maps


def _tower() -> nn.Sequential:
    layers: list[nn.Module] = []
    inputs = MAPS
    for _ in range(TOWER_LAYERS):
        layers += [
            nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
            nn.Conv2d(inputs, TOWER_CHANNELS, 1, bias=False),
            nn.BatchNorm2d(TOWER_CHANNELS),
            nn.ReLU6(),
        ]
        inputs = TOWER_CHANNELS
    return nn.Sequential(*layers)


class BanHead(nn.Module):
    """Both halves; :meth:`trainer.net.nano.NanoNet.half_of` takes one out."""

    def __init__(self) -> None:
        super().__init__()
        self.corr_pw_reg = PixelwiseCorrelation()
        self.corr_pw_cls = PixelwiseCorrelation()
        self.cls_pw_tower = _tower()
        self.bbox_pw_tower = _tower()
        self.cls_pred = nn.Sequential(nn.Conv2d(TOWER_CHANNELS, CLASSES, 1))
        self.bbox_pred = nn.Sequential(nn.Conv2d(TOWER_CHANNELS, SIDES, 1))
