"""Drawn frames as a video that a browser plays: VP9, or H.264 where there is an encoder; or as an animated picture."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from PIL import Image, features

from pipeline.errors import CmdTirError, DataError, UsageError
from pipeline.files.writing import written
from pipeline.images import Rgb
from pipeline.pages.drawing import fit_width
from pipeline.runtime.console import hushed

VideoFormat = Literal["webm", "mp4", "webp"]
FORMATS: tuple[VideoFormat, ...] = ("webm", "mp4", "webp")
FOLDER, FPS = "videos", 25.0
WIDTH, EVERY = 480, 2
"""An animated picture is for pages and mail: at most this wide, and every second frame."""
_CODECS = {"webm": ("VP9", "VP90"), "mp4": ("H.264", "avc1")}
"""What browsers play in such a file, and its name for OpenCV."""

Show = Callable[[Rgb], None]


def video_file(out: Path, name: str, kind: VideoFormat) -> Path:
    """The video of a sequence under the folder of the results."""
    return out / FOLDER / f"{name}.{kind}"


def refuse_unable(kind: VideoFormat) -> None:
    """See to it that videos of a kind can be written here, before there is one to write.

    Raises:
        UsageError: they cannot.
    """
    if kind == "webp":
        if not features.check("webp"):
            raise UsageError("--save-video webp: this Pillow cannot write WebP: use --save-video webm")
        return
    with tempfile.TemporaryDirectory() as folder:
        if _open(Path(folder) / f"one.{kind}", kind, (64, 64)) is None:
            others = " or ".join(other for other in FORMATS if other not in (kind, "mp4"))
            raise UsageError(
                f"--save-video {kind}: this OpenCV has no encoder of {_CODECS[kind][0]}: use --save-video {others}"
            )


@contextlib.contextmanager
def video(out: Path, name: str, kind: VideoFormat) -> Iterator[Show]:
    """A function that adds a frame to the new video of a sequence.

    Raises:
        DataError: the name is not UTF-8.
        CmdTirError: it cannot be written.
    """
    file = video_file(out, name, kind)
    file.parent.mkdir(parents=True, exist_ok=True)
    with _animated(file) if kind == "webp" else _encoded(file, kind) as show:
        yield show


@contextlib.contextmanager
def _encoded(file: Path, kind: VideoFormat) -> Iterator[Show]:
    """A video by OpenCV."""
    try:
        str(file).encode()
    except UnicodeEncodeError as error:
        # OpenCV takes the process down on such a name.
        raise DataError(f"{file}: no video, as its name is not UTF-8: rename it, or use --save-video webp") from error
    writer: cv2.VideoWriter | None = None
    shown = 0
    # OpenCV tells the format by the extension.
    with written(file, suffix=f".{kind}") as part:

        def show(picture: Rgb) -> None:
            nonlocal writer, shown
            # An odd column or row would be cut off: the codecs keep colour for blocks of 2x2 pixels.
            height, width = picture.shape[:2]
            even = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
            writer = writer or _open(part, kind, (even.shape[1], even.shape[0]))
            if writer is None:
                raise CmdTirError(f"{file}: OpenCV cannot write this video: use --save-frames")
            writer.write(cv2.cvtColor(even, cv2.COLOR_RGB2BGR))
            shown += 1

        yield show
        if writer:
            writer.release()
        # OpenCV says nothing of a disk that was full.
        if (kept := _frames(part)) != shown:
            raise CmdTirError(f"{file}: only {kept} of {shown} frames were written: free space on the disk")


def _open(file: Path, kind: VideoFormat, size: tuple[int, int]) -> cv2.VideoWriter | None:
    """A writer of frames of a size (width, height); None where OpenCV has no encoder."""
    writer = cv2.VideoWriter()
    # It tells of tags that need no mending, and of each encoder that it tried.
    with hushed():
        opened = writer.open(str(file), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*_CODECS[kind][1]), FPS, size)
    return writer if opened else None


def _frames(file: Path) -> int:
    """How many frames a player finds."""
    found = 0
    with hushed():
        reader = cv2.VideoCapture(str(file))
        while reader.grab():
            found += 1
    return found


@contextlib.contextmanager
def _animated(file: Path) -> Iterator[Show]:
    """An animated WebP by Pillow, which wants all its frames at once."""
    frames: list[Image.Image] = []
    shown = 0

    def show(picture: Rgb) -> None:
        nonlocal shown
        if shown % EVERY == 0:
            frames.append(Image.fromarray(np.ascontiguousarray(fit_width(picture, WIDTH))))
        shown += 1

    with written(file) as part:
        yield show
        first, *others = frames
        first.save(part, "WEBP", save_all=True, append_images=others, duration=round(1000 * EVERY / FPS), loop=0)
