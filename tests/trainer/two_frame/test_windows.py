"""Windows: of two true instants, cut as in training, and a function of seed, sequence and number alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.boxes import iou
from trainer.base_trackers import BASE_TRACKERS
from trainer.data.windowing import windowing_of
from trainer.measure.instants import REACH, stream
from trainer.recipes.geometry import geometry_of
from trainer.sequences import Clip
from trainer.two_frame.footage import Footage, read_shots
from trainer.two_frame.instants import Instants
from trainer.two_frame.key import key_of
from trainer.two_frame.sequences import find_windows
from trainer.two_frame.windows import TwoFrames

from .world import MARK, SIZE, boxes, config, write_sequence, write_sequences

NOISE = 3


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sequences(tmp_path_factory.mktemp("sequences"), "ant", "bee", "cat")


def windows_of(root: Path, tracker: str = "dimp18", window: int | None = None, **changes: Any) -> list[TwoFrames]:
    asked = config(root, root, root / "out", **changes)
    return find_windows(asked, [], geometry_of(tracker, window), NOISE)[0]


def sample(windows: TwoFrames, number: int) -> dict[str, np.ndarray]:
    return windows.cut(number, read_shots(windows.footage, windows.draws[number]))


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def clip_of(name: str, truth: np.ndarray) -> Clip:
    return Clip(name, tuple(Path(f"{number}.png") for number in range(len(truth))), truth, Path("truth.txt"))


@given(
    st.text(st.characters(codec="ascii"), min_size=1, max_size=5),
    st.lists(st.booleans(), min_size=1, max_size=80),
    st.integers(0, 2**32 - 1),
    st.integers(0, 50),
)
def test_instants_are_true_ones_1_to_30_frames_apart(name: str, there: list[bool], seed: int, number: int) -> None:
    truth = np.array([[10.0, 10, 20, 20] if each else [np.nan] * 4 for each in there])
    instants = Instants.of(clip_of(name, truth), SIZE)
    apart = [b - a for a in np.flatnonzero(there) for b in np.flatnonzero(there) if b > a]
    assert bool(len(instants.starts)) == any(step <= REACH for step in apart)
    if len(instants.starts):
        reference, test = instants.draw(number, seed)
        assert there[reference] and there[test]
        assert 1 <= test - reference <= REACH


def test_every_instant_and_every_distance_is_drawn() -> None:
    instants = Instants.of(clip_of("dog", np.full((80, 4), 20.0)), SIZE)
    pairs = np.array([instants.draw(number, 0) for number in range(4000)])
    distances = np.bincount(pairs[pairs[:, 0] < 50] @ [-1, 1])[1:]
    assert len(distances) == REACH
    assert distances.min() > 0.5 * distances.mean()
    assert set(pairs[:, 0]) == set(range(79))


@pytest.mark.parametrize(
    "box", [[0, 10, 20, 20], [10, 10, 0, 20], [np.inf, 10, 20, 20], [500, 10, 20, 20], [10, 10, 400, 20], [-5, 9, 3, 3]]
)
def test_a_box_that_cannot_be_of_its_picture_is_no_instant(box: list[float]) -> None:
    truth = np.array([[10.0, 10, 20, 20], box, [10, 10, 20, 20]])
    assert Instants.of(clip_of("dog", truth), SIZE).frames.tolist() == [0, 2]


def test_windows_depend_neither_on_other_sequences_nor_on_how_many_there_are(world: Path) -> None:
    every, alone = windows_of(world, windows=6), windows_of(world, only=("bee",), windows=7)
    assert [(each.name, each.count) for each in every] == [("ant", 2), ("bee", 2), ("cat", 2)]
    assert alone[0].count == 7
    assert alone[0].draws[:2] == every[1].draws
    assert all(same(sample(alone[0], number), sample(every[1], number)) for number in range(2))
    assert len({str(each.draws) for each in every}) == 3


def test_windows_depend_on_the_seed_and_numbers_differ(world: Path) -> None:
    first, other = windows_of(world)[0], windows_of(world, seed=1)[0]
    assert not same(sample(first, 0), sample(other, 0))
    assert not same(sample(first, 0), sample(first, 1))


@pytest.mark.parametrize("tracker", BASE_TRACKERS)
def test_the_true_box_lies_where_the_target_is_seen(world: Path, tracker: str) -> None:
    for windows in windows_of(world, tracker, windows=9):
        for number in range(windows.count):
            shown = sample(windows, number)
            for name, size in zip(("reference", "test"), geometry_of(tracker).sizes):
                assert shown[name].shape == (3, size, size)
                box, centre = shown[f"{name}_box"], np.arange(size) + 0.5
                inside = [(centre > low) & (centre < low + side) for low, side in zip(box[:2], box[2:])]
                wanted, seen = inside[1][:, None] & inside[0][None], shown[name].mean(0) > MARK - 80
                if wanted.sum() > 100:
                    assert (seen & wanted).sum() / (seen | wanted).sum() > 0.8


@pytest.mark.parametrize("tracker", BASE_TRACKERS)
def test_windows_are_jittered_as_in_training(world: Path, tracker: str) -> None:
    spec, windows = geometry_of(tracker), windows_of(world, tracker)[0]
    truth = windows.footage.clip.truth
    for branch, name in enumerate(("reference", "test")):
        box, rng = truth[windows.draws[0][branch]], stream(0, f"ant|{name}", 0)
        expected = windowing_of(spec).window(branch, box, SIZE, rng, True).to_window(box)
        np.testing.assert_allclose(sample(windows, 0)[f"{name}_box"], expected, atol=1e-3)


def test_the_kept_box_is_the_reference_s_place_and_size_in_the_picture(world: Path) -> None:
    windows = windows_of(world)[0]
    shown, truth = sample(windows, 0), windows.footage.clip.truth
    reference, test = (truth[frame] for frame in windows.draws[0])
    assert iou(shown["kept_box"], shown["test_box"]) == pytest.approx(iou(reference, test), abs=1e-3)
    assert iou(shown["displaced_box"], shown["test_box"]) == pytest.approx(0.75**2 / (2 - 0.75**2), abs=1e-4)
    assert shown["noise"].shape == (2, NOISE, 4)


def test_windows_of_two_sizes_show_the_same(world: Path) -> None:
    small, large = (windows_of(world, window=size)[0] for size in (96, 288))
    assert small.draws == large.draws
    np.testing.assert_allclose(sample(small, 1)["test_box"] * 3, sample(large, 1)["test_box"], atol=1e-3)


def test_the_key_is_of_all_that_windows_depend_on(tmp_path: Path) -> None:
    root = write_sequences(tmp_path, "ant", "bee")

    def key(tracker: str = "dimp18", window: int | None = None, **changes: Any) -> str:
        return key_of(tracker, geometry_of(tracker, window), windows_of(root, tracker, window, **changes))

    known = key()
    assert key() == known
    others = [key("atom"), key(window=160), key(seed=1), key(windows=6), key(only=("ant",))]
    picture = root / "ant/img" / f"{windows_of(root)[0].draws[0][0] + 1:04d}.png"
    picture.write_bytes((root / "bee/img/0001.png").read_bytes())
    others.append(key())
    truth = boxes("bee", 40)
    truth[windows_of(root)[1].draws[0][1], 2] += 1
    np.savetxt(root / "bee/groundtruth_rect.txt", truth, fmt="%g", delimiter=",")
    others.append(key())
    assert len({known, *others}) == 8


def test_footage_holds_the_range_of_the_first_frame_that_shows_anything(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path, "deep", deep=True)
    cv2.imwrite(str(folder / "img/0001.png"), np.full(SIZE[::-1], 7000, np.uint16))
    (windows,) = windows_of(tmp_path)
    low, high = windows.footage.tir_range or (0, 0)
    assert windows.footage.kind == "deep"
    assert 7000 + 20 * 20 <= low < high <= 7000 + 20 * MARK
    (fixed,) = windows_of(tmp_path, tir_range=(7000, 12000))
    assert fixed.footage.tir_range == (7000, 12000)
    assert read_shots(fixed.footage, [5]).frames[5].max() == round(MARK * 20 * 255 / 5000)
    assert Footage.of(windows.footage.clip, None).size == SIZE
