"""ATOM (Danelljan et al., CVPR 2019); only its IoU-net is trained offline, its classifier is learnt while tracking."""

from __future__ import annotations

from torch import Tensor

from trainer.net.backbone import ResNet
from trainer.net.base import TrackingNet
from trainer.net.iou_net import IoUNet


class AtomNet(TrackingNet):
    """ResNet-18 and IoU-net."""

    def __init__(self) -> None:
        super().__init__()
        self.feature_extractor = ResNet(18)
        self.bb_regressor = IoUNet(self.feature_extractor.channels)

    def forward(self, train_images: Tensor, test_images: Tensor, train_boxes: Tensor, proposals: Tensor) -> Tensor:
        """ATOM's own training pass.

        Args:
            train_images: (n, S, 3, H, W); all pass the backbone, the first of each sequence is the reference.
            test_images: (m, S, 3, H, W).
            train_boxes: (n, S, 4).
            proposals: (m, S, P, 4).

        Returns:
            (m, S, P).
        """
        train = self.backbone_features(train_images.flatten(0, 1))
        test = self.backbone_features(test_images.flatten(0, 1))
        return self.predict_iou(self.reference_modulation(train, train_boxes), test, proposals)
