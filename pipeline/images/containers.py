"""Files that can hold more than one picture, and whose size Pillow tells: TIFF, WebP, JPEG 2000, BMP and others."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from PIL import Image, UnidentifiedImageError

from pipeline.images.headers import REMEDY, UnreadableImageError

T = TypeVar("T")
ORIENTATION, TURNED = 0x0112, range(2, 9)
"""The tag of TIFF and EXIF, and its values that ask for more than to show the picture as it is stored."""
LISTED = 4
"""Pages of which the size is told."""
# Kept now: ultralytics, once imported, puts one in its place that tries to install packages for what it cannot read.
_open_image = Image.open
# What Pillow raises on bytes that are no picture, or only nearly one.
_DAMAGED = (
    UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, KeyError, TypeError, IndexError, OverflowError,
    RuntimeError, struct.error, Image.DecompressionBombError,
)  # fmt: skip


def contained_size(data: bytes, name: str) -> tuple[int, int]:
    """(width, height) of the one picture in a file.

    Raises:
        UnreadableImageError: not a picture, or more than one: pages, or frames of an animation.
    """
    return _opened(data, f"{name}: not a picture that can be read", lambda image: _only(image, name))


def refuse_odd_tiff(data: bytes, name: str) -> None:
    """Look through a TIFF: OpenCV gives back what it could read of a compressed one, and obeys an orientation tag.

    Raises:
        UnreadableImageError: it is damaged, or has a tag that turns it.
    """
    if data[:4] in (b"II*\0", b"MM\0*"):
        _opened(data, f"{name}: damaged picture: {REMEDY}", lambda image: _load(image, name))


def exif_of(data: bytes, name: str) -> Mapping[int, Any]:
    """The EXIF tags of a picture, by number.

    Raises:
        UnreadableImageError: they cannot be read.
    """
    return _opened(data, f"{name}: EXIF data that cannot be read", lambda image: dict(image.getexif()))


def _opened(data: bytes, fault: str, work: Callable[[Image.Image], T]) -> T:
    try:
        with _open_image(io.BytesIO(data)) as image:
            return work(image)
    except UnreadableImageError:
        raise
    except _DAMAGED as error:
        raise UnreadableImageError(fault) from error


def _only(image: Image.Image, name: str) -> tuple[int, int]:
    pages = int(getattr(image, "n_frames", 1))
    size = image.size
    if pages == 1:
        return size
    sizes = []
    for page in range(min(pages, LISTED)):
        image.seek(page)
        sizes.append(f"page {page + 1}: {image.width}x{image.height}")
    told = ", ".join(sizes) + (", ..." if pages > LISTED else "")
    raise UnreadableImageError(f"{name}: holds {pages} pictures ({told}): save the one that is meant by itself")


def _load(image: Image.Image, name: str) -> None:
    if image.getexif().get(ORIENTATION, 1) in TURNED:
        raise UnreadableImageError(f"{name}: TIFF with an orientation tag that turns it: store it without")
    if image.info.get("compression") != "raw":
        image.load()
