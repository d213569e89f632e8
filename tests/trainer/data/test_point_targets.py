"""Which of NanoTrack's points find a target, and the label of Eq. 2 on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.point_targets import gaussian, is_thin, labelled_points, on_target, point_targets
from trainer.net.nano import points
from trainer.recipes.point_geometry import NANOTRACK_V2

EVERY = replace(NANOTRACK_V2, positives=256, negatives=256)


def centred(width: float, height: float, x: float = 127.5, y: float = 127.5) -> np.ndarray:
    return np.array([x - width / 2, y - height / 2, width, height])


def labelled(box: np.ndarray, foreign: bool = False, seed: int = 0) -> np.ndarray:
    return labelled_points(box, NANOTRACK_V2, np.random.default_rng(seed), foreign)


def test_points_are_where_the_network_has_them() -> None:
    """Points are told from pixel centres, boxes from pixel edges: half a pixel lies between."""
    x, y = points().numpy()
    for row, column in ((0, 0), (3, 12), (15, 15)):
        box = centred(20, 20, x[row, column] + 0.5, y[row, column] + 0.5)
        assert np.argwhere(labelled(box) == 1).tolist() == [[row, column]]
        assert np.unravel_index(gaussian(box, NANOTRACK_V2).argmax(), (16, 16)) == (row, column)
        assert gaussian(box, NANOTRACK_V2).max() == 1


def test_inside_the_inner_ellipse_is_on_the_target_outside_the_outer_one_beside_it() -> None:
    """Half-axes of 32 and 16, and of 64 and 32, pixels about a point in the middle."""
    cells = labelled_points(centred(128, 64), EVERY, np.random.default_rng(0), foreign=False)
    assert cells[8, 6:11].tolist() == [-1, 1, 1, 1, -1]
    assert cells[7, 6:11].tolist() == [-1] * 5
    assert cells[8, 3:14].tolist() == [0, -1, -1, -1, 1, 1, 1, -1, -1, -1, 0]
    assert cells[5:12, 8].tolist() == [0, -1, -1, 1, -1, -1, 0]


def test_at_most_16_and_48_are_drawn_and_the_draw_is_seeded() -> None:
    cells = labelled(centred(250, 250))
    assert [(cells == kind).sum() for kind in (1, 0)] == [16, 48]
    assert (labelled(centred(250, 250)) == cells).all()
    other = labelled(centred(250, 250), seed=1)
    assert (other != cells).any()
    inside = on_target(centred(250, 250), NANOTRACK_V2)
    assert inside.sum() > 16
    assert inside[cells == 1].all()


@pytest.mark.parametrize("box", [centred(24, 120, 135.5, 130), centred(200, 12, 119.5, 119.5)])
def test_a_target_too_thin_for_a_point_gets_the_nearest_one_where_that_is_asked_for(box: np.ndarray) -> None:
    assert is_thin(box, NANOTRACK_V2)
    positive = np.argwhere(labelled(box) == 1)
    x, y = points().numpy() + 0.5
    off = np.hypot(x - (box[0] + box[2] / 2), y - (box[1] + box[3] / 2))
    assert len(positive) == 1
    assert off[tuple(positive[0])] == off.min()
    none = labelled_points(box, replace(NANOTRACK_V2, nearest=False), np.random.default_rng(0), foreign=False)
    assert (none != 1).all()
    assert (none == 0).any()


def test_small_targets_are_not_thin_as_their_window_enlarges_them() -> None:
    """At the template's scale a square box has a side of 63.5 pixels, whatever it has in the picture."""
    assert not any(is_thin(centred(63.5, 63.5, 127.5 + dx, 127.5), NANOTRACK_V2) for dx in range(-8, 9))


def test_a_template_of_another_scene_is_to_be_found_nowhere_near_the_target() -> None:
    box = centred(120, 120)
    cells = labelled(box, foreign=True)
    assert (cells != 1).all()
    assert 0 < (cells == 0).sum() <= 16
    assert on_target(box, NANOTRACK_V2)[cells == 0].all()
    targets = point_targets(box, NANOTRACK_V2, np.random.default_rng(0), foreign=True)
    assert not targets["label"].any()


@given(st.floats(8, 200), st.floats(8, 200), st.floats(60, 190), st.floats(60, 190), st.integers(0, 99))
def test_every_window_asks_for_something_and_never_for_both(
    width: float, height: float, x: float, y: float, seed: int
) -> None:
    cells = labelled(centred(width, height, x, y), seed=seed)
    assert 1 <= (cells == 1).sum() <= 16
    assert 1 <= (cells == 0).sum() <= 48
    assert set(np.unique(cells)) <= {-1, 0, 1}


def test_the_label_is_a_quarter_of_the_side_wide_and_a_cell_at_least() -> None:
    """One cell away: exp(-1/2) for a small target; of a side of 128 a standard deviation is two cells."""
    small, large = (gaussian(centred(side, side, 127.5, 127.5), NANOTRACK_V2)[8, 9] for side in (30, 128))
    assert small == pytest.approx(np.exp(-0.5))
    assert large == pytest.approx(np.exp(-0.125))
