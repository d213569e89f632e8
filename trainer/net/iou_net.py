"""The IoU-net of ATOM and DiMP: how well a proposal fits the target (Danelljan et al., CVPR 2019, sec. 3.1).

Reference branch: features and box of the target give one modulation vector a level. Test branch: its features,
multiplied channel by channel by those vectors, are pooled over each proposal and scored.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from trainer.net.backbone import Features
from trainer.net.precision import widened
from trainer.net.prroi import pool_boxes

_WIDTH = 256


class Level(NamedTuple):
    """How proposals are read from a level of the features."""

    stride: int
    """Image pixels a cell."""
    bins: int
    """Along either side of a proposal."""


FINE, COARSE = Level(8, 5), Level(16, 3)


class Modulation(NamedTuple):
    """What the reference branch says of the target of each of S sequences."""

    mod3: Tensor
    """(S, 256), for the stride-8 features."""
    mod4: Tensor
    """(S, 256), for the stride-16 features."""


class BoxFeatures(NamedTuple):
    """The test branch's features of N images, in (image, sequence) order."""

    level3: Tensor
    """(N, 256, H/8, W/8)."""
    level4: Tensor
    """(N, 256, H/16, W/16)."""


def conv_block(inputs: int, outputs: int, kernel: int = 3, padding: int = 1) -> nn.Sequential:
    """Convolution with bias, batch-norm, ReLU; Kaiming normal weights (fan-in) and DiMP's uniform batch-norm scales."""
    layer, norm = nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.BatchNorm2d(outputs)
    _initialise(layer, norm)
    return nn.Sequential(layer, norm, nn.ReLU(inplace=True))


class LinearBlock(nn.Module):
    """Fully connected layer, batch-norm, ReLU: (R, inputs) to (R, outputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.bn = nn.BatchNorm2d(outputs)
        _initialise(self.linear, self.bn)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to (R, inputs)."""
        normalised: Tensor = self.bn(self.linear(x)[:, :, None, None])
        return torch.relu(normalised[:, :, 0, 0])


def _initialise(layer: nn.Conv2d | nn.Linear, norm: nn.BatchNorm2d | None = None) -> None:
    nn.init.kaiming_normal_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    if norm is not None:
        nn.init.uniform_(norm.weight)


class IoUNet(nn.Module):
    """Predicts how well proposals fit the target.

    Args:
        channels: input channels of ``layer2`` and ``layer3``.
    """

    def __init__(self, channels: dict[str, int]) -> None:
        super().__init__()
        layer2, layer3 = channels["layer2"], channels["layer3"]
        self.conv3_1r = conv_block(layer2, _WIDTH // 2)
        self.conv3_1t = conv_block(layer2, _WIDTH)
        self.conv3_2t = conv_block(_WIDTH, _WIDTH)
        self.fc3_1r = conv_block(_WIDTH // 2, _WIDTH, padding=0)
        self.conv4_1r = conv_block(layer3, _WIDTH)
        self.conv4_1t = conv_block(layer3, _WIDTH)
        self.conv4_2t = conv_block(_WIDTH, _WIDTH)
        self.fc34_3r = conv_block(2 * _WIDTH, _WIDTH, kernel=1, padding=0)
        self.fc34_4r = conv_block(2 * _WIDTH, _WIDTH, kernel=1, padding=0)
        self.fc3_rt = LinearBlock(_WIDTH * FINE.bins**2, _WIDTH)
        self.fc4_rt = LinearBlock(_WIDTH * COARSE.bins**2, _WIDTH)
        self.iou_predictor = nn.Linear(2 * _WIDTH, 1)
        _initialise(self.iou_predictor)

    def modulation(self, features: Features, boxes: Tensor) -> Modulation:
        """Modulation vectors of S targets.

        Args:
            features: backbone features of S reference images.
            boxes: (S, 4) x, y, w, h in image pixels.
        """
        level3 = pool_boxes(self.conv3_1r(features["layer2"]), boxes[:, None], (3, 3), 1 / FINE.stride)[:, 0]
        level4 = pool_boxes(self.conv4_1r(features["layer3"]), boxes[:, None], (1, 1), 1 / COARSE.stride)[:, 0]
        both = torch.cat([self.fc3_1r(level3), level4], dim=1)
        return Modulation(self.fc34_3r(both)[:, :, 0, 0], self.fc34_4r(both)[:, :, 0, 0])

    def test_features(self, features: Features) -> BoxFeatures:
        """The test branch's features of N images, not yet modulated."""
        return BoxFeatures(
            self.conv3_2t(self.conv3_1t(features["layer2"])), self.conv4_2t(self.conv4_1t(features["layer3"]))
        )

    def modulate(self, modulation: Modulation, features: BoxFeatures) -> BoxFeatures:
        """Multiply the features of m*S test images, channel by channel, by their sequence's modulation (Eq. 3)."""
        return BoxFeatures(*(_modulated(maps, vectors) for maps, vectors in zip(features, modulation)))

    def score(self, modulated: BoxFeatures, proposals: Tensor) -> Tensor:
        """Score P proposals on each of N modulated test images.

        Args:
            modulated: what :meth:`modulate` returned.
            proposals: (N, P, 4) x, y, w, h in image pixels.

        Returns:
            (N, P), linear: 2 IoU - 1 where trained with squares, an unnormalised log density where trained with KL.
        """
        level3, level4 = modulated
        fine = pool_boxes(level3, proposals, (FINE.bins, FINE.bins), 1 / FINE.stride)
        coarse = pool_boxes(level4, proposals, (COARSE.bins, COARSE.bins), 1 / COARSE.stride)
        hidden = [self.fc3_rt(fine.flatten(0, 1).flatten(1)), self.fc4_rt(coarse.flatten(0, 1).flatten(1))]
        return widened(self.iou_predictor(torch.cat(hidden, dim=1))).view(proposals.shape[:-1])


def _modulated(maps: Tensor, vectors: Tensor) -> Tensor:
    """Maps (m*S, C, h, w) times the vectors (S, C) of their sequences."""
    by_sequence = maps.reshape(-1, *vectors.shape, *maps.shape[2:])
    return (by_sequence * vectors[:, :, None, None]).flatten(0, 1)
