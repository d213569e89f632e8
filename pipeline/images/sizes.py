"""The size of a picture, as its bytes claim it before they are decoded."""

from __future__ import annotations

import struct

from pipeline.images.containers import contained_size
from pipeline.images.headers import REMEDY, UnreadableImageError, is_jpeg, jpeg_frame, refuse_enormous


def picture_size(data: bytes, name: str) -> tuple[int, int]:
    """(width, height) in pixels as the header claims, for a file whose end is there and that holds one picture.

    Raises:
        UnreadableImageError: empty, truncated, not a picture, several, or over the limit of size.
    """
    width, height = _claimed_size(data, name)
    refuse_enormous(width, height, name)
    return width, height


def _claimed_size(data: bytes, name: str) -> tuple[int, int]:
    if not data:
        raise UnreadableImageError(f"{name}: file is empty: restore it or drop the pair")
    if is_jpeg(data):
        return jpeg_frame(data, name)[:2]
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _png_size(data, name)
    return contained_size(data, name)


def _png_size(data: bytes, name: str) -> tuple[int, int]:
    """(width, height) from the IHDR chunk of a PNG that ends with IEND; an animated one has a chunk that says so."""
    if len(data) < 33 or data.rfind(b"IEND") < 0:
        raise UnreadableImageError(f"{name}: PNG is truncated: {REMEDY}")
    if b"acTL" in data[: data.find(b"IDAT")]:
        return contained_size(data, name)
    width, height = struct.unpack_from(">II", data, 16)
    return width, height
