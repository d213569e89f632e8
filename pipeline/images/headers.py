"""How files of pictures are read and refused, and what the header of a JPEG says."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import cv2

from pipeline.errors import DataError
from pipeline.files import plain

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".jp2"})
MAX_PIXELS = 100_000_000
MAX_BYTES = 8 * MAX_PIXELS
"""Largest file accepted: that many pixels of four channels and 16 bits, not compressed."""
MAX_SEGMENTS = 10_000
"""Segments before the scan of a JPEG; a real one has some dozens."""
REMEDY = "restore the file or drop the pair"
_END = b"\xff\xd9"
_MARKER = re.compile(rb"\xff[^\xff]", re.DOTALL)
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)


class UnreadableImageError(DataError):
    """A file that is not a whole picture of its kind; the message names the file and the fault.

    Attributes:
        reason: the code under which a pair is left out for it.
    """

    reason: ClassVar[Literal["decode", "false_colour", "changed"]] = "decode"


class FalseColourError(UnreadableImageError):
    """A thermal picture whose values are colours of a palette."""

    reason = "false_colour"


class ChangedFileError(UnreadableImageError):
    """A file that holds other bytes than when it was looked at."""

    reason = "changed"


def refusal(error: cv2.error) -> str:
    """What OpenCV says of pixels that it cannot work on, in one line."""
    return f"OpenCV cannot work on it: {' '.join((getattr(error, 'err', '') or str(error)).split())}"


class Frame(NamedTuple):
    """What the frame header of a JPEG says, and where the first scan starts of one that is progressive, else 0."""

    width: int
    height: int
    channels: int
    scans: int = 0


def read_bytes(path: Path) -> bytes:
    """Read a file; errors as :func:`read_with_state`."""
    return read_with_state(path)[0]


def read_with_state(path: Path) -> tuple[bytes, os.stat_result]:
    """Read a file, and its state when it had been read.

    Raises:
        UnreadableImageError: it cannot be opened, is no plain file, or is larger than :data:`MAX_BYTES`.
    """
    try:
        return plain.read_with_state(path, MAX_BYTES)
    except OSError as error:
        raise UnreadableImageError(f"cannot read {path}: {error.strerror or error}") from error


def is_jpeg(data: bytes) -> bool:
    """Whether bytes begin as a JPEG does."""
    return data[:2] == b"\xff\xd8"


def jpeg_frame(data: bytes, name: str) -> Frame:
    """The frame header of a JPEG whose entropy-coded scan reaches its end marker.

    Raises:
        UnreadableImageError: there is none, or no end.
    """
    at, frame, progressive = 2, None, False
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None or found.end() + 2 > len(data):
            break
        at = found.end()
        marker, length = data[at - 1], data[at] << 8 | data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and at + 8 <= len(data):
            height, width, channels = struct.unpack_from(">HHB", data, at + 3)
            frame, progressive = Frame(width, height, channels), marker in _PROGRESSIVE
        if marker == 0xDA:
            # Inside a scan 0xFF is always escaped, so this pair of bytes can only be the end of the picture.
            if frame and (data.endswith(_END, at + length) or data.find(_END, at + length) >= 0):
                return frame._replace(scans=at - 2) if progressive else frame
            break
        at += length
    raise UnreadableImageError(f"{name}: JPEG is truncated: {REMEDY}")


def refuse_enormous(width: int, height: int, name: str) -> None:
    """Refuse a picture before memory is asked for that it does not fill.

    Raises:
        UnreadableImageError: it claims more than :data:`MAX_PIXELS`.
    """
    if width * height > MAX_PIXELS:
        raise UnreadableImageError(f"{name}: claims {width}x{height} pixels, more than the limit of {MAX_PIXELS}")
