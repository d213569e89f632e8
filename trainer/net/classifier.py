"""The target classifier of DiMP: features, first filter, filter optimizer (Bhat et al., ICCV 2019, sec. 3).

Images are stacked in (image, sequence) order; score cell k sits at image coordinate 16 k.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from trainer.net.backbone import BasicBlock
from trainer.net.correlation import FILTER_SIZE, correlate
from trainer.net.filter_optimizer import STRIDE, FilterOptimizer, FilterPrediction
from trainer.net.precision import full_precision, widened
from trainer.net.prroi import pool_boxes


class InstanceL2Norm(nn.Module):
    """Scales every image's map (N, C, H, W) to root mean square ``scale``."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Normalise every image of (N, C, H, W), in float32 or wider."""
        x = widened(x)
        energy = x.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-5
        return x * (self.scale * (math.prod(x.shape[1:]) / energy).sqrt())


def feature_head(inputs: int, channels: int, residual: bool) -> nn.Sequential:
    """The layers from the backbone's ``layer3`` (N, inputs, h, w) to classification features (N, channels, h, w).

    Args:
        inputs: channels of ``layer3``.
        channels: channels of the classifier.
        residual: put a residual block in front, as DiMP-18 does.
    """
    block = [BasicBlock(inputs, inputs)] if residual else []
    norm = InstanceL2Norm(math.sqrt(1 / (channels * FILTER_SIZE**2)))
    layers = nn.Sequential(*block, nn.Conv2d(inputs, channels, 3, padding=1, bias=False), norm)
    for module in layers.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return layers


class FilterInitializer(nn.Module):
    """The first filter: pooled features of the target, averaged over the training images."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.filter_conv = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.normal_(self.filter_conv.weight, std=math.sqrt(2 / (9 * channels)))
        nn.init.zeros_(self.filter_conv.get_parameter("bias"))

    def forward(self, features: Tensor, boxes: Tensor) -> Tensor:
        """Features (n*S, C, h, w) and boxes (n, S, 4) in image pixels to filters (S, C, 4, 4)."""
        maps = self.filter_conv(features)
        pooled = pool_boxes(maps, boxes.reshape(-1, 1, 4), (FILTER_SIZE, FILTER_SIZE), 1 / STRIDE)
        return pooled.view(*boxes.shape[:2], *pooled.shape[2:]).mean(0)


class Classifier(nn.Module):
    """Features, filter prediction and scores.

    Args:
        inputs: channels of the backbone's ``layer3``.
        channels: channels of the classifier.
        residual: see :func:`feature_head`.
        label_sigma: see :class:`~trainer.net.filter_optimizer.FilterOptimizer`.
    """

    def __init__(self, inputs: int, channels: int, residual: bool, label_sigma: float) -> None:
        super().__init__()
        self.filter_initializer = FilterInitializer(channels)
        self.filter_optimizer = FilterOptimizer(label_sigma)
        self.feature_extractor = feature_head(inputs, channels, residual)

    def optimize_filter(
        self, initial: Tensor, features: Tensor, boxes: Tensor, iterations: int, sample_weight: Tensor | None = None
    ) -> FilterPrediction:
        """Improve given filters (S, C, 4, 4) on training images; arguments as in :meth:`predict_filter`."""
        with full_precision(features):
            stacked = widened(features).reshape(*boxes.shape[:2], *features.shape[1:])
            prediction: FilterPrediction = self.filter_optimizer(
                widened(initial), stacked, widened(boxes), iterations, sample_weight
            )
        return prediction

    def predict_filter(
        self, features: Tensor, boxes: Tensor, iterations: int, sample_weight: Tensor | None = None
    ) -> FilterPrediction:
        """The filters of S sequences from n training images each.

        Args:
            features: (n*S, C, h, w) classification features.
            boxes: (n, S, 4) x, y, w, h in image pixels.
            iterations: steps of the optimizer.
            sample_weight: (n,) or (n, S), 1/n each by default.
        """
        initial = self.filter_initializer(features, boxes)
        return self.optimize_filter(initial, features, boxes, iterations, sample_weight)

    def classify(self, filters: Tensor, features: Tensor) -> Tensor:
        """Scores of m test images of each of S sequences.

        Args:
            filters: (S, C, 4, 4), or several iterates (K, S, C, 4, 4).
            features: (m*S, C, h, w) classification features.

        Returns:
            (m, S, h+1, w+1), or (K, m, S, h+1, w+1).
        """
        iterates = filters if filters.dim() == 5 else filters[None]
        with full_precision(features):
            stacked = widened(features).reshape(-1, filters.shape[-4], *features.shape[1:])
            scores = correlate(stacked, widened(iterates))
        return scores if filters.dim() == 5 else scores[0]
