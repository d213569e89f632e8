"""How well a two-branch network finds the target in a window: response peak, IoU prediction, refined boxes."""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.feeding import Feed
from trainer.net import AtomNet, DimpNet
from trainer.trackers import TrackerSpec

STRIDE = 16
REFINED = 8
"""Proposals of a window that are refined."""
STEPS, STEP_LENGTH = 5, 1.0
"""Gradient steps of the base trackers' box refinement, and their length in units of the box's sides."""


def measure_feed(net: DimpNet | AtomNet, feed: Feed, spec: TrackerSpec) -> dict[str, float]:
    """Means over the rows of a feed.

    Returns:
        ``peak_error``: distance from the response's peak to the label's, window pixels (trackers with a classifier);
        ``iou_error``: mean absolute error of the predicted IoU (not where the box branch gives densities);
        ``refined_iou``: IoU with the truth of the best-scored box after the refinement of some proposals.
    """
    count = len(feed.reference)
    features = net.backbone_features(torch.cat([feed.reference, feed.test]))
    reference = {level: maps[:count] for level, maps in features.items()}
    test = {level: maps[count:] for level, maps in features.items()}
    found: dict[str, float] = {}
    if isinstance(net, DimpNet):
        filters = net.predict_filter(net.classification_features(reference), feed.reference_box[None]).filter
        scores = net.classify(filters, net.classification_features(test))[0]
        offset = _peak(scores) - _peak(feed.label)
        found["peak_error"] = float(offset.norm(dim=1).mean()) * STRIDE
    modulation, box_features = net.modulation(reference, feed.reference_box), net.iou_features(test)
    if not spec.mixture:
        predicted = net.score_proposals(modulation, box_features, feed.proposals[None])[0]
        found["iou_error"] = float(((predicted + 1) / 2 - feed.proposal_iou).abs().mean())
    boxes = feed.proposals[None, :, :REFINED]
    with torch.enable_grad():
        for _ in range(STEPS):
            boxes = boxes.detach().requires_grad_()
            score = net.score_proposals(modulation, box_features, boxes)
            (slope,) = torch.autograd.grad(score.sum(), boxes)
            boxes = boxes + STEP_LENGTH * slope * boxes[..., 2:].repeat(1, 1, 1, 2)
    boxes = boxes.detach()
    best = net.score_proposals(modulation, box_features, boxes)[0].argmax(dim=1)
    chosen = boxes[0, torch.arange(count, device=boxes.device), best]
    found["refined_iou"] = float(overlap(chosen, feed.test_box).mean())
    return found


def modulation_cosine(net: DimpNet | AtomNet, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> float:
    """Mean cosine between the modulation vectors (both levels) of two views: images (N, 3, S, S), boxes (N, 4)."""
    one, other = (net.modulation(net.backbone_features(images), boxes) for images, boxes in (first, second))
    angles = [torch.cosine_similarity(a.flatten(1), b.flatten(1)) for a, b in zip(one, other)]
    return float(torch.stack(angles).mean())


def overlap(first: Tensor, second: Tensor) -> Tensor:
    """IoU (N,) of boxes (N, 4) x, y, w, h; 0 where a box is inside out."""
    low = torch.maximum(first[:, :2], second[:, :2])
    high = torch.minimum(first[:, :2] + first[:, 2:], second[:, :2] + second[:, 2:])
    both = (high - low).clamp_min(0).prod(dim=1)
    areas = first[:, 2:].clamp_min(0).prod(dim=1) + second[:, 2:].prod(dim=1)
    return both / (areas - both).clamp_min(1e-6)


def _peak(scores: Tensor) -> Tensor:
    """Cell (N, 2) row, column of the highest score of each map (N, h, w)."""
    flat = scores.flatten(1).argmax(dim=1)
    width = scores.shape[-1]
    return torch.stack([flat // width, flat % width], dim=1).float()
