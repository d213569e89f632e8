"""Frames with the tracker's box and the truth, for people: pictures or a video."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from pipeline import images
from pipeline.boxes import corners
from pipeline.files.writing import write_bytes
from pipeline.images import Rgb
from pipeline.pages.drawing import outline
from trainer.sequences.dataset import Clip
from trainer.sequences.frames import read_frames
from trainer.sequences.rows import Boxes
from trainer.sequences.thermal import FrameReader
from trainer.track import videos
from trainer.track.videos import VideoFormat

TRUTH, TRACKED = (240, 228, 66), (0, 170, 255)
"""Yellow and blue: apart for colour-blind eyes, and on any grey."""
WHITE, FONT = (255, 255, 255), cv2.FONT_HERSHEY_SIMPLEX
FRAMES = "frames"


def is_drawn(clip: Clip, out: Path, *, frames: bool, video: VideoFormat | None) -> bool:
    """Whether what is asked for is there."""
    pictures = all((out / FRAMES / clip.name / f"{path.stem}.jpg").is_file() for path in clip.pictures)
    return (not frames or pictures) and (not video or videos.video_file(out, clip.name, video).is_file())


def draw(
    clip: Clip,
    boxes: Boxes,
    tir_range: tuple[float, float] | None,
    out: Path,
    *,
    frames: bool,
    video: VideoFormat | None,
) -> None:
    """Write ``frames/<sequence>/*.jpg``, or a video of the sequence, under ``out``, as the tracker sees the frames.

    Args:
        clip: the sequence.
        boxes: (T, 4), the tracker's.
        tir_range: 16-bit values that become 0 and 255; None: percentiles of the first frame.
        out: folder of the results.
        frames: write pictures.
        video: write a video of this kind.

    Raises:
        DataError: a picture cannot be read, or the video's name is not UTF-8.
        CmdTirError: the video cannot be written.
    """
    folder = out / FRAMES / clip.name
    with videos.video(out, clip.name, video) if video else contextlib.nullcontext() as show:
        for path, picture in zip(clip.pictures, _drawn(clip, boxes, tir_range)):
            if frames:
                folder.mkdir(parents=True, exist_ok=True)
                write_bytes(folder / f"{path.stem}.jpg", images.encode(picture, ".jpg"))
            if show:
                show(picture)


def _drawn(clip: Clip, boxes: Boxes, tir_range: tuple[float, float] | None) -> Iterator[Rgb]:
    """Each frame with the truth, the tracker's box on top of it, and what they are."""
    reader = FrameReader(tir_range)
    frames = read_frames(clip.pictures)
    for number, ((_, frame), truth, box) in enumerate(zip(frames, clip.truth, boxes), 1):
        picture = reader.read(frame)
        for shape, colour in ((truth, TRUTH), (box, TRACKED)):
            if np.isfinite(shape).all():
                picture = outline(picture, corners(shape), colour)
        _label(picture, number)
        yield picture


def _label(picture: Rgb, number: int) -> None:
    """Write the frame's number, and whose box is which, into the upper left corner."""
    scale = max(picture.shape[1] / 1000, 0.35)
    left = 6
    for text, colour in ((f"#{number}", WHITE), ("truth", TRUTH), ("tracker", TRACKED)):
        cv2.putText(picture, text, (left, round(32 * scale)), FONT, scale, colour, 1, cv2.LINE_AA)
        left += cv2.getTextSize(text, FONT, scale, 1)[0][0] + round(20 * scale)
