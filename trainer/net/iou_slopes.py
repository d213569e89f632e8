"""Scores of proposals and their derivatives in the boxes, in closed form: what refinement climbs (ATOM, CVPR 2019).

A level's score is w . relu(A p + b), p being what is pooled under the box: its derivative in p is A^T (w, where the
ReLU is open), and pooling knows its own in the box. For networks in eval mode, outside of autograd.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from trainer.net.folding import fold_batch_norms
from trainer.net.iou_net import COARSE, FINE, IoUNet, Level
from trainer.net.iou_parts import Part
from trainer.net.precision import full_precision
from trainer.net.prroi import BoxPooling, wide_coordinates


class ProposalSlopes:
    """The layers of an IoU-net that score what is pooled, as they are when this is made.

    Args:
        net: in eval mode.
    """

    @torch.no_grad()
    def __init__(self, net: IoUNet) -> None:
        blocks = copy.deepcopy(nn.ModuleList([net.fc3_rt, net.fc4_rt]))
        fold_batch_norms(blocks)
        outer = net.iou_predictor.weight[0].chunk(2)
        self._levels = [
            _Head(level, cast("nn.Linear", block.get_submodule("linear")), weights)
            for level, block, weights in zip((FINE, COARSE), blocks, outer)
        ]
        self._offset = net.iou_predictor.bias.detach()

    @torch.no_grad()
    def __call__(self, parts: Sequence[Part], boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Score P proposals on each of N modulated test images.

        Args:
            parts: of both levels, with all cells that the boxes touch.
            boxes: (N, P, 4) x, y, w, h in image pixels.

        Returns:
            Scores (N, P), as :meth:`~trainer.net.iou_net.IoUNet.score` gives them, and their derivatives (N, P, 4).
        """
        with full_precision(boxes):
            found = [head(part, wide_coordinates(boxes)) for head, part in zip(self._levels, parts)]
        (fine, fine_slope), (coarse, coarse_slope) = found
        return fine + coarse + self._offset, (fine_slope + coarse_slope).to(boxes.dtype)


class _Head:
    """A fully connected layer, a ReLU, and its share of the score."""

    def __init__(self, level: Level, layer: nn.Linear, outer: Tensor) -> None:
        self._level, self._outer = level, outer.detach().clone()
        # Pooled features are taken as pooling leaves them, channels last.
        channels_last = layer.weight.view(len(layer.weight), -1, level.bins, level.bins).permute(0, 2, 3, 1)
        self._weight, self._bias = channels_last.flatten(1).detach().contiguous(), layer.bias.detach()

    def __call__(self, part: Part, boxes: Tensor) -> tuple[Tensor, Tensor]:
        scale = 1 / self._level.stride
        places = boxes * scale - pad(part.corner.to(boxes), (0, 2))[:, None]
        pooling = BoxPooling(part.maps, places, self._level.bins)
        hidden = torch.addmm(self._bias, pooling.pooled.flatten(0, 1).flatten(1), self._weight.T).relu_()
        slope = torch.where(hidden > 0, self._outer, 0.0) @ self._weight
        return (hidden @ self._outer).view(boxes.shape[:2]), pooling.slopes(slope.view_as(pooling.pooled)) * scale
