"""What DiMP and ATOM find in held-out windows: the response's peak, and boxes that are refined."""

from __future__ import annotations

from typing import NamedTuple, Self

import torch
from torch import Tensor

from trainer.measure.answers import (
    DISPLACED_IOU,
    PEAK_IOU,
    Answer,
    Answers,
    Batch,
    Figures,
    centred,
    of_points,
    overlaps,
    plain,
)
from trainer.net import DimpNet, TrackingNet
from trainer.net.backbone import Features
from trainer.net.filter_optimizer import STRIDE
from trainer.net.iou_net import BoxFeatures, Modulation
from trainer.net.iou_parts import PartsOfWindows
from trainer.net.iou_slopes import ProposalSlopes
from trainer.recipes.geometry import SearchSpec, geometry_of
from trainer.recipes.recipe import load_recipe
from trainer.recipes.settings import TrainSettings
from trainer.trackers.parameters.defaults import online_defaults
from trainer.trackers.parameters.params import OnlineParams
from trainer.trackers.refine import ascend, best_box, boxes_around

IOU_ERROR = "iou_error"


class Asked(NamedTuple):
    """What the reference branch makes of N windows: modulation vectors and, where it has a classifier, filters."""

    modulation: Modulation
    filters: Tensor | None

    @classmethod
    def of(cls, net: TrackingNet, reference: Features, batch: Batch) -> Self:
        """From backbone features of the windows, and the boxes in them."""
        boxes, filters = batch["reference_box"], None
        if isinstance(net, DimpNet):
            filters = net.predict_filter(net.classification_features(reference), boxes[None]).filter
        return cls(net.modulation(reference, boxes), filters)


class Seen(NamedTuple):
    """What the test branch makes of N windows: features for boxes and, where it has a classifier, for that."""

    boxes: BoxFeatures
    classification: Tensor | None

    @classmethod
    def of(cls, net: TrackingNet, test: Features) -> Self:
        """From backbone features of the windows."""
        return cls(net.iou_features(test), net.classification_features(test) if isinstance(net, DimpNet) else None)


class ProposalAnswers(Answers):
    """DiMP's and ATOM's, refined as in tracking."""

    def __init__(self, settings: TrainSettings, spec: SearchSpec) -> None:
        super().__init__(settings, spec)
        self._params = online_defaults(settings.tracker)
        self.starts = self._params.num_init_random_boxes
        self._densities = gives_densities(settings)
        self.decides = PEAK_IOU if spec.classifier else DISPLACED_IOU
        self.key = (self._densities,) if self._densities != spec.mixture else ()

    def asked(self, net: TrackingNet, reference: Features, batch: Batch) -> Asked:
        """See :meth:`~trainer.measure.answers.Answers.asked`."""
        return Asked.of(net, reference, batch)

    def seen(self, net: TrackingNet, test: Features) -> Seen:
        """See :meth:`~trainer.measure.answers.Answers.seen`."""
        return Seen.of(net, test)

    def answer(self, net: TrackingNet, asked: Asked, seen: Seen, batch: Batch) -> Answer:
        """See :func:`network_answer`."""
        return network_answer(net, asked, seen, batch, self._params, densities=self._densities)

    def vectors(self, net: TrackingNet, asked: Asked) -> list[Tensor]:
        """The two modulation vectors."""
        return list(asked.modulation)


def gives_densities(settings: TrainSettings) -> bool:
    """Whether a run's box branch gives densities: its loss teaches them, or its base tracker's did and it teaches none.

    Eq. 3 and ``features`` leave the layers that score boxes as they are, as does a row that does not train the branch.
    """
    base = geometry_of(settings.tracker)
    takes = settings.losses_of(base)[1].takes if "bbe" in load_recipe(settings.recipe).trains else ()
    if not {"sample_density", "truth_density"}.isdisjoint(takes):
        return True
    return isinstance(base, SearchSpec) and base.mixture and "overlap" not in takes


def network_answer(
    net: TrackingNet, asked: Asked, seen: Seen, batch: Batch, params: OnlineParams, *, densities: bool
) -> Answer:
    """What a network finds in N windows.

    Args:
        net: the network.
        asked: what the reference branch made of the reference windows.
        seen: what the test branch made of the test windows.
        batch: the windows' boxes, on the network's device.
        params: how boxes are refined: as in tracking.
        densities: whether the box branch gives densities, which are no IoU to compare with.

    Returns:
        ``iou_from_peak``, ``hit``, ``peak_error``: of the response's peak, and of the box refined from a box of the
        reference's size there (trackers with a classifier); ``iou_from_displaced``: of the box refined from the true
        one moved by a quarter of its sides; ``iou_error``: of the IoU that is predicted for boxes around the truth,
        where the batch has such.
    """
    truth = batch["test_box"]
    measured: Figures = {}
    boxes: dict[str, Tensor] = {}
    response: Tensor | None = None
    slopes, parts = ProposalSlopes(net.bb_regressor), PartsOfWindows(net.modulate(asked.modulation, seen.boxes))

    def surface(boxes: Tensor) -> tuple[Tensor, Tensor]:
        return slopes(parts(boxes), boxes)

    if isinstance(net, DimpNet) and asked.filters is not None and seen.classification is not None:
        response = net.classify(asked.filters, seen.classification)[0]
        peak = _peak(response)
        box = centred(peak, batch["kept_box"][:, 2:])
        starts = boxes_around(box, batch["noise"][:, 0], params)
        boxes[PEAK_IOU] = _best(*ascend(surface, starts, params), box, params)
        measured = {PEAK_IOU: overlaps(boxes[PEAK_IOU], truth)} | of_points(peak, truth)
    displaced = batch["displaced_box"]
    starts = boxes_around(displaced, batch["noise"][:, 1], params)
    boxes[DISPLACED_IOU] = _best(*ascend(surface, starts, params), displaced, params)
    measured[DISPLACED_IOU] = overlaps(boxes[DISPLACED_IOU], truth)
    if not densities and "proposals" in batch:
        predicted = net.score_proposals(asked.modulation, seen.boxes, batch["proposals"][None])[0]
        measured[IOU_ERROR] = plain(((predicted + 1) / 2 - batch["proposal_iou"]).abs().mean(dim=1))
    return Answer(measured, boxes, response)


def _peak(scores: Tensor) -> Tensor:
    """Where (N, 2) x, y, the highest score of each map (N, h, w) lies in its window, pixels: cell k is at k strides."""
    flat, width = scores.flatten(1).argmax(dim=1), scores.shape[-1]
    return torch.stack([flat % width, flat // width], dim=1).float() * STRIDE


def _best(boxes: Tensor, scores: Tensor, fallback: Tensor, params: OnlineParams) -> Tensor:
    """The refined box of each window (N, 4), the first start where none is plausible, as while tracking."""
    chosen = (best_box(*each, params) for each in zip(boxes, scores))
    return torch.stack([start if best is None else best for best, start in zip(chosen, fallback)])
