"""Videos that browsers play: whole, of every frame, without a word of OpenCV's, and refused before the work begins."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipeline.errors import CmdTirError, UsageError
from trainer.track import videos

from ...conftest import told
from ..track_world import World, world

__all__ = ["world"]


def pictures(count: int, width: int = 64) -> list[NDArray[np.uint8]]:
    """Frames of an odd height, each brighter than the one before."""
    return [np.full((49, width, 3), 10 + 5 * number, np.uint8) for number in range(count)]


def test_a_webm_has_every_frame_and_opencv_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shown = pictures(7)
    with videos.video(tmp_path, "a", "webm") as show:
        for picture in shown:
            show(picture)
    assert capfd.readouterr() == ("", "")
    (file,) = (tmp_path / "videos").iterdir()
    assert file == videos.video_file(tmp_path, "a", "webm")
    assert file.read_bytes()[:64].count(b"webm") == 1, "the document type that browsers ask for"
    clip = cv2.VideoCapture(str(file))
    for picture in shown:
        found, frame = clip.read()
        assert found
        assert frame.shape == (50, 64, 3), "padded to even sides"
        assert abs(float(frame.mean()) - float(picture.mean())) < 4
    assert not clip.read()[0]


def test_an_animated_picture_is_small_and_has_every_second_frame(tmp_path: Path) -> None:
    with videos.video(tmp_path, "a", "webp") as show:
        for picture in pictures(7, width=960):
            show(picture)
    with Image.open(videos.video_file(tmp_path, "a", "webp")) as picture:
        assert (picture.format, getattr(picture, "n_frames", 1), picture.width) == ("WEBP", 4, videos.WIDTH)
        means = []
        for number in range(4):
            picture.seek(number)
            means.append(float(np.asarray(picture.convert("RGB")).mean()))
    assert means == pytest.approx([10, 20, 30, 40], abs=3)


def test_a_video_that_lacks_frames_is_an_error_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenCV writes to a full disk without a word."""
    monkeypatch.setattr(videos, "_frames", lambda file: 2)
    what = r"a\.webm: only 2 of 3 frames were written: free space"
    with pytest.raises(CmdTirError, match=what), videos.video(tmp_path, "a", "webm") as show:
        for picture in pictures(3):
            show(picture)
    assert not list((tmp_path / "videos").iterdir())


@pytest.mark.parametrize(("kind", "others"), [("mp4", "webm or webp"), ("webm", "webp")])
def test_without_an_encoder_it_is_refused_before_anything_is_tracked(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str, others: str
) -> None:
    monkeypatch.setattr(videos, "_open", lambda *_: None)
    line = told(world.track("--save-video", kind), 2, f"--save-video {kind}: this OpenCV has no encoder")
    assert line.endswith(f"use --save-video {others}")
    assert not world.seen.frames
    assert not world.out.exists()


def test_h264_is_written_where_there_is_an_encoder(tmp_path: Path) -> None:
    try:
        videos.refuse_unable("mp4")
    except UsageError:
        pytest.skip("this OpenCV has no encoder of H.264")
    with videos.video(tmp_path, "a", "mp4") as show:
        for picture in pictures(5):
            show(picture)
    assert videos._frames(videos.video_file(tmp_path, "a", "mp4")) == 5
