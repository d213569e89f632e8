"""Registration: the matrix that takes TIR pixels to RGB pixels, from one pair or from the frames of one camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb, Tir
from pipeline.pairing.registration import fit, workframe
from pipeline.pairing.registration.blocks import Surfaces
from pipeline.pairing.registration.evidence import Evidence, Level, Pair, apply
from pipeline.pairing.registration.measure import surface_scores

Array = NDArray[np.float64]
Model = Literal["auto", "identity", "translation", "similarity", "affine", "homography"]

COARSE = Level(4, 36, 14, (4.0, 3.0, 2.0, 2.0), 60, 0.5)
FINE = (Level(2, 56, 8, (4.0, 3.0, 2.0), 100, 1.0), Level(2, 56, 8, (3.0, 2.0, 2.0), 100, 1.0))
TURNS = np.radians(np.linspace(-4, 4, 7))
SCALES = np.linspace(-0.06, 0.06, 7)
POLISH = replace(FINE[-1], sigmas=(2.0,))
GLANCE = replace(FINE[-1], glance=True)
SPLIT_WEIGHT = 1.5
PARALLAX = 2.0
"""Displacement at the corners, in work-frame pixels, that depth in the scene passes off as perspective."""
STEPS_BACK: tuple[tuple[fit.Fitted, fit.Fitted, float, float], ...] = (
    ("homography", "similarity", PARALLAX, 5.0),
    ("similarity", "translation", PARALLAX / 2, 0.4),
)
"""Model, the simpler one, the parallax floor, and the statistic above which the simpler one will not do."""
ELSEWHERE = 3.0
"""Displacement of the corners, in RGB or, if coarser, work-frame pixels, at which no edges of a scene are equal."""
FITS = 0.4
"""Share of blocks that must agree on a fit for it to be one; of pictures of different places .3 do."""


@dataclass(frozen=True)
class Registration:
    """A matrix and how well the pictures bear it out.

    Attributes:
        homography: (3, 3) TIR pixel -> RGB pixel, pixel centres, h33 = 1.
        model: what was fitted; ``auto`` has been resolved.
        scores: parts of the score by name (see ``docs/alignment.md``): ``ncc``, ``contrast``, ``peak``, ``agreement``
            (``measure.surface_scores``), ``spread`` (standard error of the corners), ``split``
            (distance of the corners of two fits, each to half of the evidence: frames, or blocks of a single pair) and
            ``drift`` (how far a free fit would move the corners), all three in RGB pixels. ``overlay`` is there
            where anything is drawn into both pictures: its share of the TIR picture.
    """

    homography: Array
    model: fit.Fitted
    scores: dict[str, float]


def register_pair(rgb: Rgb, tir: Tir, *, model: Model = "auto", prior: Array | None = None) -> Registration:
    """Register one pair.

    Args:
        rgb: (H, W, 3) uint8, or its luminance (H, W).
        tir: (h, w) uint8, of any size.
        model: the family of matrices; ``auto`` takes the simplest that the evidence supports.
        prior: (3, 3) TIR -> RGB matrix to start from; None lays one picture over the whole of the other.
    """
    return register_sequence([(rgb, tir)], model=model, prior=prior)


def register_sequence(frames: Sequence[Pair], *, model: Model = "auto", prior: Array | None = None) -> Registration:
    """Register the frames of one camera with one matrix; their evidence is pooled before anything is fitted.

    Args:
        frames: pairs (rgb, tir) of equal sizes, e.g. a sequence that decodes on access; each is visited a few times.
        model: as for :func:`register_pair`.
        prior: as for :func:`register_pair`.

    Raises:
        DataError: no frames, or frames of several sizes.
    """
    evidence = Evidence(frames, prior)
    if model == "identity":
        return _given(_undrawn(evidence), model, FINE[-1], halves=True)
    count = 8 if model == "auto" else fit.PARAMETERS[model]
    found = _registered(evidence, model, _coarse(evidence, count))
    rest = evidence.without_suspects()
    if rest is None:
        return found
    first = _coarse(rest, count)
    if rest.apart(rest.matrix(rest.frame.matrix(first)), found.homography) <= ELSEWHERE:
        return found
    other = _registered(rest, model, first)
    return other if _elsewhere(found, other, evidence) else found


def _registered(evidence: Evidence, model: Model, t: Array) -> Registration:
    """The registration from a first estimate of (k,) work-frame parameters."""
    for how in FINE:
        work = evidence.frame.matrix(t)
        pooled = evidence.pooled(work, how)
        t = evidence.fit(pooled[0], work, t, how)[0]
    fitted: fit.Fitted = "homography" if model == "auto" else model
    if model == "auto":
        t, fitted = _simplest(evidence, pooled, work, t)
    return _judged(evidence, t, fitted, work, pooled)


def _elsewhere(found: Registration, other: Registration, evidence: Evidence) -> bool:
    """Whether what is not suspect fits, and elsewhere by more than its halves differ: then the suspects are drawn."""
    distance = evidence.apart(found.homography, other.homography)
    least = ELSEWHERE + 2 * other.scores["split"] * min(1.0, evidence.scale)
    return other.scores["agreement"] > FITS and distance > least


def evaluate(
    rgb: Rgb,
    tir: Tir,
    homography: Array,
    model: fit.Fitted = "identity",
    *,
    enough: Callable[[dict[str, float]], bool] | None = None,
) -> Registration:
    """Score a TIR -> RGB matrix (3, 3) that is already known, of the family ``model``, without changing it.

    There is no ``split`` among the scores: it judges an estimate, not a matrix, and costs two more fits.

    Args:
        rgb: (H, W, 3) uint8, or its luminance (H, W).
        tir: (h, w) uint8.
        homography: (3, 3).
        model: what it is said to be.
        enough: whether these scores, of pictures of half the work frame's size, leave no doubt that the whole size
            would have to settle; None looks at the whole size at once.
    """
    evidence = _undrawn(Evidence([(rgb, tir)], np.asarray(homography, dtype=np.float64)))
    if enough:
        glanced = _given(evidence, model, GLANCE, halves=False)
        if enough(glanced.scores):
            return glanced
    return _given(evidence, model, FINE[-1], halves=False)


def _undrawn(evidence: Evidence) -> Evidence:
    """Without what is drawn: a scene that the prior moves has no equal edges in equal pixels."""
    return (evidence.without_suspects() if evidence.moved > ELSEWHERE else None) or evidence


def _given(evidence: Evidence, model: fit.Fitted, how: Level, *, halves: bool) -> Registration:
    """The prior, scored."""
    return _judged(evidence, np.zeros(0), model, np.eye(3), evidence.pooled(np.eye(3), how), halves=halves)


def _coarse(evidence: Evidence, count: int) -> Array:
    """First estimate of (count,) work-frame parameters, by vote and one fit on the smallest level."""
    surfaces = evidence.pooled(np.eye(3), COARSE)[0]
    free = count >= fit.PARAMETERS["similarity"]
    turns, scales = (TURNS, SCALES) if free else (np.zeros(1), np.zeros(1))
    found = fit.vote(surfaces, evidence.frame_at(COARSE.step), turns, scales)
    t = np.zeros(count)
    t[:4] = found[:count] * COARSE.step
    return evidence.fit(surfaces, np.eye(3), t, COARSE)[0]


def _simplest(evidence: Evidence, pooled: list[Surfaces], work: Array, t: Array) -> tuple[Array, fit.Fitted]:
    """Go back from a homography to simpler models for as long as the evidence does not support the richer one."""
    for model, simpler, floor, threshold in STEPS_BACK:
        start = t[: fit.PARAMETERS[model]]
        t, whole = evidence.fit(pooled[0], work, start, POLISH)
        first, second = (evidence.fit(half, work, start, POLISH)[0] for half in _halves(pooled))
        split = evidence.distance(evidence.frame.matrix(first), evidence.frame.matrix(second)) * evidence.scale
        kept = fit.PARAMETERS[simpler]
        covariance = np.asarray(np.linalg.pinv(whole.normal)[kept:, kept:] * POLISH.step**2, dtype=np.float64)
        if _supported(t[kept:], covariance, split, floor, threshold, evidence.count):
            return t, model
    return evidence.fit(pooled[0], work, t[:kept], FINE[-1])[0], simpler


def _supported(extra: Array, covariance: Array, split: float, floor: float, threshold: float, frames: int) -> bool:
    """Whether the parameters (k,) that a simpler model lacks are worth having.

    In one pair, depth in the scene passes for perspective, so they must be significant (Wald statistic) against their
    covariance (k, k) enlarged by parallax and by the disagreement of two halves of the blocks. Over many frames that
    averages out; there it is enough that they are well determined: the halves of the frames agree.
    """
    if frames > 1:
        return split / 2 <= 2 * floor
    unseen = (floor**2 + (SPLIT_WEIGHT * split) ** 2) * np.eye(len(extra))
    return bool(extra @ np.linalg.solve(covariance + unseen, extra) > threshold)


def _halves(pooled: list[Surfaces]) -> tuple[Surfaces, Surfaces]:
    """Two halves of the evidence: even and odd frames, or, of a single pair, every other block."""
    return (pooled[1], pooled[2]) if len(pooled) == 3 else pooled[0].checkered()


def _judged(
    evidence: Evidence,
    t: Array,
    model: fit.Fitted,
    work: Array,
    pooled: list[Surfaces],
    *,
    halves: bool = True,
) -> Registration:
    """The registration of parameters (k,), scored on surfaces that were taken at ``work``."""
    frame = evidence.frame
    matrix = frame.matrix(t)
    local = workframe.level(matrix @ np.linalg.inv(work), POLISH.step)
    scores = surface_scores(pooled[0], apply(local, pooled[0].centres) - pooled[0].centres)
    free = np.concatenate([t, np.zeros(max(0, 4 - len(t)))])
    how = POLISH if len(t) else FINE[0]
    whole = evidence.fit(pooled[0], work, free, how)
    if halves:
        first, second = (evidence.fit(half, work, free, how)[0] for half in _halves(pooled))
        scores["split"] = evidence.distance(frame.matrix(first), frame.matrix(second))
    scores["drift"] = evidence.distance(frame.matrix(whole[0]), matrix)
    scores["spread"] = evidence.spread(whole[1], how.step)
    if evidence.overlay:
        scores["overlay"] = evidence.overlay
    homography = evidence.matrix(matrix) if len(t) else workframe.normalised(evidence.prior)
    return Registration(homography, model, {name: round(value, 6) for name, value in scores.items()})
