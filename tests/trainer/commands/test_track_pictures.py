"""What cmd-track draws, and frames of 16 bits and in colour."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ...conftest import done, told
from ..track_world import BOX, World, world, write_sequence

__all__ = ["world"]


def test_boxes_are_drawn_where_asked_also_for_what_is_tracked(world: World) -> None:
    done(world.track("--sequences", "car"))
    world.seen.frames.clear()
    done(world.track("--sequences", "car", "--save-frames", "--save-video"))
    assert not world.seen.frames
    names = {path.name for path in (world.out / "frames/car").iterdir()}
    assert names == {f"{number}.jpg" for number in range(1, 6)}
    drawn = cv2.imread(str(world.out / "frames/car/5.jpg"))
    assert drawn is not None
    assert drawn.shape == (49, 64, 3)
    x, y, _, h = BOX.astype(int)
    blue, _, red = (int(value) for value in drawn[y + h // 2, x + 4])
    assert blue > red + 60, "the left edge of the tracker's box in frame 5"
    assert [path.name for path in (world.out / "videos").iterdir()] == ["car.webm"]
    clip = cv2.VideoCapture(str(world.out / "videos/car.webm"))
    assert (clip.get(cv2.CAP_PROP_FRAME_COUNT), clip.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (5, 50)
    assert int(clip.get(cv2.CAP_PROP_FOURCC)) == cv2.VideoWriter.fourcc(*"VP90"), "MPEG-4 part 2 plays in no browser"


def test_sixteen_bit_frames_reach_the_tracker_as_they_are(world: World, caplog: pytest.LogCaptureFixture) -> None:
    write_sequence(world.root, "deep", 4, deep=True)
    run = world.run(tir_ranges=["8-bit", [7000, 9000]])
    done(world.track("--weights", run, "--sequences", "deep", "--save-frames"))
    assert all(frame.dtype == np.uint16 for frame in world.seen.frames)
    drawn = cv2.imread(str(world.out / "frames/deep/1.jpg"), cv2.IMREAD_GRAYSCALE)
    assert drawn is not None
    assert drawn[40, 40] < 10
    assert drawn[15, 14] > 240
    assert "taken as 16-bit TIR of a range found in each sequence, but the weights learnt from 8-bit" in caplog.text


def test_colour_is_tracked_and_drawn_in_colour_and_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_sequence(world.root, "street", 3) / "img"
    red = np.zeros((49, 64, 3), np.uint8)
    red[..., 2] = 200
    for number in range(1, 4):
        cv2.imwrite(str(folder / f"{number}.png"), red)
    words = ("--sequences", "car,street", "--weights", world.run(tir_ranges=["8-bit"]), "--save-frames")
    told(world.track(*words), 3, "in colour, not TIR in grey: street", "--modality rgb")
    assert not world.out.exists()
    done(world.track(*words, "--modality", "rgb"))
    assert [frame.shape for frame in world.seen.frames] == [(49, 64)] * 5 + [(49, 64, 3)] * 3
    assert world.seen.frames[-1][0, 0].tolist() == [200, 0, 0]
    drawn = cv2.imread(str(world.out / "frames/street/1.jpg"))
    assert drawn is not None
    assert drawn[45, 60, 2] > 180 > 40 > drawn[45, 60, 0]
    assert "warning: in colour, and tracked so: street" in caplog.text
    assert "taken as colour pictures, R, G, B, but the weights learnt from 8-bit TIR" in caplog.text
