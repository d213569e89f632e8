"""What all networks have, a backbone under two branches; and what DiMP and ATOM share: the box branch and its calls.

In DiMP and ATOM images are normalised RGB (N, 3, H, W), N = n*S images of S sequences in (image, sequence) order; boxes
are x, y, w, h in pixels of those images.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from trainer.net.backbone import Features, ResNet
from trainer.net.iou_net import BoxFeatures, IoUNet, Modulation

IMAGE_MEAN = (0.485, 0.456, 0.406)
"""ImageNet's, R, G, B of [0, 1]; what :class:`TrackingNet` is fed is normalised with them."""
IMAGE_STD = (0.229, 0.224, 0.225)


def normalise(windows: Tensor) -> Tensor:
    """uint8 R, G, B (N, 3, H, W) to [0, 1] minus ImageNet's mean, over its deviation."""
    mean = torch.tensor(IMAGE_MEAN, device=windows.device).view(1, 3, 1, 1)
    std = torch.tensor(IMAGE_STD, device=windows.device).view(1, 3, 1, 1)
    return ((windows.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


class BranchedNet(nn.Module):
    """A network of two branches on one backbone.

    Attributes:
        trunk_name: of the backbone among its modules.
        dead: prefixes of what its released files hold and nothing runs: left out when they are read.
        mappers: modules of maps to maps that take most of a frame's time, and may compute in bfloat16; none where that
            saves nothing.
    """

    trunk_name: ClassVar[str]
    mappers: ClassVar[tuple[str, ...]] = ()
    dead: ClassVar[tuple[str, ...]] = ()

    @property
    def trunk(self) -> nn.Module:
        """The backbone."""
        return self.get_submodule(self.trunk_name)

    def backbone_features(self, images: Tensor) -> Any:
        """Features of (N, 3, H, W), as the branches take them."""
        return self.trunk(images)

    def normalise(self, windows: Tensor) -> Tensor:
        """Windows as training has them, (N, 3, H, W) uint8 R, G, B, as the backbone takes them."""
        return normalise(windows)

    def images(self, windows: Tensor) -> Tensor:
        """The same of windows on any device, on the network's own."""
        return self.normalise(windows.to(next(self.parameters()).device, non_blocking=True))

    def window_features(self, windows: Tensor) -> Any:
        """Features of windows as training has them, on any device."""
        return self.backbone_features(self.images(windows))

    def owner_of(self, names: Iterable[str]) -> str:
        """Whose weights have such names, where they do not fit this network."""
        del names
        return "another tracker"


class TrackingNet(BranchedNet):
    """A backbone and an IoU-net; subclasses make the modules, in the order of released state dicts."""

    trunk_name = "feature_extractor"
    mappers = (trunk_name, *(f"bb_regressor.conv{level}_{place}t" for level in (3, 4) for place in (1, 2)))

    feature_extractor: ResNet
    bb_regressor: IoUNet

    def backbone_features(self, images: Tensor) -> Features:
        """Features of (N, 3, H, W): ``layer2`` at stride 8 and ``layer3`` at stride 16."""
        features: Features = self.feature_extractor(images)
        return features

    def modulation(self, reference: Features, boxes: Tensor) -> Modulation:
        """What the targets look like: one reference image and box (S, 4) a sequence, to two vectors (S, 256)."""
        return self.bb_regressor.modulation(reference, boxes)

    def reference_modulation(self, train: Features, boxes: Tensor) -> Modulation:
        """The modulation from the first of n training images of each sequence; backbone features, boxes (n, S, 4)."""
        count = boxes.shape[1]
        return self.modulation({level: maps[:count] for level, maps in train.items()}, boxes[0])

    def iou_features(self, test: Features) -> BoxFeatures:
        """The box branch's features of test images, to be computed once where proposals are scored many times."""
        return self.bb_regressor.test_features(test)

    def modulate(self, modulation: Modulation, features: BoxFeatures) -> BoxFeatures:
        """The features of m*S test images under the modulation of their sequences: the left factor of Eq. 3."""
        return self.bb_regressor.modulate(modulation, features)

    def score_proposals(self, modulation: Modulation, features: BoxFeatures, proposals: Tensor) -> Tensor:
        """Score proposals (m, S, P, 4) on what :meth:`iou_features` returned; (m, S, P), differentiable in both."""
        modulated = self.bb_regressor.modulate(modulation, features)
        return self.bb_regressor.score(modulated, proposals.flatten(0, 1)).view(proposals.shape[:-1])

    def predict_iou(self, modulation: Modulation, test: Features, proposals: Tensor) -> Tensor:
        """Score proposals (m, S, P, 4) on the backbone features of m*S test images; (m, S, P)."""
        return self.score_proposals(modulation, self.iou_features(test), proposals)
