"""Registration: direction, pixel centres, models, determinism, and real pairs where they are at hand."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import images
from pipeline.errors import DataError
from pipeline.pairing.registration import workframe
from pipeline.pairing.registration.evidence import apply
from pipeline.pairing.registration.features import luminance
from pipeline.pairing.registration.fit import Frame
from pipeline.pairing.registration.register import evaluate, register_pair, register_sequence

from ....conftest import shared
from ..scenes import SIZE, corner_error, pair, similarity

IDENTITY = np.eye(3)
SHIFT = np.array([[1, 0, 9.5], [0, 1, -6.25], [0, 0, 1.0]])
HOMOGRAPHY = cv2.getPerspectiveTransform(
    np.array([[0, 0], [479, 0], [479, 383], [0, 383]], np.float32),
    np.array([[-9, 7], [491, -6], [468, 395], [8, 371]], np.float32),
)

parameters = st.lists(st.floats(-20, 20), min_size=8, max_size=8).map(np.array)
point = st.tuples(st.floats(0, 639), st.floats(0, 511))


@pytest.mark.parametrize(
    ("model", "truth", "limit"),
    [
        ("translation", SHIFT, 0.15),
        ("similarity", similarity(2.0, 1.03, 8, -5), 0.6),
        ("affine", similarity(-2.0, 0.97, -7, 4), 0.8),
        ("homography", HOMOGRAPHY, 1.5),
        ("auto", SHIFT, 0.6),
        ("auto", similarity(-2.5, 1.04, -9, 6), 0.6),
        ("auto", HOMOGRAPHY, 1.5),
    ],
)
def test_recovers_a_known_warp_from_tir_to_rgb(model: str, truth: np.ndarray, limit: float) -> None:
    rgb, tir = pair(3, truth)
    found = register_pair(rgb, tir, model=model)  # type: ignore[arg-type]
    assert found.homography[2, 2] == 1
    assert corner_error(found.homography, np.linalg.inv(truth)) < limit
    assert corner_error(found.homography, truth) > 5 * limit, "the matrix maps RGB to TIR"


def test_auto_takes_the_simplest_model_that_will_do() -> None:
    models = [register_pair(*pair(5, truth)).model for truth in (SHIFT, similarity(3, 1.04, 0, 0), HOMOGRAPHY)]
    assert models == ["translation", "similarity", "homography"]


def test_translation_is_a_pure_shift_and_identity_is_not_estimated() -> None:
    rgb, tir = pair(4, SHIFT)
    shift = register_pair(rgb, tir, model="translation").homography
    assert np.allclose(shift[:, :2], IDENTITY[:, :2], atol=1e-12)
    kept = register_pair(rgb, tir, model="identity")
    assert np.array_equal(kept.homography, IDENTITY)
    assert kept.scores["drift"] == pytest.approx(np.hypot(*SHIFT[:2, 2]), abs=1.5)


def test_a_thermal_picture_of_half_the_size_is_scaled_about_pixel_edges() -> None:
    rgb, tir = pair(6, IDENTITY)
    small = cv2.resize(tir, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
    expected = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1.0]])
    assert np.allclose(register_pair(rgb, small, model="identity").homography, expected)
    found = register_pair(rgb, small).homography
    assert corner_error(found, expected, (SIZE[0] // 2, SIZE[1] // 2)) < 0.7


def test_a_prior_extends_the_range() -> None:
    truth = similarity(12, 1.0, 60, 0)
    rgb, tir = pair(7, truth)
    prior = np.linalg.inv(similarity(11, 1.01, 55, 4))
    found = register_pair(rgb, tir, model="similarity", prior=prior)
    assert corner_error(found.homography, np.linalg.inv(truth)) < 1.5


def test_the_same_input_gives_the_same_bytes_whatever_the_threads() -> None:
    rgb, tir = pair(8, SHIFT)
    threads = cv2.getNumThreads()
    results = []
    for count in (1, 2):
        cv2.setNumThreads(count)
        results.append(register_pair(rgb, tir))
    cv2.setNumThreads(threads)
    assert results[0].homography.tobytes() == results[1].homography.tobytes()
    assert results[0].scores == results[1].scores


def test_luminance_tells_what_the_colours_tell() -> None:
    rgb, tir = pair(8, SHIFT)
    rgb[..., 0] //= 2
    coloured, grey = (register_pair(visible, tir, model="translation") for visible in (rgb, luminance(rgb)))
    assert coloured.homography.tobytes() == grey.homography.tobytes()
    assert coloured.scores == grey.scores


def test_repeatability_composes_with_a_second_warp() -> None:
    still = register_pair(*pair(9, IDENTITY), model="similarity").homography
    warp = similarity(1.5, 0.98, 6, 3)
    moved = register_pair(*pair(9, warp), model="similarity").homography
    assert corner_error(moved, still @ np.linalg.inv(warp)) < 0.5


def test_a_sequence_pools_frames_and_reports_how_its_halves_agree() -> None:
    frames = [pair(seed, HOMOGRAPHY) for seed in (20, 21, 22, 23)]
    pooled = register_sequence(frames)
    assert pooled.model == "homography"
    assert corner_error(pooled.homography, np.linalg.inv(HOMOGRAPHY)) < 1.0
    mixed = [*frames[::2], *(pair(seed, similarity(0, 1, 14, 0) @ HOMOGRAPHY) for seed in (24, 25))]
    knocked = register_sequence([mixed[i] for i in (0, 2, 1, 3)], model="similarity")
    assert knocked.scores["split"] > 4 * max(pooled.scores["split"], 0.5)


def test_frames_of_several_sizes_and_no_frames_are_refused() -> None:
    rgb, tir = pair(1, IDENTITY)
    with pytest.raises(DataError, match="differ in size"):
        register_sequence([(rgb, tir), (rgb[:300], tir)])
    with pytest.raises(DataError, match="no frames"):
        register_sequence([])


def test_evaluate_keeps_the_matrix_and_sees_a_wrong_one() -> None:
    rgb, tir = pair(10, SHIFT)
    truth = np.linalg.inv(SHIFT)
    right, wrong = evaluate(rgb, tir, truth, "translation"), evaluate(rgb, tir, IDENTITY)
    assert np.allclose(right.homography, truth) and right.model == "translation"
    assert right.scores["agreement"] > 0.9 > 0.3 > wrong.scores["agreement"]
    assert right.scores["drift"] < 1 < 8 < wrong.scores["drift"]


@pytest.mark.parametrize("moved", [0.0, 4.0, 12.0])
def test_a_glance_scores_a_matrix_as_the_whole_size_does_and_doubt_looks_at_that(moved: float) -> None:
    rgb, tir = pair(11, HOMOGRAPHY)
    matrix = similarity(0, 1, moved, 0) @ np.linalg.inv(HOMOGRAPHY)
    whole = evaluate(rgb, tir, matrix)
    glanced = evaluate(rgb, tir, matrix, enough=lambda scores: True)
    assert glanced.scores != whole.scores
    assert glanced.scores["drift"] == pytest.approx(whole.scores["drift"], abs=1.0)
    assert glanced.scores["drift"] == pytest.approx(moved, abs=1.5)
    assert glanced.scores["agreement"] == pytest.approx(whole.scores["agreement"], abs=0.2)
    seen: list[dict[str, float]] = []
    doubted = evaluate(rgb, tir, matrix, enough=lambda scores: bool(seen.append(scores)))
    assert seen == [glanced.scores]
    assert doubted.scores == whole.scores


@pytest.mark.parametrize("value", [0, 128])
def test_pictures_without_content_give_finite_numbers(value: int) -> None:
    found = register_pair(np.full((64, 80, 3), value, np.uint8), np.full((64, 80), value, np.uint8))
    assert np.isfinite(found.homography).all() and np.isfinite(list(found.scores.values())).all()


@given(parameters, point)
def test_the_jacobian_is_the_derivative_of_the_matrix(t: np.ndarray, at: tuple[float, float]) -> None:
    frame, points, step = Frame.of(640, 512), np.array([at]), 1e-4
    moved, slopes = frame.jacobian(t, points)
    assert np.allclose(moved, apply(frame.matrix(t), points))
    for k in range(8):
        ahead = t + step * np.eye(8)[k]
        assert np.allclose((apply(frame.matrix(ahead), points) - moved) / step, slopes[:, :, k], atol=1e-3)


@given(parameters, point, st.sampled_from([2, 4]))
def test_a_matrix_on_a_reduced_level_moves_the_same_pixel_edges(
    t: np.ndarray, at: tuple[float, float], step: int
) -> None:
    frame, points = Frame.of(640, 512), np.array([at])
    full = apply(frame.matrix(t), points)
    reduced = apply(workframe.level(frame.matrix(t), step), (points + 0.5) / step - 0.5)
    assert np.allclose((reduced + 0.5) * step - 0.5, full, atol=1e-6)
    small = Frame.of(640 // step, 512 // step)
    assert np.allclose(small.matrix(t / step), workframe.normalised(workframe.level(frame.matrix(t), step)), atol=1e-9)


@given(st.integers(64, 2000), st.integers(64, 2000), st.integers(64, 2000), st.integers(64, 2000))
@settings(max_examples=30)
def test_the_size_prior_lays_one_picture_over_the_whole_other(w: int, h: int, tw: int, th: int) -> None:
    prior = workframe.size_prior(np.empty((h, w, 3), np.uint8), np.empty((th, tw), np.uint8))
    edges = np.array([[-0.5, -0.5], [tw - 0.5, th - 0.5]])
    assert np.allclose(apply(prior, edges), [[-0.5, -0.5], [w - 0.5, h - 0.5]])


def test_real_pairs_with_a_known_shift() -> None:
    root = shared("samples/warped/truth.json").parent
    pairs = json.loads((root / "truth.json").read_text())["pairs"]
    chosen = [p for p in pairs if p["kind"] == "b_similarity" and p["dataset"] == "LLVIP"][::4]
    for row in chosen:
        rgb, tir = (images.read_bytes(root / row[side]) for side in ("visible", "lwir"))
        found = register_pair(images.decode_rgb(rgb, "rgb"), images.decode_tir(tir, "tir"))
        truth = np.linalg.inv(np.array(row["H_rgb2tir"]))
        assert corner_error(found.homography, truth, tuple(row["size"])) < 5
    assert chosen
