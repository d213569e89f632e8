"""Box refinement: gradient ascent of the IoU-net's score from several starts (ATOM, CVPR 2019, sec. 3.1)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from trainer.net.backbone import Features
from trainer.net.base import TrackingNet
from trainer.net.iou_net import Modulation
from trainer.net.iou_parts import PartsUnderBoxes
from trainer.net.iou_slopes import ProposalSlopes
from trainer.trackers.parameters.params import OnlineParams, pair
from trainer.trackers.patch import Vector

Surface = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Of boxes (N, P, 4), x, y, w, h in image pixels, the scores (N, P) and their derivatives (N, P, 4)."""
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
        self._slopes = ProposalSlopes(net.bb_regressor)
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
        parts = PartsUnderBoxes(self._net.bb_regressor, self._modulation, features)
        climbed = ascend(lambda boxes: self._slopes(parts(boxes), boxes), starts[None], self._params)
        boxes, iou = (each[0].cpu() for each in climbed)
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


def ascend(surface: Surface, boxes: Tensor, params: OnlineParams) -> tuple[Tensor, Tensor]:
    """Gradient ascent of the scores of all boxes of all images at once.

    Args:
        surface: what is climbed.
        boxes: (N, P, 4) where to start, x, y, w, h in image pixels.
        params: number, length and space of the steps; the unit of ``relative`` is the first box of each image.

    Returns:
        Boxes (N, P, 4) after the last step, and their scores (N, P) before it.
    """
    step, unit = (_relative_step if params.box_refinement_space == "relative" else _step), boxes[:, :1, 2:]
    place, size = pair(params.box_refinement_step_length)
    for _ in range(params.box_refinement_iter):
        scores, slopes = surface(boxes)
        boxes = step(boxes, slopes, unit, place, size)
        place, size = place * params.box_refinement_step_decay, size * params.box_refinement_step_decay
    return boxes, scores


def _step(boxes: Tensor, slopes: Tensor, unit: Tensor, place: float, size: float) -> Tensor:
    """Boxes (N, P, 4) after a step in pixels, in proportion to their own sides."""
    del unit
    corner, sides, shift, growth = boxes[..., :2], boxes[..., 2:], slopes[..., :2], slopes[..., 2:]
    return torch.cat([corner + place * shift * sides, sides + size * growth * sides], dim=-1)


def _relative_step(boxes: Tensor, slopes: Tensor, unit: Tensor, place: float, size: float) -> Tensor:
    """The same in (cx/w0, cy/h0, log w, log h), (w0, h0) being ``unit`` (N, 1, 2): there a side grows to both ends."""
    corner, sides, shift, growth = boxes[..., :2], boxes[..., 2:], slopes[..., :2], slopes[..., 2:]
    grown = sides * (size * (growth - shift / 2) * sides).exp()
    return torch.cat([corner + sides / 2 + place * shift * unit.square() - grown / 2, grown], dim=-1)
