"""What is to be learnt of a test window: label g, state s, and proposals, boxes around the target with their IoU."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import iou
from pipeline.labels import LABEL_KERNEL, box_state, gaussian_label
from trainer.data.views.search_windows import Box
from trainer.recipes.geometry import SearchSpec

SIGMAS = (0.01, 0.05, 0.1, 0.2, 0.3)
"""Spreads of perturbed boxes, in units of the box's geometric mean side."""
MIN_IOU = 0.1
"""A perturbed box overlaps the target by more."""
MIXTURE = (0.05, 0.5)
"""Standard deviations of the two Gaussians of SuperDiMP's proposals, in (cx/w, cy/h, log w, log h)."""


def targets_of(box: Box, spec: SearchSpec, rng: np.random.Generator) -> dict[str, Any]:
    """What is to be learnt of the test window of a base tracker's geometry.

    Args:
        box: (4,) x, y, w, h of the target, pixels of the window.
        spec: the geometry.
        rng: of the proposals.

    Returns:
        ``label`` (F, F) and ``state`` (4,), ``proposals`` (P, 4) and ``proposal_iou`` (P,), and where the proposals are
        of a mixture ``density`` and ``truth_density`` (P,).
    """
    label = gaussian_label(
        box,
        feature_size=spec.cells,
        kernel_size=LABEL_KERNEL,
        image_size=spec.size,
        sigma_factor=spec.sigma_factor,
    )
    targets: dict[str, Any] = {"label": label, "state": box_state(box)}
    if spec.mixture:
        proposals = mixture_boxes(box, spec.proposals, rng)
        density, truth = mixture_densities(proposals, box)
        targets |= {"density": density, "truth_density": truth}
    else:
        proposals, _ = perturbed_boxes(box, spec.proposals, rng)
    return targets | {"proposals": proposals, "proposal_iou": iou(proposals, box)}


def perturbed_boxes(box: Box, count: int, rng: np.random.Generator) -> tuple[Box, NDArray[np.float64]]:
    """Proposals for IoU regression: (count, 4) boxes around ``box``, each with IoU above 0.1, and those IoUs (count,).

    Each draws one of the sigmas, moves and resizes by that share of the geometric mean side, is rounded to integers,
    and is drawn again with a tenth less spread until it overlaps enough.
    """
    spread = rng.choice(SIGMAS, count) * math.sqrt(box[2] * box[3])
    base = np.concatenate([box[:2] + box[2:] / 2, box[2:]])
    out, overlap = np.tile(box, (count, 1)), np.zeros(count)
    todo = np.arange(count)
    for _ in range(100):
        cxcywh = base + spread[todo, None] * rng.standard_normal((len(todo), 4))
        size = _positive(cxcywh[:, 2:], box[2:], rng)
        rounded = np.rint(np.concatenate([cxcywh[:, :2] - size / 2, size], axis=1))
        rounded[:, 2:] = _positive(rounded[:, 2:], box[2:], rng)
        out[todo], overlap[todo] = rounded, iou(rounded, box)
        spread[todo] *= 0.9
        todo = todo[overlap[todo] <= MIN_IOU]
        if not len(todo):
            break
    return out, overlap


def _positive(size: Box, target: Box, rng: np.random.Generator) -> Box:
    """Replace sides of at most a pixel by 0.15 to 0.5 of the target's."""
    return np.where(size <= 1, target * rng.uniform(0.15, 0.5, size.shape), size)


def mixture_boxes(box: Box, count: int, rng: np.random.Generator) -> Box:
    """Proposals for density regression (SuperDiMP), (count, 4), drawn from a Gaussian mixture around ``box``."""
    sigma = np.array(MIXTURE)[rng.integers(0, len(MIXTURE), count)]
    offset = sigma[:, None] * rng.standard_normal((count, 4))
    size = box[2:] * np.exp(offset[:, 2:])
    centre = box[:2] + box[2:] / 2 + offset[:, :2] * box[2:]
    return np.concatenate([centre - size / 2, size], axis=1)


def mixture_densities(boxes: Box, box: Box) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Densities (n,) of proposals (n, 4): under the mixture they come from, and under its narrow part, the truth's.

    Both are in the coordinates (cx/w, cy/h, log w, log h), w and h of ``box``.
    """
    centre = (boxes[:, :2] + boxes[:, 2:] / 2 - box[:2] - box[2:] / 2) / box[2:]
    offset = np.concatenate([centre, np.log(boxes[:, 2:] / box[2:])], axis=1)
    return np.mean([_normal(offset, sigma) for sigma in MIXTURE], axis=0), _normal(offset, MIXTURE[0])


def _normal(offset: Box, sigma: float) -> NDArray[np.float64]:
    """Density of four independent normal coordinates (n, 4) with one standard deviation."""
    return np.asarray(np.exp(-0.5 * (offset / sigma) ** 2).prod(axis=1) / (math.sqrt(2 * math.pi) * sigma) ** 4)
