"""How well a two-branch network finds the target in a window: response peak, IoU prediction, refined boxes."""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.boxes import iou
from trainer.data.feeds import Feed
from trainer.net import DimpNet, TrackingNet
from trainer.net.filter_optimizer import STRIDE
from trainer.recipes.geometry import TrackerSpec
from trainer.trackers.parameters.params import DimpParams
from trainer.trackers.refine import ascend

REFINED = 8
"""Proposals of a window that are refined."""
REFINEMENT = DimpParams()
"""How they are: as DiMP and ATOM do while tracking, for every tracker alike."""


def measure_feed(net: TrackingNet, feed: Feed, spec: TrackerSpec) -> dict[str, float]:
    """Means over the rows of a feed.

    Returns:
        ``peak_error``: distance from the response's peak to the label's, window pixels (trackers with a classifier);
        ``iou_error``: mean absolute error of the predicted IoU (not where the box branch gives densities);
        ``refined_iou``: IoU with the truth of the best-scored box after the refinement of some proposals.
    """
    reference, test = net.paired_features(feed.reference, feed.test)
    measures: dict[str, float] = {}
    if isinstance(net, DimpNet):
        filters = net.predict_filter(net.classification_features(reference), feed.reference_box[None]).filter
        scores = net.classify(filters, net.classification_features(test))[0]
        offset = _peak(scores) - _peak(feed.label)
        measures["peak_error"] = float(offset.norm(dim=1).mean()) * STRIDE
    modulation, box_features = net.modulation(reference, feed.reference_box), net.iou_features(test)
    if not spec.mixture:
        predicted = net.score_proposals(modulation, box_features, feed.proposals[None])[0]
        measures["iou_error"] = float(((predicted + 1) / 2 - feed.proposal_iou).abs().mean())
    boxes, _ = ascend(net, modulation, box_features, feed.proposals[:, :REFINED], REFINEMENT)
    best = net.score_proposals(modulation, box_features, boxes[None])[0].argmax(dim=1)
    chosen = boxes[torch.arange(len(boxes), device=boxes.device), best]
    measures["refined_iou"] = float(iou(chosen.cpu(), feed.test_box.cpu()).mean())
    return measures


def modulation_cosine(net: TrackingNet, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> float:
    """Mean cosine between the modulation vectors (both levels) of two views: images (N, 3, S, S), boxes (N, 4)."""
    one, other = (net.modulation(net.backbone_features(images), boxes) for images, boxes in (first, second))
    angles = [torch.cosine_similarity(a.flatten(1), b.flatten(1)) for a, b in zip(one, other)]
    return float(torch.stack(angles).mean())


def _peak(scores: Tensor) -> Tensor:
    """Cell (N, 2) row, column of the highest score of each map (N, h, w)."""
    flat = scores.flatten(1).argmax(dim=1)
    width = scores.shape[-1]
    return torch.stack([flat // width, flat % width], dim=1).float()
