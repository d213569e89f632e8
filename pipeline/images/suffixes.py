"""What a picture's file is called at its end, as its first bytes tell."""

from __future__ import annotations

import re

from pipeline.images.headers import UnreadableImageError

_BEGINNINGS = {
    ".jpg": rb"\xff\xd8",
    ".png": rb"\x89PNG\r\n\x1a\n",
    ".tif": rb"II\*\0|MM\0\*",
    ".webp": rb"RIFF.{4}WEBP",
    ".jp2": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    ".bmp": rb"BM",
}


def picture_suffix(data: bytes, name: str) -> str:
    """The suffix, such as ``.jpg``, of a picture's bytes; ``name`` is what an error calls it.

    Raises:
        UnreadableImageError: they begin as no picture does that pairs may be.
    """
    for suffix, beginning in _BEGINNINGS.items():
        if re.match(beginning, data, re.DOTALL):
            return suffix
    raise UnreadableImageError(f"{name}: begins as no picture does")
