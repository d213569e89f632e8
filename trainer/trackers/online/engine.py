"""What DiMP's and ATOM's trackers do alike: windows into features, boxes into states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.images import Rgb
from trainer.net.backbone import Features
from trainer.net.base import IMAGE_MEAN, IMAGE_STD, TrackingNet
from trainer.trackers.engine import Engine, Outcome
from trainer.trackers.geometry import Target, Window
from trainer.trackers.localization import Flag
from trainer.trackers.online.augment import View, views, wide_size
from trainer.trackers.parameters.params import OnlineParams
from trainer.trackers.patch import Patch, Vector, sample_patch
from trainer.trackers.refine import BoxRefiner


class OnlineEngine(Engine):
    """A classifier that learns while it tracks, and boxes that an IoU-net refines.

    Args:
        net: in eval mode, on ``device``.
        params: of the tracker.
        generator: of all randomness, on the CPU.
        device: where the network is.
    """

    border_mode: str = "replicate"
    max_scale_change: float | None = None

    def __init__(
        self, net: TrackingNet, params: OnlineParams, generator: torch.Generator, device: torch.device
    ) -> None:
        self.settings: OnlineParams = params
        self._generator, self._device = generator, device
        self._backbone = net.backbone_features
        self._refiner = BoxRefiner(net, params, generator, device)
        self._mean = torch.tensor(IMAGE_MEAN, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(IMAGE_STD, device=device).view(1, 3, 1, 1)
        self._frame = 1
        self._refined: Vector | None = None
        self.target: Target
        self.sample_size: Vector

    def _features(self, patches: Sequence[NDArray[np.float32]]) -> Features:
        """Backbone features of n patches (h, w, 3), 0 to 255."""
        pixels = torch.from_numpy(np.stack(patches)).to(self._device).permute(0, 3, 1, 2)
        return self._backbone(((pixels / 255).sub_(self._mean)).div_(self._std))

    def _crops(self, image: Rgb, pos: Vector) -> list[Patch]:
        """The search windows around a position, one a scale factor."""
        return [
            sample_patch(
                image,
                pos,
                self.target.scale * np.float32(factor) * self.sample_size,
                self.sample_size,
                self.border_mode,
                self.max_scale_change,
                self.settings.integer_rounding,
            )
            for factor in self.settings.scale_factors
        ]

    def _views(
        self, image: Rgb, pos: Vector, scale: np.float32, offset: Vector | None = None
    ) -> tuple[list[View], Features]:
        """The views of the first frame, cut around a position, and their backbone features."""
        shown = views(self.settings, self.sample_size, self._generator, offset)
        wide = wide_size(self.settings, self.sample_size)
        patch = sample_patch(image, pos, scale * wide, wide, integer_rounding=self.settings.integer_rounding).image
        size = (int(self.sample_size[0]), int(self.sample_size[1]))
        return shown, self._features([view(patch, size) for view in shown])

    def _learn_box(self, shown: Sequence[View], features: Features, boxes: Tensor) -> None:
        """Teach the box branch what the target looks like, from the first view or from all upright ones."""
        upright = 1
        if self.settings.iounet_augmentation:
            upright = next((at for at, view in enumerate(shown) if not view.upright), len(shown))
        self._refiner.learn(features, boxes[:upright])

    def _locate(self, features: Features, window: Window, pos: Vector, flag: Flag) -> None:
        """Move the target to where the classifier sees it, then to the refined box.

        Args:
            features: backbone features of the window.
            window: where it is.
            pos: (2,) what the classifier says.
            flag: how much that is trusted.
        """
        settings, target = self.settings, self.target
        if flag == "not_found":
            return
        if settings.use_classifier:
            target.move(pos, settings.target_inside_ratio)
            if not settings.use_iou_net:
                target.rescale(window.scale)
        if not settings.use_iou_net:
            return
        box = self._refiner.refine(features, window.box(target.pos, target.size))
        if box is None:
            return
        self._refined, size = window.target(box)
        if settings.use_iounet_pos_for_learning:
            target.pos = self._refined
        target.resize(size, settings.update_scale_when_uncertain or flag != "uncertain")

    def _outcome(self, score: float, flag: Flag) -> Outcome:
        """The box of this frame.

        Where no refined box was plausible, the position is that of an earlier frame's, as in the reference.
        """
        if self._refined is not None and self.settings.use_iou_net and flag != "not_found":
            self.target.pos = self._refined
        return Outcome(self.target.box, score, flag)


def at(features: Features, index: int) -> Features:
    """The features of one of n images."""
    return {level: maps[index : index + 1] for level, maps in features.items()}
