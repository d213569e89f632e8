"""Frames of TIR come in one channel, colours as R, G, B, and a sequence is what its first frame is."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline import images
from pipeline.images import FalseColourError, UnreadableImageError
from trainer.sequences.frames import first_kind, read_frames

from ...conftest import draw_pair, shared
from ..track_world import picture

RGB, TIR = draw_pair(1)
STORED = np.repeat(TIR[..., None], 3, axis=2)
"""Grey, in three channels."""


def written(folder: Path, *pictures: NDArray[np.uint8] | NDArray[np.uint16], suffix: str = ".png") -> list[Path]:
    """Files of pictures in R, G, B order."""
    files = [folder / f"{number}{suffix}" for number in range(len(pictures))]
    for file, image in zip(files, pictures):
        cv2.imwrite(str(file), image if image.ndim == 2 else image[..., ::-1])
    return files


def read(files: list[Path]) -> list[NDArray[np.uint8] | NDArray[np.uint16]]:
    return [frame for _, frame in read_frames(files)]


def test_paths_come_with_their_frames(tmp_path: Path) -> None:
    files = written(tmp_path, picture(0), picture(1))
    assert [path for path, _ in read_frames(files)] == files
    for at, frame in enumerate(read(files)):
        np.testing.assert_array_equal(frame, picture(at))


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_grey_stored_in_three_channels_is_one_as_in_training(tmp_path: Path, suffix: str) -> None:
    (file,) = written(tmp_path, STORED, suffix=suffix)
    (frame,) = read([file])
    assert frame.shape == TIR.shape
    np.testing.assert_array_equal(frame, images.decode_tir(file.read_bytes(), "tir"))
    assert first_kind(file) == "grey"


def test_what_jpeg_and_a_coloured_mark_do_to_grey_makes_no_colour(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 4, STORED.shape)
    marked = np.clip(STORED.astype(int) + noise, 0, 255).astype(np.uint8)
    marked[4:12, 4:20] = (255, 0, 0)
    (file,) = written(tmp_path, marked)
    assert first_kind(file) == "grey"


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_colours_stay_in_r_g_b_order(tmp_path: Path, suffix: str) -> None:
    files = written(tmp_path, RGB, suffix=suffix)
    (frame,) = read(files)
    assert first_kind(files[0]) == "colour"
    assert frame.shape == RGB.shape
    assert np.abs(frame.astype(int) - RGB).mean() < 4
    assert np.abs(frame[..., ::-1].astype(int) - RGB).mean() > 8


def test_a_sequence_is_what_its_first_frame_is(tmp_path: Path) -> None:
    files = written(tmp_path, RGB, STORED)
    assert [frame.shape for frame in read(files)] == [RGB.shape, RGB.shape]
    for suffix in (".png", ".jpg"):
        mixed = written(tmp_path, STORED, RGB, suffix=suffix)
        with pytest.raises(FalseColourError, match=re.escape(f"{mixed[1]}: thermal picture in false colours")):
            read(mixed)


def test_a_frame_of_another_depth_fails_by_name(tmp_path: Path) -> None:
    for deep in ((True, False), (False, True)):
        files = written(tmp_path, *(picture(number, deep=each) for number, each in enumerate(deep)))
        with pytest.raises(UnreadableImageError, match=re.escape(str(files[1]))):
            read(files)


def test_sixteen_bits_stay_as_they_are(tmp_path: Path) -> None:
    (file,) = written(tmp_path, picture(0, deep=True))
    (frame,) = read([file])
    assert frame.dtype == np.uint16
    np.testing.assert_array_equal(frame, picture(0, deep=True))
    assert first_kind(file) == "deep"


def test_what_cannot_be_read_is_named_when_it_is_due(tmp_path: Path) -> None:
    files = written(tmp_path, picture(0), picture(1))
    files[1].write_bytes(files[1].read_bytes()[:60])
    frames = read_frames(files)
    next(frames)
    with pytest.raises(UnreadableImageError, match=r"1\.png: PNG is truncated"):
        next(frames)
    assert first_kind(files[1]) is None


def test_the_real_sequence_is_grey() -> None:
    folder = shared("samples/tir_sequences/airplane/img")
    assert first_kind(folder / "00000001.jpg") == "grey"
