"""NanoTrack V2 (HonglinChu/SiamTrackers) as a whole, and which of its parameters belong to which branch.

Everywhere: images are (N, 3, H, W) float32, planes B, G, R of 0 to 255 without mean or scale; a template of 127 pixels
gives 8 x 8 cells, a search crop of 255 gives 16 x 16.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from trainer.net.base import BranchedNet
from trainer.net.nano.backbone import MobileNet
from trainer.net.nano.grid import TEMPLATE_SIZE
from trainer.net.nano.head import BanHead, PixelwiseCorrelation
from trainer.net.nano.versions import other_version
from trainer.net.precision import full_precision, widened

HalfName = Literal["tcl", "bbe"]
HALVES: tuple[HalfName, HalfName] = ("tcl", "bbe")


class Owned(NamedTuple):
    """Prefixes of the parameters of one half of the head.

    Attributes:
        reference: of the branch that sees the template: one affine map of 48 channels, the same in every cell.
        test: of the branch that sees the search crop.
        scoring: of those of ``test``, what reads the correlation maps.
    """

    reference: tuple[str, ...]
    test: tuple[str, ...]
    scoring: tuple[str, ...]


def _owned(correlation: str, tower: str, prediction: str) -> Owned:
    scoring = (f"ban_head.{tower}.", f"ban_head.{prediction}.")
    before = (f"ban_head.{correlation}.conv_search.", f"ban_head.{correlation}.CA_layer.")
    return Owned((f"ban_head.{correlation}.conv_kernel.",), before + scoring, scoring)


BACKBONE_PREFIX = "backbone."
OWNED: Mapping[HalfName, Owned] = {
    "tcl": _owned("corr_pw_cls", "cls_pw_tower", "cls_pred"),
    "bbe": _owned("corr_pw_reg", "bbox_pw_tower", "bbox_pred"),
}


@dataclass(frozen=True)
class Half:
    """One half of the head: the network's own modules, under names that both halves have."""

    correlation: PixelwiseCorrelation
    tower: nn.Sequential
    prediction: nn.Sequential
    exponential: bool
    """Whether the answer is the exponential of what the last layer says."""

    def template(self, features: Tensor) -> Tensor:
        """The reference branch: features of the template (N, 48, 8, 8) to maps of the same shape."""
        maps: Tensor = self.correlation.conv_kernel(features)
        return maps

    def search(self, features: Tensor) -> Tensor:
        """Features of the search crop (N, 48, 16, 16) to maps of the same shape."""
        maps: Tensor = self.correlation.conv_search(features)
        return maps

    def correlate(self, template_maps: Tensor, search_maps: Tensor) -> Tensor:
        """Maps of both branches to (N, 64, 16, 16), see :class:`~trainer.net.nano.head.PixelwiseCorrelation`."""
        maps: Tensor = self.correlation(template_maps, search_maps)
        return maps

    def predict(self, correlated: Tensor) -> Tensor:
        """Correlation maps to the answer: logits (N, 2, 16, 16), or distances (N, 4, 16, 16) in pixels."""
        read: Tensor = self.tower(correlated)
        with full_precision(read):
            # In bfloat16 the logarithm of 40 pixels is up to 0.3 pixels off.
            answer: Tensor = self.prediction(widened(read))
            return answer.exp() if self.exponential else answer

    def __call__(self, template_features: Tensor, search_features: Tensor) -> Tensor:
        """All four in order."""
        return self.predict(self.correlate(self.template(template_features), self.search(search_features)))


class NanoNet(BranchedNet):
    """Backbone and head."""

    trunk_name = "backbone"
    dead = ("neck.",)

    def __init__(self) -> None:
        super().__init__()
        self.backbone = MobileNet()
        self.ban_head = BanHead()
        self._initialise()

    def normalise(self, windows: Tensor) -> Tensor:
        """Windows (N, 3, H, W) uint8 R, G, B as the backbone takes them: B, G, R as they are."""
        return windows.flip(1).float().contiguous(memory_format=torch.channels_last)

    def backbone_features(self, images: Tensor) -> Tensor:
        """Features (N, 48, h, w) of images (N, 3, H, W)."""
        features: Tensor = self.backbone(images)
        return features

    def owner_of(self, names: Iterable[str]) -> str:
        """Whose weights have such names: another version's of NanoTrack, where they tell it."""
        return other_version(names) or super().owner_of(names)

    def half_of(self, name: HalfName) -> Half:
        """The half of the head that finds the target (``tcl``), or that tells its box (``bbe``)."""
        head = self.ban_head
        if name == "tcl":
            return Half(head.corr_pw_cls, head.cls_pw_tower, head.cls_pred, exponential=False)
        return Half(head.corr_pw_reg, head.bbox_pw_tower, head.bbox_pred, exponential=True)

    def classify(self, template_features: Tensor, search_features: Tensor) -> Tensor:
        """Logits (N, 2, 16, 16) of background and target, from features of the template and of the search crop."""
        return self.half_of("tcl")(template_features, search_features)

    def distances(self, template_features: Tensor, search_features: Tensor) -> Tensor:
        """Distances (N, 4, 16, 16) to the left, top, right and bottom side, pixels of the search crop."""
        return self.half_of("bbe")(template_features, search_features)

    def forward(self, template_images: Tensor, search_images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and distances, of templates (N, 3, 127, 127) and search crops (N, 3, 255, 255)."""
        template, search = self.backbone_features(template_images), self.backbone_features(search_images)
        return self.classify(template, search), self.distances(template, search)

    @torch.no_grad()
    def _initialise(self) -> None:
        """Weights under which a network whose batch-norms know no statistics yet keeps its values in bounds."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        self.backbone.get_parameter("features.0.0.weight").div_(64)  # pictures are not normalised
        for prediction in (self.ban_head.cls_pred, self.ban_head.bbox_pred):
            nn.init.normal_(prediction.get_parameter("0.weight"), std=0.01)
        # A square target fills about half of the template: a quarter of its side lies to each side of the centre.
        self.ban_head.bbox_pred.get_parameter("0.bias").fill_(log(TEMPLATE_SIZE / 4))


def nanotrack_v2() -> NanoNet:
    """The network with random weights (torch's global generator), in train mode."""
    return NanoNet()
