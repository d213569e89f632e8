"""Regions in drawn videos: carried by what they show, ended where it is lost, dropped where they teach nothing."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.boxes import iou
from pipeline.mine.methods import PairView, build_method
from pipeline.mine.methods.random import random_regions
from pipeline.mine.settings import MineSettings
from pipeline.mine.tubes.regions.follow import WINDOW, Followed, follow
from pipeline.mine.tubes.tube import Frame

from .videos import SIZE, At, Grey, frames, moved, paste, texture

SETTINGS = MineSettings(method="random")
THING = (100.0, 80.0, 64.0, 48.0)


def alone(pictures: Sequence[Grey], box: tuple[float, float, float, float] = THING) -> Followed:
    return follow(frames(pictures), At(box), SETTINGS)


def passing(steps: int, speed: float, high: float = 255) -> list[Grey]:
    """A bright thing that begins at ``THING`` and goes to the right over a ground that stands still."""
    ground, thing = texture(1), texture(2, (64, 48), 120, high)
    return [paste(ground, thing, THING[0] + speed * n, THING[1]) for n in range(steps)]


@pytest.mark.parametrize("speed", [(1.3, -0.6), (6.0, 2.5)])
def test_a_region_goes_with_the_ground_under_a_camera_that_turns(speed: tuple[float, float]) -> None:
    pictures = [moved(paste(texture(3), texture(4, (64, 48), 150, 250), *THING[:2]), 1, (speed[0] * n, speed[1] * n))
                for n in range(20)]  # fmt: skip
    (tube,) = alone(pictures).tubes
    assert tube.frames.tolist() == list(range(20))
    expected = np.array([(THING[0] + speed[0] * n, THING[1] + speed[1] * n, *THING[2:]) for n in range(20)])
    assert np.abs(tube.boxes - expected).max() < 1
    assert set(tube.scores) == {1.0}
    assert tube.category == -1


def test_a_region_grows_with_what_comes_nearer() -> None:
    ground = paste(texture(5), texture(6, (64, 48), 150, 250), *THING[:2])
    scales = 1.012 ** np.arange(24)
    pictures = [moved(ground, s, (132 * (1 - s), 104 * (1 - s))) for s in scales]
    (tube,) = alone(pictures).tubes
    assert len(tube) == 24
    assert np.allclose(tube.boxes[:, 2] / THING[2], scales, rtol=0.03)
    assert np.allclose(tube.boxes[:, 3] / THING[3], scales, rtol=0.03)


def test_a_region_goes_with_what_moves_over_the_ground() -> None:
    (tube,) = alone(passing(25, 4.0)).tubes
    assert len(tube) == 25
    truth = np.array([(THING[0] + 4 * n, *THING[1:]) for n in range(25)])
    assert iou(tube.boxes, truth).min() > 0.9


def test_a_region_ends_where_what_it_shows_is_hidden() -> None:
    bar = texture(7, (70, 256), 20, 90)
    pictures = [paste(picture, bar, 210, 0) for picture in passing(30, 3.0)]
    result = alone(pictures)
    first = result.tubes[0]
    # Its right side reaches the bar in frame 16, and nothing of it is seen from frame 37 on.
    assert 8 <= len(first) <= 30
    truth = np.array([(THING[0] + 3 * n, *THING[1:]) for n in range(len(first))])
    assert iou(first.boxes, truth).min() > 0.5


def test_a_region_ends_before_the_picture_changes_to_another(cut: int = 13) -> None:
    ground, other = paste(texture(8), texture(9, (64, 48), 150, 250), *THING[:2]), texture(10)
    pictures = [moved(ground, 1, (n, 0)) for n in range(cut)] + [moved(other, 1, (n, 0)) for n in range(20)]
    result = follow(frames(pictures), build_method(SETTINGS), SETTINGS)
    assert result.tubes
    assert not [tube for tube in result.tubes if tube.frames[0] < cut <= tube.frames[-1]]


def test_a_region_ends_where_one_camera_sees_no_more() -> None:
    seen = (0, 0, 240, SIZE[1])
    (tube, *_) = follow(frames(passing(40, 4.0), seen), At(THING), SETTINGS).tubes
    right = tube.boxes[:, 0] + tube.boxes[:, 2]
    assert right.max() <= 240 + 0.05 * THING[2] + 1
    assert right.max() > 236


def test_nothing_is_followed_on_an_empty_wall() -> None:
    rng = np.random.default_rng(0)
    slope = np.linspace(90, 110, SIZE[0])[None].repeat(SIZE[1], 0)
    pictures = [np.asarray(slope + rng.normal(0, 2, slope.shape), np.uint8) for _ in range(20)]
    result = follow(frames(pictures), build_method(SETTINGS), SETTINGS)
    assert not result.tubes
    assert result.dropped.total() > 0


def test_nothing_is_followed_where_all_is_alike_and_still_or_moves_as_one() -> None:
    ground = texture(11, low=90, high=170, fine=1.2)
    for pictures in ([ground] * 20, [moved(ground, 1, (1.5 * n, 0)) for n in range(20)]):
        result = follow(frames(pictures), build_method(SETTINGS), SETTINGS)
        assert not result.tubes
        assert result.dropped["empty"] > 0


def test_what_moves_is_kept_though_it_looks_like_its_surroundings() -> None:
    ground, thing = texture(12), texture(13, (64, 48))
    (tube,) = alone([paste(ground, thing, THING[0] + 2 * n, THING[1]) for n in range(20)]).tubes
    assert tube.boxes[-1, 0] == pytest.approx(THING[0] + 38, abs=3)


def test_what_differs_from_its_surroundings_is_kept_though_nothing_moves() -> None:
    (tube,) = alone(passing(20, 0.0)).tubes
    assert np.abs(tube.boxes - THING).max() < 0.5


def test_what_a_shot_shows_to_its_last_frame_is_followed_to_it() -> None:
    for count in (2, WINDOW, WINDOW + 1, WINDOW + 2, 3 * WINDOW):
        (tube,) = alone(passing(count, 1.0)).tubes
        assert tube.frames.tolist() == list(range(count))


def test_a_single_frame_is_no_video() -> None:
    assert follow(frames(passing(1, 0.0)), At(THING), SETTINGS) == Followed()


def test_every_frame_has_a_chance_where_regions_end_again_and_again() -> None:
    ground = texture(14, (3 * SIZE[0], SIZE[1]), fine=3)
    for n in range(40):
        ground = paste_wide(ground, texture(20 + n, (40, 30), 150, 255), 24.0 * n, 20 + 37 * n % 200)
    pictures = [np.ascontiguousarray(ground[:, 5 * n : 5 * n + SIZE[0]]) for n in range(120)]
    result = follow(frames(pictures), build_method(SETTINGS), SETTINGS)
    covered = {int(frame) for tube in result.tubes for frame in tube.frames}
    assert len(covered) >= 110


def paste_wide(ground: Grey, thing: Grey, left: float, top: int) -> Grey:
    wide = ground.copy()
    part = wide[top : top + thing.shape[0], int(left) : int(left) + thing.shape[1]]
    part[:] = thing[: part.shape[0], : part.shape[1]]
    return wide


def test_regions_start_where_random_would_draw_them() -> None:
    used = MineSettings(method="random", patches_per_pair=3)
    shown = list(frames(passing(9, 1.0)))
    drawn = [proposal.box for proposal in random_regions(shown[0].view, 50, used)]
    result = follow(shown, build_method(used), used)
    assert result.tubes
    for tube in result.tubes:
        if tube.frames[0] == 0:
            assert min(np.abs(tube.boxes[0] - box).max() for box in drawn) == 0


@settings(max_examples=5)
@given(seed=st.integers(0, 1000), windows=st.integers(1, 3), more=st.integers(1, 9))
def test_what_comes_later_changes_nothing_before(seed: int, windows: int, more: int) -> None:
    rng = np.random.default_rng(seed)
    ways = np.cumsum(rng.normal(0, 2, (windows * WINDOW + more + 1, 2)), axis=0)
    ground = paste(texture(seed), texture(seed + 1, (90, 70), 100, 255), 90, 70)
    pictures = [moved(ground, 1, (float(x), float(y))) for x, y in ways]
    used = SETTINGS.model_copy(update={"seed": seed})
    whole = follow(frames(pictures), build_method(used), used).tubes
    part = follow(frames(pictures[: windows * WINDOW + 1]), build_method(used), used).tubes
    early = [tube for tube in whole if tube.frames[0] < windows * WINDOW]
    assert len(part) == len(early)
    for short, long in zip(part, early):
        assert np.array_equal(short.boxes, long.boxes[: len(short)])


def test_frames_are_let_go_one_by_one() -> None:
    alive: list[weakref.ref[Frame]] = []

    def counted() -> Iterator[Frame]:
        for frame in frames(passing(30, 1.0)):
            assert sum(ref() is not None for ref in alive) <= 1
            alive.append(weakref.ref(frame))
            yield frame

    follow(counted(), At(THING), SETTINGS)
    assert len(alive) == 30


def test_frames_without_pictures_are_an_error() -> None:
    bare = PairView("a/0", SIZE, np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64))
    with pytest.raises(ValueError, match="a/0: regions are followed in the visible picture"):
        follow([Frame(0, bare)], At(THING), SETTINGS)
