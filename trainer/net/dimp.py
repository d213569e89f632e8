"""DiMP-18, DiMP-50 (Bhat et al., ICCV 2019) and SuperDiMP (pytracking): a target classifier beside the IoU-net."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from trainer.net.backbone import Depth, Features, ResNet
from trainer.net.base import TrackingNet
from trainer.net.classifier import Classifier
from trainer.net.filter_optimizer import FilterPrediction
from trainer.net.iou_net import IoUNet


@dataclass(frozen=True)
class DimpConfig:
    """In what the three differ."""

    depth: Depth
    """Layers of the ResNet."""
    channels: int
    """Channels of the classifier."""
    residual: bool
    """Whether a residual block precedes the classifier's convolution."""
    label_sigma: float = 0.9
    """Width of the filter optimizer's initial label, in score cells."""


class DimpNet(TrackingNet):
    """Backbone, target classifier and IoU-net."""

    mappers = (*TrackingNet.mappers, "classifier.feature_extractor")

    def __init__(self, config: DimpConfig) -> None:
        super().__init__()
        self.config = config
        self.feature_extractor = ResNet(config.depth)
        channels = self.feature_extractor.channels
        self.classifier = Classifier(channels["layer3"], config.channels, config.residual, config.label_sigma)
        self.bb_regressor = IoUNet(channels)

    def classification_features(self, features: Features) -> Tensor:
        """Classification features (N, C, h, w) from backbone features."""
        maps: Tensor = self.classifier.feature_extractor(features["layer3"])
        return maps

    def predict_filter(
        self, features: Tensor, boxes: Tensor, iterations: int = 5, sample_weight: Tensor | None = None
    ) -> FilterPrediction:
        """The filters of S sequences; see :meth:`~trainer.net.classifier.Classifier.predict_filter`."""
        return self.classifier.predict_filter(features, boxes, iterations, sample_weight)

    def optimize_filter(
        self, initial: Tensor, features: Tensor, boxes: Tensor, iterations: int, sample_weight: Tensor | None = None
    ) -> FilterPrediction:
        """Improve the filters (S, C, 4, 4) that a tracker already has on the images in its memory."""
        return self.classifier.optimize_filter(initial, features, boxes, iterations, sample_weight)

    def classify(self, filters: Tensor, features: Tensor) -> Tensor:
        """Scores (m, S, h+1, w+1) of m*S test images; of K iterates at once for filters (K, S, C, 4, 4)."""
        return self.classifier.classify(filters, features)

    def forward(
        self, train_images: Tensor, test_images: Tensor, train_boxes: Tensor, proposals: Tensor, iterations: int = 5
    ) -> tuple[Tensor, Tensor]:
        """DiMP's own training pass.

        Args:
            train_images: (n, S, 3, H, W); the first of each sequence is the box branch's reference.
            test_images: (m, S, 3, H, W).
            train_boxes: (n, S, 4).
            proposals: (m, S, P, 4).
            iterations: steps of the filter optimizer.

        Returns:
            Scores (iterations + 1, m, S, h+1, w+1) of every filter iterate, and box scores (m, S, P).
        """
        train = self.backbone_features(train_images.flatten(0, 1))
        test = self.backbone_features(test_images.flatten(0, 1))
        prediction = self.predict_filter(self.classification_features(train), train_boxes, iterations)
        scores = self.classify(prediction.filters, self.classification_features(test))
        return scores, self.predict_iou(self.reference_modulation(train, train_boxes), test, proposals)


def dimp18() -> DimpNet:
    """DiMP-18."""
    return DimpNet(DimpConfig(depth=18, channels=256, residual=True))


def dimp50() -> DimpNet:
    """DiMP-50."""
    return DimpNet(DimpConfig(depth=50, channels=512, residual=False))


def superdimp() -> DimpNet:
    """SuperDiMP."""
    return DimpNet(DimpConfig(depth=50, channels=512, residual=False, label_sigma=0.25 / 6 * 22))
