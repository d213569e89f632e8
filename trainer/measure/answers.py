"""Answers to held-out windows, of a network and without one, and how good they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.boxes import iou
from trainer.net import DimpNet, TrackingNet
from trainer.net.backbone import Features
from trainer.net.filter_optimizer import STRIDE
from trainer.trackers.parameters.params import OnlineParams
from trainer.trackers.refine import ascend, best_box, boxes_around

PEAK_IOU, DISPLACED_IOU, IOU_ERROR = "iou_from_peak", "iou_from_displaced", "iou_error"
HIT, PEAK_ERROR = "hit", "peak_error"
MIDDLE, KEPT, BORDERS = "the middle", "the reference's box kept", "the borders' box"
Batch = dict[str, Any]
Figures = dict[str, NDArray[np.float64]]
"""By name, (N,) of N windows."""


def network_figures(
    net: TrackingNet, reference: Features, test: Features, batch: Batch, params: OnlineParams, *, densities: bool
) -> Figures:
    """Figures of what a network finds in N windows.

    Args:
        net: the network.
        reference: backbone features of the reference windows.
        test: of the test windows.
        batch: the windows' boxes, on the network's device.
        params: how boxes are refined: as in tracking.
        densities: whether the box branch gives densities, which are no IoU to compare with.

    Returns:
        ``iou_from_peak``, ``hit``, ``peak_error``: of the response's peak, and of the box refined from a box of the
        reference's size there (trackers with a classifier); ``iou_from_displaced``: of the box refined from the true
        one moved by a quarter of its sides; ``iou_error``: of the IoU that is predicted for boxes around the truth.
    """
    truth = batch["test_box"]
    measured: Figures = {}
    modulation, seen = net.modulation(reference, batch["reference_box"]), net.iou_features(test)
    if isinstance(net, DimpNet):
        filters = net.predict_filter(net.classification_features(reference), batch["reference_box"][None]).filter
        peak = _peak(net.classify(filters, net.classification_features(test))[0])
        box = _centred(peak, batch["kept_box"][:, 2:])
        starts = boxes_around(box, batch["noise"][:, 0], params)
        refined = _best(*ascend(net, modulation, seen, starts, params), box, params)
        measured = {PEAK_IOU: _iou(refined, truth)} | _of_points(peak, truth)
    displaced = batch["displaced_box"]
    starts = boxes_around(displaced, batch["noise"][:, 1], params)
    refined = _best(*ascend(net, modulation, seen, starts, params), displaced, params)
    measured[DISPLACED_IOU] = _iou(refined, truth)
    if not densities:
        predicted = net.score_proposals(modulation, seen, batch["proposals"][None])[0]
        measured[IOU_ERROR] = _plain(((predicted + 1) / 2 - batch["proposal_iou"]).abs().mean(dim=1))
    return measured


def trivial_figures(batch: Batch, size: int) -> dict[str, Figures]:
    """Figures by answer, of answers that look at no picture; their boxes are refined by nothing.

    Args:
        batch: the windows' boxes.
        size: of a window, pixels.
    """
    truth, kept = batch["test_box"], batch["kept_box"]
    middle = _centred(torch.full_like(kept[:, :2], size / 2), kept[:, 2:])
    figures: dict[str, Figures] = {}
    for name, box in ((MIDDLE, middle), (KEPT, kept), (BORDERS, batch["borders_box"])):
        overlap = _iou(box, truth)
        points = _of_points(box[:, :2] + box[:, 2:] / 2, truth)
        figures[name] = {PEAK_IOU: overlap, DISPLACED_IOU: overlap} | points
    return figures


def _of_points(points: Tensor, truth: Tensor) -> Figures:
    """How far points (N, 2) are from the centres of boxes (N, 4), in window pixels, and whether that is a hit.

    It is within a quarter of the target's side, or within a cell, whichever is larger.
    """
    error = (points - truth[:, :2] - truth[:, 2:] / 2).norm(dim=1)
    near = (truth[:, 2:].prod(dim=1).sqrt() / 4).clamp(min=STRIDE)
    return {HIT: _plain(error <= near), PEAK_ERROR: _plain(error)}


def _peak(scores: Tensor) -> Tensor:
    """Where (N, 2) x, y, the highest score of each map (N, h, w) lies in its window, pixels: cell k is at k strides."""
    flat, width = scores.flatten(1).argmax(dim=1), scores.shape[-1]
    return torch.stack([flat % width, flat // width], dim=1).float() * STRIDE


def _centred(points: Tensor, size: Tensor) -> Tensor:
    return torch.cat([points - size / 2, size], dim=1)


def _best(boxes: Tensor, scores: Tensor, fallback: Tensor, params: OnlineParams) -> Tensor:
    """The refined box of each window (N, 4), the first start where none is plausible, as while tracking."""
    chosen = (best_box(*each, params) for each in zip(boxes, scores))
    return torch.stack([start if best is None else best for best, start in zip(chosen, fallback)])


def _iou(boxes: Tensor, truth: Tensor) -> NDArray[np.float64]:
    return iou(boxes.cpu(), truth.cpu())


def _plain(values: Tensor) -> NDArray[np.float64]:
    return values.double().cpu().numpy()
