"""The residual field: sign, units and honesty where there is nothing to see."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.pairing.registration.residual import residual_field

from ..scenes import SIZE, pair, similarity

TRUTH = similarity(1.5, 1.02, 6, -4)


@pytest.mark.parametrize("off", [(0.0, 0.0), (3.0, 0.0), (-1.5, 2.5)])
def test_a_matrix_that_is_off_leaves_its_error_with_the_sign_of_the_way_back(off: tuple[float, float]) -> None:
    rgb, tir = pair(3, TRUTH)
    matrix = similarity(0, 1, *off) @ np.linalg.inv(TRUTH)
    centres, vectors, weights = residual_field(rgb, tir, matrix)
    sure = weights > 0.5
    assert sure.sum() > 20
    assert np.allclose(np.median(vectors[sure], axis=0), -np.array(off), atol=0.4)
    assert (centres >= 0).all()
    assert (centres < SIZE).all()


def test_blocks_without_structure_weigh_nothing() -> None:
    rgb, tir = pair(3, np.eye(3))
    rgb[:, : SIZE[0] // 2], tir[:, : SIZE[0] // 2] = 90, 40
    centres, vectors, weights = residual_field(rgb, tir, np.eye(3))
    empty = centres[:, 0] < SIZE[0] // 2 - 80
    assert empty.any()
    assert weights[empty].max() < 0.1
    assert np.abs(vectors[empty]).max() < 0.1
    assert np.median(weights[centres[:, 0] > SIZE[0] // 2 + 80]) > 0.5
