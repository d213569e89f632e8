"""Center and random regions: where they may lie, how far apart, and what they depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline import boxes
from pipeline.mine import MineSettings, proposals

SIZE = (640, 512)


def settings(**changed: object) -> MineSettings:
    base = {"method": "random"}
    return MineSettings.model_validate(base | changed)


corner = st.tuples(st.floats(-60, 60), st.floats(-60, 60))
quads = st.lists(corner, min_size=4, max_size=4).map(
    lambda moved: boxes.corners((0, 0, *SIZE)) + np.array(moved, np.float64)
)


@given(quads)
def test_the_common_area_lies_in_the_picture_and_in_the_footprint(quad: NDArray[np.float64]) -> None:
    area = proposals.common_area(SIZE, quad)
    assert np.allclose(boxes.clip(area, *SIZE), area)
    assert boxes.coverage(area, quad) == pytest.approx(1, abs=1e-6)


def test_the_common_area_of_pictures_that_do_not_meet_is_empty() -> None:
    area = proposals.common_area(SIZE, boxes.corners((700, 0, 100, 100)))
    assert area[2] == 0
    assert proposals.center(area, 0.5) == []
    assert proposals.random(area, SIZE, 5, settings(), proposals.pair_rng(0, "a")) == []


def test_the_center_is_a_square_of_a_share_of_the_short_side() -> None:
    (found,) = proposals.center(np.array([10.0, 20, 300, 120]), 1 / 3)
    assert found.box.tolist() == [10 + 150 - 20, 20 + 60 - 20, 40, 40]
    assert (found.score, found.category) == (1, -1)


@given(
    quads,
    st.integers(1, 12),
    st.floats(0.02, 0.6),
    st.sampled_from(["side", "area"]),
    st.floats(0, 0.5),
    st.integers(0, 99),
)
def test_random_regions_lie_in_the_common_area_and_apart(
    quad: NDArray[np.float64], count: int, fraction: float, of: str, overlap: float, seed: int
) -> None:
    config = settings(fraction=fraction, fraction_of=of, max_overlap=overlap)
    area = proposals.common_area(SIZE, quad)
    rng = proposals.pair_rng(seed, "set00/V000/I00000")
    found = np.array([p.box for p in proposals.random(area, SIZE, count, config, rng)])
    assert 1 <= len(found) <= count
    share = fraction if of == "side" else fraction**0.5
    assert np.allclose(found[:, 2:], np.minimum(share * np.array(SIZE), area[2:]))
    assert (found[:, :2] >= area[:2] - 1e-9).all()
    assert (found[:, :2] + found[:, 2:] <= area[:2] + area[2:] + 1e-9).all()
    apart = boxes.iou(found[:, None], found[None, :])[np.triu_indices(len(found), 1)]
    assert (apart <= overlap).all()


def test_random_regions_keep_away_from_the_border_where_there_is_room() -> None:
    area = np.array([0.0, 0, *SIZE])
    found = [p.box for s in range(40) for p in proposals.random(area, SIZE, 5, settings(), proposals.pair_rng(s, "p"))]
    low, high = np.min(found, axis=0), np.max(found, axis=0)
    region = np.array(SIZE) / 6
    assert (low[:2] >= region).all()
    assert (high[:2] + region <= np.array(SIZE) - region + 1e-9).all()
    spread = high[:2] - low[:2]
    assert (spread > 0.9 * (np.array(SIZE) - 3 * region)).all(), "the regions do not use the room there is"


def test_draws_depend_on_seed_and_pair_alone() -> None:
    def drawn(seed: int, pair: str) -> list[float]:
        return proposals.pair_rng(seed, pair).random(3).tolist()

    assert drawn(0, "a/1") == drawn(0, "a/1")
    assert len({tuple(drawn(seed, pair)) for seed in (0, 1) for pair in ("a/1", "a/2")}) == 4


def test_a_box_counts_as_inside_from_95_percent_on() -> None:
    quad = boxes.corners((0, 0, 100, 100))
    found = [proposals.Proposal(np.array([x, 0.0, 20, 20])) for x in (0, 81, 80.9, 82, 150)]
    inside, outside = proposals.covered(found, quad)
    assert [p.box[0] for p in inside] == [0, 81, 80.9]
    assert [p.box[0] for p in outside] == [82, 150]
