"""The EXIF orientation of a picture. It is ignored, since the other camera has none, but that is told."""

from __future__ import annotations

from pipeline.images.containers import ORIENTATION, TURNED, exif_of
from pipeline.images.headers import UnreadableImageError

FLAG = "exif_orientation"
"""Of an aligned pair with a picture that is turned."""
IGNORED = (
    "a picture whose EXIF orientation would turn it; it is ignored, so boxes drawn on the turned picture do not fit"
)
"""What that means, in words."""
_HEAD = 1 << 16
"""Bytes of a file in which EXIF data begin, where they are not at its end."""


def is_turned(data: bytes, name: str) -> bool:
    """Whether a viewer that obeys the orientation tag shows a picture turned or mirrored."""
    if not _may_have_exif(data):
        return False
    try:
        return exif_of(data, name).get(ORIENTATION, 1) in TURNED
    except UnreadableImageError:
        return False


def _may_have_exif(data: bytes) -> bool:
    """Looked at before a second library opens the file: most pictures have none. Turned TIFFs are refused."""
    if data[:4] in (b"RIFF", b"\x89PNG"):
        return b"EXIF" in data or b"eXIf" in data
    return data.find(b"Exif\0\0", 0, _HEAD) >= 0
