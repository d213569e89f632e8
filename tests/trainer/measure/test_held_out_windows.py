"""Windows of a target at two instants, and what answers start from."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from pipeline.boxes import iou
from trainer.data.feeds import Feeding
from trainer.data.shards import Source, open_source
from trainer.data.split import Split
from trainer.data.training_data import TrainingData
from trainer.measure.held_out_windows import HeldOutWindows
from trainer.measure.instants import instants_of
from trainer.recipes.geometry import geometry_of
from trainer.recipes.settings import make_settings

from ..train_world import MARK, tracked, write_world

BOTH, JOINED = Feeding(("rgb", "tir"), ("rgb", "tir")), Feeding(("rgb-tir",), ("tir-rgb",))
NOISE = 3


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return open_source((write_world(tmp_path_factory.mktemp("shards"), tracked(sequences=4, frames=5)),))


def windows(
    source: Source, feeding: Feeding = BOTH, samples: int = 30, size: int | None = 288, tracker: str = "dimp18"
) -> HeldOutWindows:
    pairs = np.arange(len(source.names))
    spec = geometry_of(tracker)
    spec = dataclasses.replace(spec, size=size or spec.size)
    data = TrainingData(make_settings({"recipe": "d3"}), spec, feeding, source, pairs, pairs, Split(0.1, 0, {}))
    return HeldOutWindows(data, instants_of(source, pairs), feeding, samples=samples, seed=3, noise=NOISE)


def test_each_window_shows_its_own_instant_and_its_own_box(source: Source) -> None:
    made = windows(source)
    apart = 0
    for number in range(12):
        sample = made[number]
        _, reference, test = made.instants.draw(number, 3)
        assert reference != test
        for branch in ("reference", "test"):
            box, centre = sample[f"{branch}_box"], np.arange(288) + 0.5
            inside = [(centre > low) & (centre < low + side) for low, side in zip(box[:2], box[2:])]
            wanted, shown = inside[1][:, None] & inside[0][None], sample[f"{branch}_tir"].mean(0) > MARK - 80
            if wanted.sum() > 400:
                assert (shown & wanted).sum() / (shown | wanted).sum() > 0.8
        apart += not np.allclose(sample["reference_box"], sample["test_box"], atol=4)
    assert apart == 12


def test_the_kept_box_is_the_reference_s_place_and_size_in_the_picture(source: Source) -> None:
    made = windows(source)
    for number in range(12):
        sample = made[number]
        _, reference, test = made.instants.draw(number, 3)
        first, second = source.box[reference], source.box[test]
        scale = sample["test_box"][2] / second[2]
        expected = np.concatenate([sample["test_box"][:2] + (first[:2] - second[:2]) * scale, first[2:] * scale])
        np.testing.assert_allclose(sample["kept_box"], expected, atol=0.01)
        assert iou(sample["kept_box"], sample["test_box"]) == pytest.approx(iou(first, second), abs=1e-3)
        assert iou(sample["displaced_box"], sample["test_box"]) == pytest.approx(0.75**2 / (2 - 0.75**2), abs=1e-4)
        assert sample["noise"].shape == (2, NOISE, 4)
        assert np.abs(sample["noise"]).max() <= 0.5


def test_the_kept_box_is_stretched_as_its_window_is(source: Source) -> None:
    made = windows(source, size=None, tracker="nanotrack_v2")
    for number in range(8):
        sample = made[number]
        _, reference, test = made.instants.draw(number, 3)
        first, second = source.box[reference], source.box[test]
        np.testing.assert_allclose(sample["kept_box"][2:] / sample["test_box"][2:], first[2:] / second[2:], rtol=1e-4)
        assert iou(sample["kept_box"], sample["test_box"]) == pytest.approx(iou(first, second), abs=1e-3)


def test_pictures_that_are_decoded_smaller_change_no_box(tmp_path: Path) -> None:
    source = open_source((write_world(tmp_path, tracked(sequences=2, frames=5, suffix=".jpg")),))
    made = windows(source, size=64)
    for number in range(8):
        sample = made[number]
        _, reference, test = made.instants.draw(number, 3)
        assert iou(sample["kept_box"], sample["test_box"]) == pytest.approx(
            iou(source.box[reference], source.box[test]), abs=1e-3
        )


def test_windows_are_the_same_however_they_are_fed_and_however_many_there_are(source: Source) -> None:
    every = windows(source)
    for other in (windows(source, Feeding(("tir",), ("rgb",))), windows(source, samples=9)):
        for number in range(6):
            one, two = every[number], other[number]
            shared = one.keys() & two.keys()
            assert {"reference_tir", "test_rgb", "kept_box", "noise", "proposals", "sequence"} <= shared
            for key in shared:
                np.testing.assert_array_equal(one[key], two[key])


def test_joined_pictures_have_joined_targets(source: Source) -> None:
    plain, joined = windows(source), windows(source, JOINED)
    for number in range(6):
        _, reference, test = plain.instants.draw(number, 3)
        sample = joined[number]
        ratio = source.box[test, 2] / source.box[test, 3]
        assert sample["test_box"][2] / sample["test_box"][3] == pytest.approx(2 * ratio, rel=0.1)
        wider = source.box[reference, 2] / source.box[reference, 3]
        assert sample["kept_box"][2] / sample["kept_box"][3] == pytest.approx(2 * wider, rel=0.1)


def test_the_borders_box_is_told_by_the_edges_of_the_picture(source: Source) -> None:
    """Of windows that hold the whole picture, edges tell its scale: that of the median target, whatever the jitter."""
    made = windows(source, size=144)
    made.windowing.spec = dataclasses.replace(made.spec, factor=40.0)
    told = made[0]["borders_box"]
    for number in range(1, 9):
        sample, area = made[number], made.framed(number)[1].area
        assert (area[:2] > 0).all()
        box = sample["borders_box"]
        assert np.isfinite(box).all()
        np.testing.assert_allclose(box[2:] / area[2:], told[2:] / made.framed(0)[1].area[2:], rtol=1e-4)
        np.testing.assert_allclose(
            (box[:2] - area[:2]) / area[2:],
            (told[:2] - made.framed(0)[1].area[:2]) / made.framed(0)[1].area[2:],
            atol=1e-4,
        )
