"""Where another shot begins, and which frames are no instant of their own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.mine.methods import PairView
from pipeline.mine.tubes.shots import is_cut, look_of, shots
from pipeline.mine.tubes.tube import Frame

from ....conftest import draw_pair

Picture = NDArray[np.uint8]
SIZE = (320, 256)


def scene(seed: int, shift: int = 0, light: float = 1.0, noise: int = 3) -> Picture:
    picture = np.roll(draw_pair(seed, SIZE)[0], shift, axis=1) * light
    grain = np.random.default_rng(shift + 1000 * seed).normal(0, noise, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(6))
def test_another_scene_is_a_cut_and_a_camera_that_turns_or_a_lamp_is_none(seed: int) -> None:
    here = look_of(scene(seed))
    assert is_cut(here, look_of(scene(seed + 50)))
    assert not is_cut(here, look_of(scene(seed, shift=20)))
    assert not is_cut(here, look_of(scene(seed, light=0.6)))


@pytest.mark.parametrize("seed", range(3))
def test_something_that_stands_before_both_scenes_does_not_hide_a_cut(seed: int) -> None:
    pictures = [scene(seed), scene(seed + 50)]
    for picture in pictures:
        cv2.rectangle(picture, (120, 80), (200, 160), (250, 250, 250), -1)
    assert is_cut(*map(look_of, pictures))


@pytest.mark.parametrize("seed", range(3))
def test_a_night_full_of_noise_is_one_shot_and_two_nights_are_two(seed: int) -> None:
    frames = [look_of(scene(seed, shift=shift, light=0.12, noise=6)) for shift in range(4)]
    assert not any(map(is_cut, frames, frames[1:]))
    assert is_cut(frames[0], look_of(scene(seed + 50, light=0.12, noise=6)))
    dark = [look_of(scene(seed, shift=shift, light=0.01, noise=4)) for shift in range(4)]
    assert not any(map(is_cut, dark, dark[1:]))


def test_the_dark_is_of_one_shot_and_what_comes_after_it_of_another() -> None:
    dark = look_of(np.full((*SIZE[::-1], 3), 4, np.uint8))
    assert not is_cut(dark, dark)
    assert is_cut(dark, look_of(scene(1)))
    assert is_cut(look_of(scene(1)), dark)
    assert is_cut(look_of(scene(1)), look_of(scene(1)[:128]))


def test_frames_are_parted_at_cuts_and_gaps_and_copies_are_left_out() -> None:
    pictures = {0: scene(0), 1: scene(0, 1), 2: scene(0, 1), 3: scene(0, 2), 4: scene(9), 9: scene(9, 1), 10: scene(9)}
    frames = (
        Frame(position, PairView(str(position), SIZE, np.zeros((4, 2)), rgb=picture))
        for position, picture in pictures.items()
    )
    told: dict[str, list[int]] = {}
    parted = [[frame.position for frame in shot] for shot in shots(frames, 4, told)]
    assert parted == [[0, 1, 3], [4], [9, 10]]
    assert told == {"duplicates": [2], "cuts": [4]}
