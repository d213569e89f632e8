"""Locators: whole files verbatim, parts of files exactly, and nothing outside the root."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.errors import DataError
from pipeline.images import UnreadableImageError, decode, decode_rgb, decode_tir
from pipeline.pairing.discovery import sources
from pipeline.pairing.discovery.sources import Clip, file_of, load_side


@pytest.fixture
def four(tmp_path: Path) -> np.ndarray:
    image = np.random.default_rng(0).integers(0, 256, (12, 16, 4), np.uint8)
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return image


def test_plain_file_is_verbatim_and_may_hold_a_hash(tmp_path: Path) -> None:
    (tmp_path / "a#3.jpg").write_bytes(b"anything")
    assert load_side(tmp_path, "a#3.jpg") == b"anything"
    assert file_of("a#3.jpg") == "a#3.jpg"
    assert file_of("b#1.png#rgb") == "b#1.png"
    assert file_of("v.mp4#frame=12") == "v.mp4"


def test_channels_of_one_file(tmp_path: Path, four: np.ndarray) -> None:
    assert np.array_equal(decode_rgb(load_side(tmp_path, "a.png#rgb"), "a"), four[..., 2::-1])
    assert np.array_equal(decode_tir(load_side(tmp_path, "a.png#3"), "a"), four[..., 3])
    assert np.array_equal(decode_tir(load_side(tmp_path, "a.png#0"), "a"), four[..., 2])
    with pytest.raises(UnreadableImageError, match="no channel 7"):
        load_side(tmp_path, "a.png#7")


def test_three_channels_are_not_four(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes())
    with pytest.raises(UnreadableImageError, match="expected 4 channels, found 3"):
        load_side(tmp_path, "a.png#3")


def test_frames_of_a_clip_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for i in range(12):
        writer.write(np.full((48, 64, 3), 20 * i, np.uint8))
    writer.release()
    clip = Clip(str(path))
    assert clip.rate() == 25
    for decoded in (False, True):
        assert clip.stamps(decoded=decoded) == pytest.approx([i / 25 for i in range(12)])
        assert abs(float(clip.read(3).mean()) - 60) < 4
    for index in (0, 5, 4, 4, 11, 1):
        frame = decode(load_side(tmp_path, f"clip.avi#frame={index}"), "frame")
        assert abs(float(frame.mean()) - 20 * index) < 4
    with pytest.raises(UnreadableImageError, match="no frame 12"):
        load_side(tmp_path, "clip.avi#frame=12")
    assert abs(float(decode(load_side(tmp_path, "clip.avi#frame=2"), "frame").mean()) - 40) < 4


def grey_clip(path: Path, *levels: int) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for level in levels:
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    return path


def test_a_frame_behind_a_damaged_one_is_the_same_whatever_was_read_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = grey_clip(tmp_path / "c.avi", *range(0, 240, 20))
    opened = cv2.VideoCapture

    class Damaged:
        """A decoder that fails at frame 3 and is behind it then."""

        def __init__(self, name: str) -> None:
            self.video, self.at = opened(name), 0

        def grab(self) -> bool:
            self.at += 1
            return bool(self.video.grab())

        def read(self) -> tuple[bool, np.ndarray | None]:
            self.at += 1
            done, frame = self.video.read()
            return (False, None) if self.at == 4 else (done, frame)

        def __getattr__(self, name: str) -> object:
            return getattr(self.video, name)

    monkeypatch.setattr(cv2, "VideoCapture", Damaged)
    clip = Clip(str(path))
    with pytest.raises(UnreadableImageError, match="no frame 3"):
        clip.read(3)
    assert float(clip.read(4).mean()) == float(Clip(str(path)).read(4).mean())


def test_a_clip_that_is_written_again_is_read_again(tmp_path: Path) -> None:
    for level in (40, 200):
        grey_clip(tmp_path / "c.avi", *[level] * 4)
        frame = decode(load_side(tmp_path, "c.avi#frame=1"), "frame")
        assert abs(float(frame.mean()) - level) < 4
    # A child that is forked later must not be the one to close them: their decoder's threads are not in it.
    sources._clip.cache_clear()


@pytest.mark.parametrize(
    "locator", ["../x.jpg", "/etc/hostname", "a/../../x.png#3", "a\\..\\..\\x.jpg", "../x.mp4#frame=1"]
)
def test_locators_that_leave_the_root(tmp_path: Path, locator: str) -> None:
    with pytest.raises(DataError, match="leaves the data set's root"):
        load_side(tmp_path, locator)


def test_link_that_leaves_the_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.jpg").symlink_to("/etc/hostname")
    with pytest.raises(DataError, match="symbolic link leads out"):
        load_side(root, "a.jpg")


def test_missing_files(tmp_path: Path) -> None:
    for locator in ("no.jpg", "no.png#3", "no.mp4#frame=0"):
        with pytest.raises(UnreadableImageError, match="no"):
            load_side(tmp_path, locator)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_child_reads_its_own_clip(tmp_path: Path) -> None:
    import multiprocessing

    writer = cv2.VideoWriter(str(tmp_path / "c.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (32, 32))
    for i in range(6):
        writer.write(np.full((32, 32, 3), 40 * i, np.uint8))
    writer.release()
    load_side(tmp_path, "c.avi#frame=3")
    with multiprocessing.get_context("fork").Pool(1) as pool:
        data = pool.apply(load_side, (tmp_path, "c.avi#frame=5"))
    assert abs(float(decode(data, "frame").mean()) - 200) < 4
    assert abs(float(decode(load_side(tmp_path, "c.avi#frame=4"), "frame").mean()) - 160) < 4
