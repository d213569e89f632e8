"""Skew by motion, on rendered sequences whose thermal frames are put out of order."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.pairing.registration.motion import LEAST, Film, Skew
from pipeline.synthetic import sequences

SIZE = (320, 256)
COUNT = 20
Frames = tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]], NDArray[np.float64]]


@lru_cache(maxsize=2)
def rendered(index: int) -> Frames:
    """Visible and thermal frames of a sequence by day (0) or night (1), and its rig."""
    made = [sequences.pair(5, index, frame, SIZE) for frame in range(COUNT + 2)]
    return [row[0] for row in made], [row[1] for row in made], sequences.rig(5, index, SIZE)


def skew(index: int, thermal: list[int], visible: list[int] | None = None, count: int = COUNT) -> Skew:
    rgb, tir, rig = rendered(index)
    film = Film()
    for place, (t, v) in enumerate(zip(thermal[:count], visible or range(count))):
        film.add(f"f{place}", rgb[v], tir[t], rig)
    return film.skew()


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("offset", [-2, -1, 0, 1, 2])
def test_a_common_offset_is_found_with_its_sign(index: int, offset: int) -> None:
    visible = [frame + max(0, -offset) for frame in range(COUNT)]
    assert skew(index, [frame + offset for frame in visible], visible) == Skew(offset)


@pytest.mark.parametrize("index", [0, 1])
def test_single_swapped_frames_are_named_and_no_others(index: int) -> None:
    order = list(range(COUNT))
    order[4], order[15] = 15, 4
    assert skew(index, order) == Skew(0, ("f4", "f15"))


def test_a_static_scene_and_a_handful_of_frames_are_no_evidence() -> None:
    shifted = [frame + 1 for frame in range(COUNT)]
    assert skew(0, [0] * COUNT, [0] * COUNT) == Skew()
    assert skew(0, shifted, [0] * COUNT) == Skew(), "only one of the two pictures moves"
    assert skew(0, shifted, count=LEAST - 1) == Skew()
    assert skew(0, shifted, count=LEAST) == Skew(1)


def test_noise_on_a_static_scene_is_no_evidence() -> None:
    rgb, tir, rig = rendered(0)
    rng = np.random.default_rng(3)
    film = Film()
    for place in range(COUNT):
        visible, thermal = (
            np.clip(picture + rng.normal(0, 8, picture.shape), 0, 255).astype(np.uint8) for picture in (rgb[0], tir[0])
        )
        film.add(f"f{place}", visible, thermal, rig)
    assert film.skew() == Skew()
