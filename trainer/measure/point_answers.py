"""What NanoTrack finds in held-out windows: the point that is surest of the target, and the box that it tells."""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.measure.answers import CENTRE_IOU, PEAK_IOU, Answer, Answers, Batch, of_points, overlaps
from trainer.net.nano import NanoNet, boxes, points

PIXEL_CENTRE = 0.5
"""From the coordinates of pixel centres, in which the network answers, to box edges, in which boxes are told here."""


class PointAnswers(Answers):
    """NanoTrack's, without the penalty and the cosine window of tracking, which know the frame before."""

    def answer(self, net: NanoNet, asked: Tensor, seen: Tensor, batch: Batch) -> Answer:
        """See :meth:`~trainer.measure.answers.Answers.answer`.

        Returns:
            ``iou_from_peak``, ``hit``, ``peak_error``: of the surest point and the box that it tells;
            ``iou_at_centre``: of the box that the point nearest to the true centre tells, which is the box half alone.
        """
        truth = batch["test_box"]
        response = net.classify(asked, seen).softmax(dim=1)[:, 1]
        sure = response.flatten(1)
        corners = boxes(net.distances(asked, seen)).flatten(2) + PIXEL_CENTRE
        at = points().to(truth).flatten(1).T + PIXEL_CENTRE
        peak = sure.argmax(dim=1)
        nearest = torch.cdist(truth[:, :2] + truth[:, 2:] / 2, at).argmin(dim=1)
        told = {PEAK_IOU: _told_by(peak, corners), CENTRE_IOU: _told_by(nearest, corners)}
        figures = {name: overlaps(box, truth) for name, box in told.items()}
        return Answer(figures | of_points(at[peak], truth), told, response)

    def vectors(self, net: NanoNet, asked: Tensor) -> list[Tensor]:
        """The box half's map of the template."""
        return [net.half_of("bbe").template(asked)]


def _told_by(point: Tensor, corners: Tensor) -> Tensor:
    """The box (N, 4) x, y, w, h that one point (N,) of each window tells, of the corners (N, 4, P) that all do."""
    told = corners.gather(2, point[:, None, None].expand(-1, 4, 1))[:, :, 0]
    return torch.cat([told[:, :2], told[:, 2:] - told[:, :2]], dim=1)
