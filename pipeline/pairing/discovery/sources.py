"""Where a picture's bytes are.

A locator names a file below the root, or a part of one:

- ``set00/V000/visible/I00000.jpg``: the file itself;
- ``images/00001D.png#rgb``, ``images/00001D.png#3``: the first three channels, or the one channel (from 0), of a
  four-channel picture, as R, G, B, A;
- ``visible/0831_1012.mp4#frame=12``: one frame of a clip, counted from 0.

A plain locator ends in a picture's extension, so a ``#`` in a file's name cannot be taken for a part.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DataError
from pipeline.files.plain import stamp
from pipeline.images import UnreadableImageError, decode, encode, read_bytes, read_with_state, to_rgb
from pipeline.records import inside_root

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov"})
_PART = re.compile(r"(?P<path>.+)#(?:(?P<channel>rgb|\d)|frame=(?P<frame>\d{1,9}))")


def file_of(locator: str) -> str:
    """The path, below the root, of the file that a locator names or names a part of."""
    part = _PART.fullmatch(locator)
    return part["path"] if part else locator


def load_side(root: Path, locator: str) -> bytes:
    """The encoded picture that a locator names; errors as :func:`load_with_state`."""
    return load_with_state(root, locator)[0]


def load_with_state(root: Path, locator: str) -> tuple[bytes, os.stat_result | None]:
    """The encoded picture that a locator names: the file's own bytes and its state, or the part as a lossless PNG.

    Raises:
        DataError: the locator leads out of the root.
        UnreadableImageError: no such file, or no such part in it.
    """
    part = _PART.fullmatch(locator) if "#" in locator else None
    path = resolve(root, part["path"] if part else locator)
    if part is None:
        return read_with_state(path)
    if part["channel"]:
        return _channels(read_bytes(path), part["channel"], locator), None
    frame = _clip(str(path), stamp(path), os.getpid()).read(int(part["frame"]))
    return encode(to_rgb(frame, locator), ".png"), None


def resolve(root: Path, path: str) -> Path:
    """The file below the root that a POSIX path names.

    Raises:
        DataError: it leads out of the root, by ``..`` or by a symbolic link.
    """
    try:
        full = root / inside_root(path)
    except ValueError as error:
        raise DataError(f"{error}: name files below {root}") from error
    try:
        # A folder's pictures lie where it lies, but for those that are links themselves.
        inside = _inside(full, root) if full.is_symlink() else _folder_inside(root, path.rpartition("/")[0])
    except (OSError, RuntimeError) as error:
        raise DataError(f"{full}: cannot be reached: {error}") from error
    if not inside:
        raise DataError(f"{full}: symbolic link leads out of {root}: copy or hard-link the file")
    return full


def _inside(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


@lru_cache(maxsize=256)
def _folder_inside(root: Path, folder: str) -> bool:
    return _inside(root / folder, root)


def _channels(data: bytes, channel: str, name: str) -> bytes:
    """Some channels of a four-channel picture, as PNG."""
    image = decode(data, name)
    if image.ndim != 3 or image.shape[2] != 4:
        raise UnreadableImageError(f"{name}: expected 4 channels, found {1 if image.ndim == 2 else image.shape[2]}")
    if image.dtype != np.uint8:
        raise UnreadableImageError(f"{name}: pixels are {image.dtype}, expected uint8")
    if channel == "rgb":
        return encode(to_rgb(image, name), ".png")
    if int(channel) > 3:
        raise UnreadableImageError(f"{name}: no channel {channel} in a picture of 4")
    plane = (2, 1, 0, 3)[int(channel)]
    return encode(np.ascontiguousarray(image[..., plane]).astype(np.uint8, copy=False), ".png")


class Clip:
    """A video read forwards: seeking lands on the wrong frame with many codecs, so going back starts again."""

    def __init__(self, path: str) -> None:
        """Open a clip.

        Raises:
            UnreadableImageError: it is missing or no video.
        """
        self.path = path
        self._video = cv2.VideoCapture(path)
        self._next = 0
        if not self._video.isOpened():
            raise UnreadableImageError(f"cannot open video {path}: restore the file")

    def rate(self) -> float:
        """Frames a second as the container says; 0 where it does not."""
        fps = self._video.get(cv2.CAP_PROP_FPS)
        return fps if 0 < fps < 1e6 else 0.0

    def stamps(self, *, decoded: bool) -> list[float]:
        """When each frame is shown, in seconds as the container stamps them, sorted.

        Args:
            decoded: count frames as :meth:`read` does; without it, packets are counted, a hundred times as fast.
        """
        self._restart()
        if not decoded:
            self._video.set(cv2.CAP_PROP_FORMAT, -1)
        stamps = []
        while self._video.grab():
            stamps.append(self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        self._restart()
        return sorted(stamps)

    def _restart(self) -> None:
        self._video.release()
        self._video, self._next = cv2.VideoCapture(self.path), 0

    def read(self, index: int) -> NDArray[np.uint8]:
        """Frame ``index`` as (H, W, 3) uint8 B, G, R.

        Raises:
            UnreadableImageError: the clip ends before it, or is damaged there.
        """
        if index < self._next:
            self._restart()
        while self._next < index and self._video.grab():
            self._next += 1
        done, frame = self._video.read() if self._next == index else (False, None)
        if not done or frame is None:
            # How far the decoder got is not known; from the start, the next frame is the same in every process.
            self._restart()
            raise UnreadableImageError(f"{self.path}: no frame {index}: the clip ends or is damaged there")
        self._next += 1
        return frame.astype(np.uint8, copy=False)


@lru_cache(maxsize=4)
def _clip(path: str, _file: tuple[int, ...], _process: int) -> Clip:
    """An open clip of this process, as the file is now; a forked child must not share its parent's file position."""
    return Clip(path)
