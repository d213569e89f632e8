"""Center and random regions: where they may lie, how far apart, and what they depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline import boxes
from pipeline.mine import MineSettings, proposals
from pipeline.mine.methods import PairView
from pipeline.mine.methods.center import Center
from pipeline.mine.methods.random import Random

SIZE = (640, 512)


PICTURE = boxes.corners((0, 0, *SIZE))


def drawn_at_random(quad: NDArray[np.float64] = PICTURE, name: str = "a", **changed: object) -> NDArray[np.float64]:
    regions = Random(MineSettings.model_validate({"method": "random"} | changed)).derive(PairView(name, SIZE, quad))
    return np.array([region.box for region in regions]).reshape(-1, 4)


corner = st.tuples(st.floats(-60, 60), st.floats(-60, 60))
quads = st.lists(corner, min_size=4, max_size=4).map(
    lambda moved: boxes.corners((0, 0, *SIZE)) + np.array(moved, np.float64)
)


@given(quads)
def test_the_common_area_lies_in_the_picture_and_in_the_footprint(quad: NDArray[np.float64]) -> None:
    area = boxes.common_area(SIZE, quad)
    assert np.allclose(boxes.clip(area, *SIZE), area)
    assert boxes.coverage(area, quad) == pytest.approx(1, abs=1e-6)


def test_the_common_area_of_pictures_that_do_not_meet_is_empty() -> None:
    pair = PairView("a", SIZE, boxes.corners((700, 0, 100, 100)))
    assert pair.common[2] == 0
    assert Center(MineSettings(method="center")).derive(pair) == []
    assert len(drawn_at_random(pair.valid)) == 0


def test_the_center_is_a_square_of_a_share_of_the_short_side() -> None:
    pair = PairView("a", SIZE, boxes.corners((10, 20, 300, 120)))
    (centre,) = Center(MineSettings(method="center")).derive(pair)
    assert centre.box.tolist() == [10 + 150 - 7.5, 20 + 60 - 7.5, 15, 15]
    assert (centre.score, centre.category) == (1, -1)


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
    area = boxes.common_area(SIZE, quad)
    changed = {"fraction": fraction, "fraction_of": of, "max_overlap": overlap, "patches_per_pair": count, "seed": seed}
    regions = drawn_at_random(quad, "set00/V000/I00000", **changed)
    assert 1 <= len(regions) <= count
    share = fraction if of == "side" else fraction**0.5
    assert np.allclose(regions[:, 2:], np.minimum(share * np.array(SIZE), area[2:]))
    assert (regions[:, :2] >= area[:2] - 1e-9).all()
    assert (regions[:, :2] + regions[:, 2:] <= area[:2] + area[2:] + 1e-9).all()
    apart = boxes.iou(regions[:, None], regions[None, :])[np.triu_indices(len(regions), 1)]
    assert (apart <= overlap).all()


def test_random_regions_keep_away_from_the_border_where_there_is_room() -> None:
    regions = np.concatenate([drawn_at_random(name="p", seed=seed) for seed in range(40)])
    low, high = np.min(regions, axis=0), np.max(regions, axis=0)
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
