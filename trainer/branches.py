"""What each branch is fed, and which parameters it owns (Table 1; sections 4.2 and 4.3 of the paper)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trainer.recipe import Recipe

IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)

REFERENCE_BBE = ("conv3_1r", "conv4_1r", "fc3_1r", "fc34_3r", "fc34_4r")
TEST_BBE = ("conv3_1t", "conv3_2t", "conv4_1t", "conv4_2t", "fc3_rt", "fc4_rt", "iou_predictor")
SCORING_BBE = ("fc3_rt", "fc4_rt", "iou_predictor")
"""Layers after the modulated map: Eq. 3 replaces them by psi, so under it they get no gradient."""
REFERENCE_TCL = ("filter_initializer", "filter_optimizer")


@dataclass(frozen=True)
class Feed:
    """A batch as the two branches see it: R rows, one sequence each, one image a branch.

    With ``mix: batch`` R is twice the number of pairs: first reference RGB and test TIR, then the other way round.

    Attributes:
        reference: (R, 3, S, S) normalised.
        test: likewise.
        reference_box: (R, 4) the box in the reference branch's own window.
        label: (R, F, F) Gaussian label of the test window.
        state: (R, 4) s of the test window's box.
        proposals: (R, P, 4) in the test window.
        proposal_iou: (R, P).
        density: (R, P) proposal density and truth density, for SuperDiMP.
    """

    reference: Tensor
    test: Tensor
    reference_box: Tensor
    label: Tensor
    state: Tensor
    proposals: Tensor
    proposal_iou: Tensor
    density: tuple[Tensor, Tensor] | None


def normalise(images: Tensor) -> Tensor:
    """uint8 (N, 3, H, W) to the network's input: [0, 1] minus ImageNet's mean, over its deviation."""
    mean = torch.tensor(IMAGE_MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(IMAGE_STD, device=images.device).view(1, 3, 1, 1)
    return ((images.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


def assemble(batch: dict[str, Any], reference: str, test: str, device: torch.device) -> Feed:
    """Feed a collated batch to the branches.

    Args:
        batch: of :class:`trainer.data.PairDataset` samples.
        reference: what the reference branch is fed: ``rgb``, ``tir`` or ``rgb-tir``.
        test: what the test branch is fed, in the same order.
        device: where to put it.
    """

    def images(name: str, fed: str) -> Tensor:
        return normalise(torch.cat([batch[f"{name}_{m}"] for m in fed.split("-")]).to(device, non_blocking=True))

    times = len(reference.split("-"))

    def target(name: str) -> Tensor:
        values: Tensor = batch[name].to(device, non_blocking=True)
        return torch.cat([values] * times)

    return Feed(
        reference=images("reference", reference),
        test=images("test", test),
        reference_box=target("reference_box"),
        label=target("label"),
        state=target("state"),
        proposals=target("proposals"),
        proposal_iou=target("proposal_iou"),
        density=(target("density"), target("truth_density")) if "density" in batch else None,
    )


def trained_names(net: nn.Module, recipe: Recipe, losses: str) -> dict[str, list[str]]:
    """Names of the parameters that a recipe trains, by module (``tcl``, ``bbe``).

    The filter's feature extractor serves both branches; it belongs to the trained set where both are trained, and is
    frozen in a row that trains the reference branch alone.
    """
    prefixes: dict[str, list[str]] = {}
    if branch := recipe.trains.get("bbe"):
        parts = (REFERENCE_BBE if branch != "test" else ()) + (TEST_BBE if branch != "reference" else ())
        gone = SCORING_BBE if losses == "paper" else ()
        prefixes["bbe"] = [f"bb_regressor.{part}." for part in parts if part not in gone]
    if branch := recipe.trains.get("tcl"):
        parts = (REFERENCE_TCL if branch != "test" else ()) + (("feature_extractor",) if branch != "reference" else ())
        prefixes["tcl"] = [f"classifier.{part}." for part in parts]
    every = [name for name, _ in net.named_parameters()]
    return {m: [name for name in every if name.startswith(tuple(starts))] for m, starts in prefixes.items()}
