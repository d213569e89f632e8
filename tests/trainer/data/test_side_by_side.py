"""Two pictures side by side whose targets touch."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.views.side_by_side import flip, flip_box, join

WIDTH, HEIGHT = 40, 12


def coloured(value: int) -> np.ndarray:
    return np.full((HEIGHT, WIDTH), value, np.uint8)


@given(x=st.floats(0, 30), w=st.floats(1.6, 10))
def test_the_joined_target_is_whole_twice_and_contiguous(x: float, w: float) -> None:
    left, right = coloured(0), coloured(0)
    columns = np.arange(WIDTH) + 0.5
    inside = (columns >= x) & (columns < x + w)
    left[:, inside], right[:, inside] = 100, 200
    joined, box = join(left, right, np.array([x, 2, w, 5.0]))
    assert joined.shape[1] == math.ceil(x + w - 0.5) + WIDTH - math.ceil(x - 0.5)
    assert abs(box[2] - 2 * w) <= 1
    seen = np.flatnonzero(joined[0] > 0)
    assert np.array_equal(seen, np.arange(seen[0], seen[-1] + 1))
    assert abs(seen[0] - x) <= 1
    assert abs(seen[-1] + 1 - box[0] - box[2]) <= 1
    assert (np.diff(joined[0, seen].astype(int)) >= 0).all()


def test_contexts_are_kept_on_both_sides() -> None:
    joined, box = join(coloured(1), coloured(2), np.array([10.0, 0, 5, 5]))
    assert joined[0].tolist() == [1] * 15 + [2] * 30
    assert box.tolist() == [10, 0, 10, 5]


def test_a_target_at_the_border_stays_in() -> None:
    joined, box = join(coloured(1), coloured(2), np.array([36.0, 0, 9, 5]))
    assert joined[0].tolist() == [1] * 40 + [2] * 4
    assert box[2] == 13


@given(x=st.floats(-5, 45), w=st.floats(1, 20))
def test_a_box_flips_with_its_picture_and_back(x: float, w: float) -> None:
    box = np.array([x, 1, w, 3.0])
    assert np.allclose(flip_box(flip_box(box, WIDTH), WIDTH), box)
    picture = np.arange(WIDTH, dtype=np.uint8)[None].repeat(2, 0)
    assert flip(picture)[0, 0] == WIDTH - 1
    whole = flip_box(np.array([0.0, 0, WIDTH, 2]), WIDTH)
    assert whole.tolist() == [0, 0, WIDTH, 2]
