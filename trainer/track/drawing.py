"""Frames with the tracker's box and the truth, for people: pictures or a video."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from pipeline import images
from pipeline.boxes import corners
from pipeline.errors import CmdTirError, DataError
from pipeline.files.writing import write_bytes, written
from pipeline.images import Rgb
from pipeline.pages.drawing import outline
from trainer.sequences.dataset import Clip
from trainer.sequences.frames import read_frames
from trainer.sequences.rows import Boxes
from trainer.sequences.thermal import FrameReader

TRUTH, TRACKED = (240, 228, 66), (0, 170, 255)
"""Yellow and blue: apart for colour-blind eyes, and on any grey."""
WHITE, FONT = (255, 255, 255), cv2.FONT_HERSHEY_SIMPLEX
FRAMES, VIDEOS = "frames", "videos"
FPS = 25.0


def is_drawn(clip: Clip, out: Path, *, frames: bool, video: bool) -> bool:
    """Whether what is asked for is there."""
    pictures = all((out / FRAMES / clip.name / f"{path.stem}.jpg").is_file() for path in clip.pictures)
    return (not frames or pictures) and (not video or _video_file(clip, out).is_file())


def draw(
    clip: Clip, boxes: Boxes, tir_range: tuple[float, float] | None, out: Path, *, frames: bool, video: bool
) -> None:
    """Write ``frames/<sequence>/*.jpg`` or ``videos/<sequence>.mp4`` under ``out``, as the tracker sees the frames.

    Args:
        clip: the sequence.
        boxes: (T, 4), the tracker's.
        tir_range: 16-bit values that become 0 and 255; None: percentiles of the first frame.
        out: folder of the results.
        frames: write pictures.
        video: write a video, 25 frames a second.

    Raises:
        DataError: a picture cannot be read, or the video's name is not UTF-8.
        CmdTirError: OpenCV cannot write videos here.
    """
    folder = out / FRAMES / clip.name
    with _video(_video_file(clip, out)) if video else contextlib.nullcontext() as show:
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


def _video_file(clip: Clip, out: Path) -> Path:
    return out / VIDEOS / f"{clip.name}.mp4"


@contextlib.contextmanager
def _video(file: Path) -> Iterator[Callable[[Rgb], None]]:
    """A function that adds a frame to a new video.

    Raises:
        DataError: the name is not UTF-8.
        CmdTirError: OpenCV cannot write videos here.
    """
    try:
        str(file).encode()
    except UnicodeEncodeError as error:
        # OpenCV takes the process down on such a name.
        raise DataError(f"{file}: no video, as its name is not UTF-8: rename it, or use --save-frames") from error
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter()
    # OpenCV tells the format by the extension.
    with written(file, suffix=".mp4") as part:

        def show(picture: Rgb) -> None:
            # An odd column or row would be cut off: the codec keeps colour for blocks of 2x2 pixels.
            height, width = picture.shape[:2]
            even = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
            size = even.shape[1], even.shape[0]
            if not writer.isOpened() and not writer.open(str(part), cv2.VideoWriter.fourcc(*"mp4v"), FPS, size):
                raise CmdTirError(f"{file}: this OpenCV cannot write mp4: use --save-frames")
            writer.write(cv2.cvtColor(even, cv2.COLOR_RGB2BGR))

        yield show
        writer.release()
