"""Answers to held-out windows, of a network and without one, and how good they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.boxes import iou
from trainer.net.filter_optimizer import STRIDE
from trainer.recipes.geometry import TrackerSpec
from trainer.recipes.settings import TrainSettings

PEAK_IOU, DISPLACED_IOU, CENTRE_IOU = "iou_from_peak", "iou_from_displaced", "iou_at_centre"
HIT, PEAK_ERROR = "hit", "peak_error"
MIDDLE, KEPT, BORDERS = "the middle", "the reference's box kept", "the borders' box"
Batch = dict[str, Any]
Figures = dict[str, NDArray[np.float64]]
"""By name, (N,) of N windows."""


class Answer(NamedTuple):
    """What a network finds in N windows.

    Attributes:
        figures: how good it is.
        boxes: (N, 4) in window pixels, by the name of the figure that tells their overlap with the truth.
        response: (N, h, w) where it takes the target to be, on the grid of the labels; None where it has no such map.
    """

    figures: Figures
    boxes: dict[str, Tensor]
    response: Tensor | None = None


class Answers(ABC):
    """What the networks of one kind of base tracker answer.

    Attributes:
        starts: random boxes of a window that a refinement starts from, beside the first.
        decides: the figure that says most of what a network is worth in tracking.
        key: what figures depend on beside windows and weights; empty where that goes without saying.

    Args:
        settings: of the run.
        spec: the geometry of its windows.
    """

    starts: int = 0
    decides: str = PEAK_IOU
    key: tuple[Any, ...] = ()

    def __init__(self, settings: TrainSettings, spec: TrackerSpec) -> None:
        self.settings, self.spec = settings, spec

    def asked(self, net: Any, reference: Any, batch: Batch) -> Any:
        """What the reference branch makes of N windows, whichever test windows it is held against.

        Args:
            net: the network.
            reference: backbone features of the reference windows.
            batch: the windows' boxes, on the network's device.
        """
        del net, batch
        return reference

    def seen(self, net: Any, test: Any) -> Any:
        """What the test branch makes of the backbone features of N test windows, whatever it is asked for in them."""
        del net
        return test

    @abstractmethod
    def answer(self, net: Any, asked: Any, seen: Any, batch: Batch) -> Answer:
        """What a network finds in N windows.

        Args:
            net: the network.
            asked: what :meth:`asked` made of the reference windows.
            seen: what :meth:`seen` made of the test windows.
            batch: the windows' boxes, on the network's device.
        """

    @abstractmethod
    def vectors(self, net: Any, asked: Any) -> list[Tensor]:
        """What the box module's reference branch says of N targets: (N, ...), of one level after the other."""


def trivial_figures(batch: Batch, size: int) -> dict[str, Figures]:
    """Figures by answer, of answers that look at no picture; their boxes are refined by nothing.

    Args:
        batch: the windows' boxes; the borders' box is an answer where it is among them.
        size: of a window, pixels.
    """
    truth, kept = batch["test_box"], batch["kept_box"]
    middle = centred(torch.full_like(kept[:, :2], size / 2), kept[:, 2:])
    figures: dict[str, Figures] = {}
    boxes = {MIDDLE: middle, KEPT: kept} | ({BORDERS: batch["borders_box"]} if "borders_box" in batch else {})
    for name, box in boxes.items():
        overlap = overlaps(box, truth)
        points = of_points(box[:, :2] + box[:, 2:] / 2, truth)
        figures[name] = {PEAK_IOU: overlap, DISPLACED_IOU: overlap, CENTRE_IOU: overlap} | points
    return figures


def of_points(points: Tensor, truth: Tensor) -> Figures:
    """How far points (N, 2) are from the centres of boxes (N, 4), in window pixels, and whether that is a hit.

    It is within a quarter of the target's side, or within a cell, whichever is larger.
    """
    error = (points - truth[:, :2] - truth[:, 2:] / 2).norm(dim=1)
    near = (truth[:, 2:].prod(dim=1).sqrt() / 4).clamp(min=STRIDE)
    return {HIT: plain(error <= near), PEAK_ERROR: plain(error)}


def centred(points: Tensor, size: Tensor) -> Tensor:
    """Boxes (N, 4) of a size (N, 2) around points (N, 2)."""
    return torch.cat([points - size / 2, size], dim=1)


def overlaps(boxes: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """IoU (N,) of boxes with the true ones."""
    return iou(boxes.cpu(), truth.cpu())


def plain(values: Tensor) -> NDArray[np.float64]:
    """Values as figures have them."""
    return values.double().cpu().numpy()
