"""Frames of 8 and 16 bits."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.sequences.thermal import FrameReader

GREY = np.random.default_rng(0).integers(0, 256, (20, 30)).astype(np.uint8)


def test_grey_becomes_three_equal_channels() -> None:
    read = FrameReader().read(GREY)
    assert read.shape == (20, 30, 3)
    assert (read == GREY[..., None]).all()


def test_colour_stays() -> None:
    rgb = np.dstack([GREY, GREY + 1, GREY + 2]).astype(np.uint8)
    np.testing.assert_array_equal(FrameReader().read(rgb), rgb)


def test_a_fixed_range_maps_its_ends() -> None:
    raw = np.array([[900, 1000], [2000, 3000]], np.uint16)
    reader = FrameReader((1000, 2000))
    assert reader.read(raw)[..., 0].tolist() == [[0, 0], [255, 255]]


def test_the_first_frames_percentiles_are_held() -> None:
    reader = FrameReader()
    first = (GREY.astype(np.uint16) * 20) + 7000
    dark = reader.read(first)
    assert reader.tir_range == (pytest.approx(np.percentile(first, 1)), pytest.approx(np.percentile(first, 99.9)))
    held = reader.tir_range
    brighter = reader.read(first + np.uint16(500))
    assert reader.tir_range == held
    assert brighter.mean() > dark.mean()


def test_a_flat_frame_gives_a_range() -> None:
    assert (FrameReader().read(np.full((4, 4), 9000, np.uint16)) == 0).all()


@pytest.mark.parametrize(
    "frame", [GREY.astype(np.float32), GREY[..., None], np.zeros((4, 4, 4), np.uint8), np.zeros(4, np.uint8)]
)
def test_other_frames_are_refused(frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match="frame is"):
        FrameReader().read(frame)


def test_a_sequence_has_one_size() -> None:
    reader = FrameReader()
    reader.read(GREY)
    with pytest.raises(ValueError, match="a sequence has one size"):
        reader.read(GREY[:10])


def test_a_flat_first_frame_does_not_decide_the_range() -> None:
    reader = FrameReader()
    scene = np.linspace(7000, 8000, 64 * 48).reshape(48, 64).astype(np.uint16)
    assert reader.read(np.full((48, 64), 7100, np.uint16)).max() == 0
    assert reader.tir_range is None
    assert np.array_equal(reader.read(scene), FrameReader().read(scene))
    held = reader.tir_range
    reader.read(scene + 500)
    assert reader.tir_range == held


def test_float_frames_need_a_range() -> None:
    frame = np.array([[10.0, 20, 30]], np.float32)
    assert FrameReader((10, 30)).read(frame)[0, :, 0].tolist() == [0, 128, 255]
    with pytest.raises(ValueError, match="--tir-range"):
        FrameReader().read(frame)
