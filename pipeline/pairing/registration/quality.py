"""Quality: whether a pair can be registered at all, and how far its registration can be trusted.

The wrong frame of a static scene cannot be seen in one pair: its background fits as well as the right one's. Names,
timestamps and the motion of a whole sequence have to catch that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb, Tir, chroma
from pipeline.pairing.registration import drift, overlays
from pipeline.pairing.registration.features import luminance
from pipeline.pairing.registration.register import Registration
from pipeline.records import Reason

BLANK_RANGE = 8.0
"""Grey values between the 1st and 99th percentile below which a picture shows nothing."""
SATURATED_VALUE, SATURATED_SHARE = 250, 0.8
LEAST_COHERENCE = 0.38
"""Share of the gradient energy that has one direction within a few pixels: 0.21 for noise, over 0.5 for scenes."""
SAME_CORRELATION = 0.97
_SCENE = 0.02
"""Share of two pictures that must differ from what is drawn into both to tell them apart."""
GREY_CHROMA = 1.0
"""Mean difference of the largest and smallest colour value below which a picture has no colour."""
ASPECT_TOLERANCE = 0.03
LEAST_SIDE = 2
"""Pixels, below which a picture has no edges in one of its directions."""
OVERLAY_SHARE = 0.2
"""Share of the picture that drawings in both pictures take, from which on that is told."""
CHANCE = 0.15
"""Score below which the pictures agree no better than pictures of different places do."""

SURE = 0.5
"""Score below which a matrix that was scored at half size is scored again at the whole."""

_BIAS, _AGREEMENT, _LOG_ERROR = -0.02, 5.439, -2.119
"""Logistic model of :func:`features`; refit by ``benchmarks/calibrate_score.py``."""


@dataclass(frozen=True)
class Verdict:
    """What is thought of one pair.

    Attributes:
        score: 0 to 1; of pairs with this score, about this share is within 5 pixels.
        flags: codes of doubts that are no reason to reject.
        reason: why the pair is rejected, None if it is kept.
        detail: one line for the person who reads the reject, or a part of one.
    """

    score: float
    flags: tuple[str, ...] = ()
    reason: Reason | None = None
    detail: str = ""


def inspect(rgb: Rgb, tir: Tir) -> Verdict | None:
    """Look for what makes registration pointless or doubtful, before it is tried.

    Args:
        rgb: (H, W, 3) uint8.
        tir: (h, w) uint8.

    Returns:
        A verdict with a reason to reject, or with flags only; None if there is nothing to say.
    """
    grey = luminance(rgb)
    for name, plane in (("visible", grey), ("thermal", tir)):
        found = _emptiness(plane, name)
        if found:
            return found
    if _same(rgb, grey, tir):
        return Verdict(0.0, (), "same_image", "the thermal picture is a copy of the visible one")
    flags: list[str] = []
    if chroma(rgb) < GREY_CHROMA:
        flags.append("swapped_modalities")
    if _other_aspect(rgb, tir):
        flags.append("size_mismatch")
    return Verdict(1.0, tuple(flags)) if flags else None


def judge(rgb: Rgb, tir: Tir, registration: Registration) -> Verdict:
    """Score a registration and decide whether the pictures match at all.

    Args:
        rgb: (H, W, 3) uint8.
        tir: (h, w) uint8.
        registration: of this pair, or of its camera and evaluated on this pair.
    """
    score = round(calibrated(registration.scores), 6)
    overlay = registration.scores.get("overlay", 0.0)
    detail = f"{overlay:.0%} of the thermal picture is drawn into both" if overlay >= OVERLAY_SHARE else ""
    if score < CHANCE and _other_aspect(rgb, tir):
        return Verdict(score, (), "size_mismatch", "the pictures differ in aspect and do not match when stretched")
    if score < CHANCE:
        peak, agreement = registration.scores["peak"], registration.scores["agreement"]
        chance = f"edges agree no better than by chance (peak {peak:.1f}, {agreement:.0%} of blocks agree)"
        return Verdict(score, (), "no_match", "; ".join(filter(None, (chance, detail))))
    doubts = {"drift": registration.scores["drift"] > drift.LIMIT, "overlay": bool(detail)}
    return Verdict(score, tuple(flag for flag, on in doubts.items() if on), None, detail)


def calibrated(scores: dict[str, float]) -> float:
    """Probability that the corners of a registration with these scores are within 5 pixels of the truth."""
    agreement, log_error = features(scores)
    level = _BIAS + _AGREEMENT * agreement + _LOG_ERROR * log_error
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, level))))


def sure(scores: dict[str, float], least: float) -> bool:
    """Whether scores that were taken at half size keep a pair, of which ``least`` is asked, without any doubt."""
    return calibrated(scores) >= max(SURE, least) and scores["drift"] <= drift.LIMIT


def features(scores: dict[str, float]) -> tuple[float, float]:
    """What the score is made of: the share of blocks that agree, and the log of the error to expect in pixels.

    What is drawn into both pictures agrees with nothing: its share of the picture is taken off.
    That error is the standard error of the corners, joined by half of what a free fit would move them; a matrix that
    was fitted to this very pair has no such drift, one that was handed in may have.
    """
    error = math.hypot(scores["spread"], scores["drift"] / 2)
    return scores["agreement"] * (1 - scores.get("overlay", 0.0)), math.log(max(error, 0.1))


def _other_aspect(rgb: Rgb, tir: Tir) -> bool:
    """Whether the two pictures are not scaled copies of one frame."""
    return abs(math.log(rgb.shape[1] * tir.shape[0] / (rgb.shape[0] * tir.shape[1]))) > ASPECT_TOLERANCE


def _emptiness(plane: NDArray[np.uint8], name: str) -> Verdict | None:
    """The first of too_small, blank, saturated and no_structure that holds for a picture (h, w)."""
    height, width = plane.shape
    if min(height, width) < LEAST_SIDE:
        return Verdict(0.0, (), "too_small", f"{name} picture is {width}x{height} pixels: there is nothing to align by")
    low, high = percentiles(plane[::3, ::3], 1, 99)
    if high - low < BLANK_RANGE:
        return Verdict(
            0.0, (), "blank", f"{name} picture spans {high - low:.0f} grey values, less than {BLANK_RANGE:.0f}"
        )
    burnt = np.count_nonzero(plane >= SATURATED_VALUE) / plane.size
    if burnt > SATURATED_SHARE:
        return Verdict(0.0, (), "saturated", f"{burnt:.0%} of the {name} picture is at {SATURATED_VALUE} or above")
    coherent = coherence(plane)
    if coherent < LEAST_COHERENCE:
        return Verdict(0.0, (), "no_structure", f"{name} picture is noise: edge coherence {coherent:.2f}")
    return None


def percentiles(plane: NDArray[np.uint8], *wanted: float) -> list[float]:
    """Percentiles of grey values, between two of them in proportion; by counting, where ``np.percentile`` sorts."""
    below = np.cumsum(np.bincount(plane.ravel(), minlength=256))
    found = []
    for share in wanted:
        at = share / 100 * (plane.size - 1)
        low, high = np.searchsorted(below, (np.floor(at), np.ceil(at)), side="right")
        found.append(float(low + (high - low) * (at % 1)))
    return found


def _thinned(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2x2 pixels; a side of one pixel stays."""
    size = max(1, plane.shape[1] // 2), max(1, plane.shape[0] // 2)
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)


def coherence(plane: NDArray[np.uint8]) -> float:
    """Share (0 to 1) of a picture's gradient energy that points one way locally (structure tensor)."""
    if min(plane.shape) < LEAST_SIDE:
        return 0.0
    half = cv2.resize(plane, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(half.astype(np.float32), (0, 0), 1)
    gx, gy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    # What is blurred over three pixels is known from every other pixel.
    xx, yy, xy = (cv2.GaussianBlur(_thinned(part), (0, 0), 1.5) for part in (gx * gx, gy * gy, gx * gy))
    energy = float(np.sum(xx + yy))
    return float(np.sum(np.sqrt((xx - yy) ** 2 + 4 * xy * xy))) / energy if energy > 0 else 0.0


def _same(rgb: Rgb, grey: NDArray[np.uint8], tir: Tir) -> bool:
    """Whether the thermal picture is a copy of the visible one, not only of what is drawn into both."""
    other = tir if tir.shape == grey.shape else cv2.resize(tir, grey.shape[::-1], interpolation=cv2.INTER_AREA)
    first, second = (plane.ravel()[::7].astype(np.float64) for plane in (grey, other))
    if _correlation(first, second) <= SAME_CORRELATION:
        return False
    drawn = overlays.drawn([(rgb, tir)])
    if drawn is None:
        return True
    whole = cv2.resize(drawn.astype(np.uint8), grey.shape[::-1], interpolation=cv2.INTER_NEAREST)
    scene = whole.ravel()[::7] == 0
    return bool(scene.mean() < _SCENE) or _correlation(first[scene], second[scene]) > SAME_CORRELATION


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Correlation of two rows of values (n,)."""
    first, second = first - first.mean(), second - second.mean()
    power = math.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / power if power > 0 else 0.0
