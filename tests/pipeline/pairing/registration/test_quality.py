"""Quality: every degenerate kind is named, sound pairs pass, and the score falls with the evidence."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.pairing.registration import quality
from pipeline.pairing.registration.register import evaluate, register_pair

from ..scenes import pair, similarity

Picture = NDArray[np.uint8]
WARP = similarity(1.0, 1.02, 5, -4)


@cache
def sound(seed: int = 2) -> tuple[Picture, Picture]:
    return pair(seed, WARP)


def noise(mean: float, sigma: float, shape: tuple[int, ...]) -> Picture:
    return np.clip(np.random.default_rng(0).normal(mean, sigma, shape), 0, 255).astype(np.uint8)


def degenerate(kind: str) -> tuple[Picture, Picture]:
    rgb, tir = sound()
    burnt = np.where(np.indices(tir.shape).sum(0) % 16 == 0, tir, 255).astype(np.uint8)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    return {
        "blank tir": (rgb, np.full_like(tir, 120)),
        "black rgb": (noise(3, 1, rgb.shape), tir),
        "saturated tir": (rgb, burnt),
        "noise tir": (rgb, noise(120, 6.5, tir.shape)),
        "duplicate": (rgb, grey),
        "duplicate at half size": (rgb, grey[::2, ::2].copy()),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("blank tir", "blank"),
        ("black rgb", "blank"),
        ("saturated tir", "saturated"),
        ("noise tir", "no_structure"),
        ("duplicate", "same_image"),
        ("duplicate at half size", "same_image"),
    ],
)
def test_degenerate_pictures_are_rejected_before_registration(kind: str, reason: str) -> None:
    verdict = quality.inspect(*degenerate(kind))
    assert verdict is not None and verdict.reason == reason and verdict.score == 0 and verdict.detail


def test_a_sound_pair_passes_both_doors() -> None:
    rgb, tir = sound()
    assert quality.inspect(rgb, tir) is None
    verdict = quality.judge(rgb, tir, register_pair(rgb, tir))
    assert verdict.reason is None and verdict.flags == () and verdict.score > 0.9


def test_a_colourless_visible_picture_is_a_doubt() -> None:
    rgb, tir = sound()
    swapped = np.repeat(tir[..., None], 3, axis=2)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    doubt = quality.inspect(swapped, grey)
    assert doubt is not None and doubt.reason is None and doubt.flags == ("swapped_modalities",)


def test_another_aspect_is_flagged_and_another_size_is_not() -> None:
    rgb, tir = sound()
    other = quality.inspect(rgb, tir[:, :400].copy())
    assert other is not None and other.reason is None and other.flags == ("size_mismatch",)
    assert quality.inspect(rgb, tir[::2, ::2].copy()) is None


def test_pictures_of_two_places_do_not_match() -> None:
    rgb, _ = sound(2)
    _, tir = sound(11)
    verdict = quality.judge(rgb, tir, register_pair(rgb, tir))
    assert verdict.reason == "no_match" and verdict.score < quality.CHANCE


def test_a_matrix_that_the_pair_does_not_bear_out_scores_low() -> None:
    rgb, tir = sound()
    truth = np.linalg.inv(WARP)
    right = quality.judge(rgb, tir, evaluate(rgb, tir, truth))
    wrong = quality.judge(rgb, tir, evaluate(rgb, tir, similarity(0, 1, 12, 0) @ truth))
    assert right.score > 0.9 > 0.3 > wrong.score


@given(st.lists(st.integers(0, 255), min_size=1, max_size=400), st.floats(0, 100))
def test_percentiles_are_those_of_sorted_values(values: list[int], share: float) -> None:
    plane = np.array(values, np.uint8)
    assert quality.percentiles(plane, share)[0] == pytest.approx(float(np.percentile(plane, share)), abs=1e-6)


evidence = st.fixed_dictionaries(
    {"agreement": st.floats(0, 1), "spread": st.floats(0, 1e4), "drift": st.floats(0, 1e4)}
)


@given(evidence, st.floats(0, 1))
def test_the_score_is_a_probability_that_grows_with_agreement(scores: dict[str, float], more: float) -> None:
    better = scores | {"agreement": max(scores["agreement"], more)}
    assert 0 <= quality.calibrated(scores) <= quality.calibrated(better) <= 1


@given(evidence, st.floats(0, 1e4))
def test_the_score_falls_with_the_error_to_expect(scores: dict[str, float], more: float) -> None:
    assert quality.calibrated(scores | {"drift": scores["drift"] + more}) <= quality.calibrated(scores)


@given(evidence, st.floats(0, 1))
def test_what_is_kept_at_a_glance_is_neither_below_what_was_asked_nor_knocked(
    scores: dict[str, float], least: float
) -> None:
    if quality.sure(scores, least):
        assert quality.calibrated(scores) >= max(least, 0.5)
        assert scores["drift"] <= 5
