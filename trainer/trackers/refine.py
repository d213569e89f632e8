"""Box refinement: gradient ascent of the IoU-net's score from several starts (ATOM, CVPR 2019, sec. 3.1)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from trainer.net.backbone import Features
from trainer.net.base import TrackingNet
from trainer.net.filter_optimizer import STRIDE
from trainer.net.iou_net import BoxFeatures, Modulation
from trainer.trackers.parameters.params import OnlineParams, pair
from trainer.trackers.patch import Vector

Coordinates = Callable[[Tensor], Tensor]
_MIN_SIDE = 1.0


class BoxRefiner:
    """Refines boxes towards one target.

    Args:
        net: the network.
        params: starts, steps and selection.
        generator: of the random starts.
        device: where the network is.
    """

    def __init__(
        self, net: TrackingNet, params: OnlineParams, generator: torch.Generator, device: torch.device
    ) -> None:
        self._net, self._params, self._generator, self._device = net, params, generator, device
        self._modulation: Modulation | None = None

    def learn(self, reference: Features, boxes: Tensor) -> None:
        """Take what the target looks like from n views (backbone features of n images) and its boxes (n, 4) in them."""
        seen = {level: maps[: len(boxes)] for level, maps in reference.items()}
        self._modulation = Modulation(*(vectors.mean(0, keepdim=True) for vectors in self._net.modulation(seen, boxes)))

    def refine(self, features: Features, box: Vector) -> Vector | None:
        """The box (4,) x, y, w, h, in window pixels, near another; None where none is plausible.

        Args:
            features: backbone features of one search window.
            box: (4,) where to start.

        Raises:
            RuntimeError: called before :meth:`learn`.
        """
        if self._modulation is None:
            raise RuntimeError("refine needs the target's modulation: call learn first")
        starts = self._starts(torch.from_numpy(np.ascontiguousarray(box, np.float32))).to(self._device)
        seen = self._net.iou_features(features)
        boxes, iou = (each[0].cpu() for each in ascend(self._net, self._modulation, seen, starts[None], self._params))
        return None if (chosen := best_box(boxes, iou, self._params)) is None else chosen.numpy()

    def _starts(self, box: Tensor) -> Tensor:
        """The box, and random ones around it, (P, 4)."""
        if self._params.num_init_random_boxes <= 0:
            return box[None]
        noise = torch.rand(self._params.num_init_random_boxes, 4, generator=self._generator) - 0.5
        return boxes_around(box[None], noise[None], self._params)[0]


def boxes_around(boxes: Tensor, noise: Tensor, params: OnlineParams) -> Tensor:
    """Where refinement starts from: boxes (N, 4), each followed by random ones around it, (N, 1 + P, 4).

    Args:
        boxes: x, y, w, h.
        noise: (N, P, 4) uniform in -0.5 to 0.5.
        params: how far centres and sides go.
    """
    spread = boxes.new_tensor([params.box_jitter_pos] * 2 + [params.box_jitter_sz] * 2)
    moves = noise * (boxes[:, 2:].prod(1).sqrt()[:, None] * spread)[:, None]
    size = torch.maximum(boxes[:, None, 2:] + moves[..., 2:], (boxes[:, 2:].amin(1) / 3)[:, None, None])
    centre = (boxes[:, :2] + boxes[:, 2:] / 2)[:, None] + moves[..., :2]
    return torch.cat([boxes[:, None], torch.cat([centre - size / 2, size], dim=2)], dim=1)


def best_box(boxes: Tensor, scores: Tensor, params: OnlineParams) -> Tensor | None:
    """The mean (4,) of the best of some refined boxes (P, 4) by their scores (P,); None where none is plausible."""
    boxes = torch.cat([boxes[:, :2], boxes[:, 2:].clamp(_MIN_SIDE)], dim=1)
    ratio, limit = boxes[:, 2] / boxes[:, 3], params.maximal_aspect_ratio
    kept = (ratio < limit) & (ratio > 1 / limit) & boxes.isfinite().all(1)
    boxes, scores = boxes[kept], scores[kept]
    if not len(boxes):
        return None
    return boxes[scores.topk(min(params.iounet_k, len(scores))).indices].mean(0)


def ascend(
    net: TrackingNet, modulation: Modulation, features: BoxFeatures, boxes: Tensor, params: OnlineParams
) -> tuple[Tensor, Tensor]:
    """Gradient ascent of the scores of all boxes of all images at once.

    Args:
        net: the network.
        modulation: what the targets of S sequences look like.
        features: the box branch's features of N = m*S images, in (image, sequence) order.
        boxes: (N, P, 4) where to start, x, y, w, h in image pixels.
        params: number, length and space of the steps; the unit of ``relative`` is the first box of each image.

    Returns:
        Boxes (N, P, 4) after the last step, and their scores (N, P) before it.
    """
    relative = params.box_refinement_space == "relative"
    place, size = pair(params.box_refinement_step_length)
    # Outside inference mode, because autograd keeps no tensor that was made in it: hence the copies.
    with torch.inference_mode(False), torch.enable_grad():
        maps = BoxFeatures(*(level.detach().clone() for level in net.modulate(modulation, features)))
        starts = boxes.detach().clone()
        encode, decode = _relative(starts[:, :1, 2:]) if relative else (_identity, _identity)
        points, length = encode(starts), starts.new_tensor([place, place, size, size])
        for _ in range(params.box_refinement_iter):
            points = points.detach().requires_grad_()
            scores = _score(net, maps, decode(points))
            (slope,) = torch.autograd.grad(scores.sum(), points)
            scale = 1 if relative else points[..., 2:].repeat(1, 1, 2)
            points = points + length * slope * scale
            length = length * params.box_refinement_step_decay
        return decode(points.detach()), scores.detach()


def _score(net: TrackingNet, maps: BoxFeatures, boxes: Tensor) -> Tensor:
    """Scores (N, P) of boxes (N, P, 4), from the part of the maps that they touch: pooling reads all it is given.

    A cell of the coarse map is ``STRIDE`` pixels wide, of the fine one half of that.
    """
    spans = boxes.detach().flatten(0, 1) / STRIDE
    reach = torch.stack([spans[:, :2].amin(0), (spans[:, :2] + spans[:, 2:]).amax(0)])
    if not reach.isfinite().all():
        return net.bb_regressor.score(maps, boxes)
    size = maps.level4.shape[-2:]
    (left, top), (right, bottom) = reach.tolist()
    y, x = (min(max(math.floor(low) - 1, 0), cells - 1) for low, cells in zip((top, left), size))
    y1 = min(max(math.ceil(bottom) + 2, y + 1), size[0])
    x1 = min(max(math.ceil(right) + 2, x + 1), size[1])
    fine, coarse = maps.level3[..., 2 * y : 2 * y1, 2 * x : 2 * x1], maps.level4[..., y:y1, x:x1]
    corner = boxes.new_tensor([x * STRIDE, y * STRIDE, 0, 0])
    return net.bb_regressor.score(BoxFeatures(fine, coarse), boxes - corner)


def _identity(boxes: Tensor) -> Tensor:
    return boxes


def _relative(unit: Tensor) -> tuple[Coordinates, Coordinates]:
    """To and from (cx/w0, cy/h0, log w, log h) of boxes (N, P, 4), (w0, h0) being ``unit`` (N, 1, 2)."""

    def encode(boxes: Tensor) -> Tensor:
        return torch.cat([(boxes[..., :2] + 0.5 * boxes[..., 2:]) / unit, boxes[..., 2:].log()], dim=-1)

    def decode(points: Tensor) -> Tensor:
        size = points[..., 2:].exp()
        return torch.cat([points[..., :2] * unit - 0.5 * size, size], dim=-1)

    return encode, decode
