"""NanoTrack's backbone: MobileNetV3-small (Howard et al., ICCV 2019) up to its eighth block, with fewer channels.

Module names are those of the authors' files. Convolutions have no bias and are followed by batch-norms.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

CHANNELS = 48
"""Of the features."""


class BlockShape(NamedTuple):
    """One inverted residual block.

    Attributes:
        kernel: of the depthwise convolution.
        inputs: channels.
        wide: channels of the depthwise convolution.
        outputs: channels.
        squeeze: hidden channels of the squeeze; 0 where there is none.
        hard_swish: instead of ReLU.
        stride: of the depthwise convolution.
    """

    kernel: int
    inputs: int
    wide: int
    outputs: int
    squeeze: int
    hard_swish: bool
    stride: int


BLOCKS = (
    BlockShape(3, 16, 16, 16, 8, False, 2),
    BlockShape(3, 16, 72, 24, 0, False, 2),
    BlockShape(3, 24, 88, 24, 0, False, 1),
    BlockShape(5, 24, 96, 40, 24, True, 2),
    BlockShape(5, 40, 240, 40, 64, True, 1),
    BlockShape(5, 40, 240, 40, 64, True, 1),
    BlockShape(5, 40, 120, 48, 32, True, 1),
    BlockShape(5, 48, 144, CHANNELS, 40, True, 1),
)


def _conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)


class Squeeze(nn.Module):
    """Every channel multiplied by a factor from 0 to 1 that the means of all channels decide (squeeze-and-excite)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Hardsigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """Scale the channels of (N, C, H, W)."""
        factors: Tensor = self.fc(x.mean(dim=(2, 3)))
        return x * factors[:, :, None, None]


class InvertedResidual(nn.Module):
    """Widened by a 1x1 convolution, a depthwise one, narrowed by a 1x1 one, around a shortcut where the sizes allow it.

    A block that does not widen lacks the first convolution, and squeezes after its activation instead of before it.
    """

    def __init__(self, shape: BlockShape) -> None:
        super().__init__()
        self.shortcut = shape.stride == 1 and shape.inputs == shape.outputs
        wide = shape.wide
        activation = nn.Hardswish if shape.hard_swish else nn.ReLU
        squeeze = Squeeze(wide, shape.squeeze) if shape.squeeze else nn.Identity()
        depthwise = [_conv(wide, wide, shape.kernel, shape.stride, groups=wide), nn.BatchNorm2d(wide)]
        narrow = [_conv(wide, shape.outputs), nn.BatchNorm2d(shape.outputs)]
        if shape.inputs == wide:
            self.conv = nn.Sequential(*depthwise, activation(), squeeze, *narrow)
        else:
            widen = [_conv(shape.inputs, wide), nn.BatchNorm2d(wide), activation()]
            self.conv = nn.Sequential(*widen, *depthwise, squeeze, activation(), *narrow)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to (N, inputs, H, W)."""
        y: Tensor = self.conv(x)
        return x + y if self.shortcut else y


class MobileNet(nn.Module):
    """The backbone; its last block ends without an activation."""

    def __init__(self) -> None:
        super().__init__()
        first = BLOCKS[0].inputs
        stem = nn.Sequential(_conv(3, first, kernel=3, stride=2), nn.BatchNorm2d(first), nn.Hardswish())
        self.features = nn.Sequential(stem, *map(InvertedResidual, BLOCKS))

    def forward(self, images: Tensor) -> Tensor:
        """Features (N, 48, H/16, W/16), rounded up, of images (N, 3, H, W): planes B, G, R of 0 to 255."""
        features: Tensor = self.features(images)
        return features
