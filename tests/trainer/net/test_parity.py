"""The networks in evaluation against reference outputs of pytracking, computed there in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from trainer.net import AtomNet, DimpNet, build_network
from trainer.net.backbone import Features

from .conftest import Case, error, summary

TOLERANCE = 1e-4
INPUTS = {"salt", "shape", "train_bb", "test_bb", "proposals", "clf_stride", "tracker_sample_weight"}

Outputs = dict[str, Tensor | np.ndarray]


def backbone_outputs(features: Features, suffix: str) -> Outputs:
    found: Outputs = {}
    for level, maps in features.items():
        found |= {f"{level}{suffix}_summary": summary(maps), f"{level}{suffix}_sub": maps[:, ::37, ::3, ::3]}
    return found


def classifier_outputs(net: DimpNet, train: Features, test: Features, case: Case) -> Outputs:
    n, m, s = case.counts
    boxes = case.inputs["train_bb"]
    learnt, searched = net.classification_features(train), net.classification_features(test)
    steps = [slice(None, None, int(step)) for step in case["clf_stride"]]
    prediction = net.predict_filter(learnt, boxes, iterations=5)
    scores = net.classify(prediction.filters, searched)
    maps = net.classifier.filter_optimizer.target_maps(boxes, (scores.shape[-2], scores.shape[-1]))
    weight = torch.from_numpy(case["tracker_sample_weight"]).to(boxes.device)
    tracked = net.predict_filter(learnt[::s], boxes[:, :1], iterations=3, sample_weight=weight)
    return {
        "clf_train_summary": summary(learnt),
        "clf_test_summary": summary(searched),
        "clf_train_sub": learnt.unflatten(0, (n, s))[:, :, *steps],
        "clf_test_sub": searched.unflatten(0, (m, s))[:, :, *steps],
        "filters": prediction.filters,
        "optim_losses": prediction.losses,
        "scores": scores,
        "label_map": maps.label.flatten(0, 1),
        "target_mask": maps.mask.flatten(0, 1),
        "spatial_weight": maps.weight.flatten(0, 1),
        "tracker_filters": tracked.filters,
        "tracker_scores": net.classify(tracked.filter, searched[::s]),
    }


def box_outputs(net: AtomNet | DimpNet, train: Features, test: Features, case: Case) -> Outputs:
    modulation = net.reference_modulation(train, case.inputs["train_bb"])
    features = net.iou_features(test)
    with torch.enable_grad():
        proposals = case.inputs["test_proposals"].clone().requires_grad_()
        iou = net.predict_iou(modulation, test, proposals)
        (slope,) = torch.autograd.grad(iou.sum(), proposals)
    return {
        "mod3": modulation.mod3,
        "mod4": modulation.mod4,
        "ioufeat3_summary": summary(features.level3),
        "ioufeat4_summary": summary(features.level4),
        "ioufeat4_sub": features.level4[:, ::37, ::3, ::3],
        "iou_pred": iou.view(case["iou_pred"].shape),
        "diou_dbox": slope.view(case["diou_dbox"].shape),
    }


def loaded(tracker: str, case: Case) -> tuple[Any, Features, Features]:
    """The network in eval mode, and its features of training and test images."""
    net = build_network(tracker).eval()
    net.load_state_dict(case.state_dict)
    net.to(case.inputs["train_imgs"].device)
    train, test = (net.backbone_features(case.inputs[side].flatten(0, 1)) for side in ("train_imgs", "test_imgs"))
    return net, train, test


def check(found: Outputs, case: Case) -> None:
    wanted = set(case.values) - INPUTS
    assert wanted <= set(found)
    errors = {name: error(found[name], case[name]) for name in sorted(wanted)}
    assert max(errors.values()) < TOLERANCE, errors


@pytest.mark.parametrize("stem", ["dimp18_a", pytest.param("dimp50_a", marks=pytest.mark.slow)])
def test_dimp(reference: Callable[[str], Case], stem: str, device: torch.device) -> None:
    case = reference(stem).on(device)
    with torch.no_grad():
        net, train, test = loaded(stem.partition("_")[0], case)
        found = backbone_outputs(train, "_train") | backbone_outputs(test, "_test")
        found |= classifier_outputs(net, train, test, case) | box_outputs(net, train, test, case)
        images, places = (case.inputs[key] for key in ("test_imgs", "test_proposals"))
        scores, iou = net(case.inputs["train_imgs"], images, case.inputs["train_bb"], places)
    check(found | {"net_forward_last_score": scores[-1], "net_forward_iou": iou}, case)


def test_atom(reference: Callable[[str], Case], device: torch.device) -> None:
    case = reference("atom_a").on(device)
    with torch.no_grad():
        net, train, test = loaded("atom", case)
        images, places = (case.inputs[key] for key in ("test_imgs", "test_proposals"))
        iou = net(case.inputs["train_imgs"], images, case.inputs["train_bb"], places)
        found = backbone_outputs(train, "") | box_outputs(net, train, test, case)
    check(found | {"net_forward_iou": iou}, case)
