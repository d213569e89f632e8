"""Figures of answers: where the peak lies, what is refined from it, and what needs no network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from trainer.measure import proposal_answers as answers
from trainer.measure.answers import BORDERS, KEPT, MIDDLE, trivial_figures
from trainer.measure.proposal_answers import Asked, Seen, network_answer
from trainer.net import DimpNet, build_network
from trainer.net.filter_optimizer import STRIDE
from trainer.trackers.parameters.defaults import defaults_of

SIZE = 144
CELLS = SIZE // STRIDE
PARAMS = replace(defaults_of("dimp18"), num_init_random_boxes=2, box_refinement_iter=1)


def batch_of(truth: list[list[float]], kept: list[list[float]], noise: float = 0.0) -> dict[str, Any]:
    boxes = torch.tensor(truth)
    torch.manual_seed(1)
    return {
        "reference_box": torch.tensor([[40.0, 40.0, 30.0, 30.0]] * len(boxes)),
        "test_box": boxes,
        "kept_box": torch.tensor(kept),
        "borders_box": boxes.clone(),
        "displaced_box": torch.cat([boxes[:, :2] + boxes[:, 2:] / 4, boxes[:, 2:]], dim=1),
        "noise": noise * (torch.rand(len(boxes), 2, 2, 4) - 0.5),
        "proposals": boxes[:, None].repeat(1, 3, 1),
        "proposal_iou": torch.ones(len(boxes), 3),
    }


def test_answers_that_need_no_network() -> None:
    """A target in the middle, 30 pixels wide: a hit is within a cell, as a quarter of its side is less."""
    truth = [[57.0, 57.0, 30.0, 30.0], [57.0, 57.0, 30.0, 30.0], [10.0, 57.0, 100.0, 64.0]]
    kept = [[57.0, 57.0, 30.0, 30.0], [74.0, 57.0, 30.0, 30.0], [30.0, 57.0, 100.0, 64.0]]
    figures = trivial_figures(batch_of(truth, kept), SIZE)
    assert figures[MIDDLE]["peak_error"] == pytest.approx([0, 0, (12**2 + 17**2) ** 0.5])
    # sqrt(100 * 64) / 4 = 20 pixels.
    assert figures[MIDDLE]["hit"].tolist() == [1, 1, 0]
    assert figures[KEPT]["peak_error"] == pytest.approx([0, 17, 20])
    assert figures[KEPT]["hit"].tolist() == [1, 0, 1]
    for name in ("iou_from_peak", "iou_from_displaced"):
        assert figures[BORDERS][name] == pytest.approx([1, 1, 1])
        assert figures[MIDDLE][name] == pytest.approx([1, 1, (88 * 47) / (2 * 6400 - 88 * 47)])
        assert figures[KEPT][name] == pytest.approx([1, 13 / 47, 80 / 120])


class Peaked:
    """DiMP-18 whose response peaks where it is told, and whose refinement leaves boxes where they start."""

    def __init__(self, patch: pytest.MonkeyPatch, cells: list[tuple[int, int]]) -> None:
        self.net = build_network("dimp18").eval()
        self.starts: list[Tensor] = []
        scores = torch.zeros(1, len(cells), CELLS + 1, CELLS + 1)
        for window, (row, column) in enumerate(cells):
            scores[0, window, row, column] = 1
        patch.setattr(DimpNet, "classify", lambda *_: scores)
        patch.setattr(answers, "ascend", self._stay)

    def _stay(self, surface: Any, boxes: Tensor, params: Any) -> tuple[Tensor, Tensor]:
        self.starts.append(boxes)
        # The first start, the very box that was asked for, scores best.
        return boxes, -torch.arange(boxes.shape[1]).float().repeat(len(boxes), 1)

    def figures(self, batch: dict[str, Any], **params: Any) -> dict[str, Any]:
        torch.manual_seed(0)
        windows = torch.randn(2, len(batch["test_box"]), 3, SIZE, SIZE)
        with torch.no_grad():
            reference, test = map(self.net.backbone_features, windows)
            asked, seen = Asked.of(self.net, reference, batch), Seen.of(self.net, test)
            return network_answer(self.net, asked, seen, batch, replace(PARAMS, **params), densities=False).figures


def test_the_box_is_refined_from_the_reference_s_size_at_the_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 4, column 5: x is 80, y is 64."""
    truth = [[64.0, 48.0, 32.0, 32.0], [64.0, 48.0, 32.0, 32.0]]
    kept = [[0.0, 0.0, 16.0, 32.0], [0.0, 0.0, 32.0, 32.0]]
    peaked = Peaked(monkeypatch, [(4, 5), (4, 7)])
    figures = peaked.figures(batch_of(truth, kept), iounet_k=1)
    assert figures["peak_error"] == pytest.approx([0, 32])
    assert figures["hit"].tolist() == [1, 0]
    assert figures["iou_from_peak"] == pytest.approx([0.5, 0])
    assert figures["iou_from_displaced"] == pytest.approx([0.75**2 / (2 - 0.75**2)] * 2)
    torch.testing.assert_close(peaked.starts[0][0, 0], torch.tensor([72.0, 48.0, 16.0, 32.0]))


def test_starts_are_spread_by_the_noise_and_the_best_are_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of([[64.0, 48.0, 32.0, 32.0]], [[0.0, 0.0, 32.0, 32.0]], noise=1.0)
    peaked = Peaked(monkeypatch, [(4, 5)])
    alone, mean = (peaked.figures(batch, iounet_k=k)["iou_from_peak"][0] for k in (1, 3))
    starts = peaked.starts[0][0]
    assert (starts[0] != starts[1:]).all()
    assert alone == pytest.approx(1)
    centre, side = starts.mean(0)[:2], starts.mean(0)[2:]
    low, high = (
        torch.maximum(centre, torch.tensor([64.0, 48.0])),
        torch.minimum(centre + side, torch.tensor([96.0, 80.0])),
    )
    inter = (high - low).prod()
    assert mean == pytest.approx(float(inter / (side.prod() + 1024 - inter)), abs=1e-5)


def test_without_a_classifier_boxes_start_beside_the_truth_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    peaked = Peaked(monkeypatch, [(0, 0)])
    peaked.net = build_network("atom").eval()
    figures = peaked.figures(batch_of([[64.0, 48.0, 32.0, 32.0]], [[0.0, 0.0, 32.0, 32.0]]))
    assert set(figures) == {"iou_from_displaced", "iou_error"}


def test_a_box_branch_that_gives_densities_has_no_error_of_the_iou(monkeypatch: pytest.MonkeyPatch) -> None:
    peaked = Peaked(monkeypatch, [(4, 5)])
    batch = batch_of([[64.0, 48.0, 32.0, 32.0]], [[0.0, 0.0, 32.0, 32.0]])
    features = peaked.net.backbone_features(torch.zeros(1, 3, SIZE, SIZE))
    with torch.no_grad():
        asked, seen = Asked.of(peaked.net, features, batch), Seen.of(peaked.net, features)
        figures = network_answer(peaked.net, asked, seen, batch, PARAMS, densities=True).figures
    assert "iou_error" not in figures


def test_where_no_refined_box_is_plausible_the_first_start_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    peaked = Peaked(monkeypatch, [(4, 5)])
    monkeypatch.setattr(answers, "ascend", lambda _, boxes, params: (boxes * torch.nan, boxes[..., 0]))
    figures = peaked.figures(batch_of([[64.0, 48.0, 32.0, 32.0]], [[0.0, 0.0, 32.0, 32.0]]))
    assert figures["iou_from_peak"] == pytest.approx([1])
