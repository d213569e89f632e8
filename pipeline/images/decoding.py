"""Bytes to pixels. A decoder here returns a whole picture or raises; it never returns None or half a picture.

OpenCV decodes a JPEG that lost a part to a full-size picture that is partly grey, and it allocates whatever size a
header claims: neither is left to it.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images.containers import refuse_odd_tiff
from pipeline.images.headers import REMEDY, FalseColourError, UnreadableImageError, is_jpeg, jpeg_frame
from pipeline.images.jpeg import decode_jpeg
from pipeline.images.sizes import picture_size

Rgb = NDArray[np.uint8]
"""(H, W, 3) uint8, R, G, B order."""
Tir = NDArray[np.uint8]
"""(H, W) uint8."""


Raw = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.int16] | NDArray[np.float32]
"""(H, W) or (H, W, C), as a file holds it."""
COLOURLESS = 4.0
"""Grey levels by which channels differ on average at most where they are alike: what JPEG does to grey pictures that
are stored in colour, with a coloured mark on some."""


def check(data: bytes, name: str) -> tuple[int, int]:
    """(width, height) of a picture that was looked through whole, as cheaply as that can be done.

    Raises:
        UnreadableImageError: as :func:`decode`.
    """
    if is_jpeg(data):
        decode_jpeg(data, name, "GRAY", reduce=8)
        return picture_size(data, name)
    height, width = decode(data, name).shape[:2]
    return width, height


def check_tir(data: bytes, name: str, tir_range: tuple[float, float] | None = None) -> tuple[tuple[int, int], bool]:
    """:func:`check` of a thermal picture, and whether it has more than 8 bits.

    Raises:
        UnreadableImageError: as :func:`decode` and :func:`to_tir`.
    """
    if is_jpeg(data):
        to_tir(decode_jpeg(data, name, reduce=8), name, tir_range)
        return picture_size(data, name), False
    raw = decode(data, name)
    to_tir(raw, name, tir_range)
    return (raw.shape[1], raw.shape[0]), raw.dtype != np.uint8


def refuse_false_colours(data: bytes, name: str) -> None:
    """Look at the colours of a JPEG, of which :func:`decode_tir` sees the luminance alone.

    Raises:
        UnreadableImageError: as :func:`decode` and :func:`to_tir`.
    """
    if is_jpeg(data) and jpeg_frame(data, name).channels > 1:
        to_tir(decode_jpeg(data, name, reduce=8), name)


def chroma(picture: Raw) -> float:
    """Mean difference, in 8-bit levels, of the largest and smallest channel; 0 for one channel, or several alike."""
    if picture.ndim == 2 or picture.shape[2] < 3:
        return 0.0
    # Channel by channel, which is many times faster than along the last axis.
    first, second, third = (np.ascontiguousarray(picture[::4, ::4, channel]) for channel in range(3))
    largest = np.maximum(np.maximum(first, second), third)
    smallest = np.minimum(np.minimum(first, second), third)
    if picture.dtype == np.uint8:
        return float((largest - smallest).mean())
    return float((largest.astype(np.float64) - smallest).mean()) / 257


def in_colour(picture: Raw) -> bool:
    """Whether a picture has colours, and not merely several channels that are alike."""
    return chroma(picture) > COLOURLESS


def decode(data: bytes, name: str) -> Raw:
    """Decode a picture as it is stored: (H, W) or (H, W, C) in OpenCV's B, G, R order.

    Args:
        data: the file's bytes.
        name: what to call it in an error.

    Raises:
        UnreadableImageError: not a picture, damaged, over the limit of size, or neither of 8 nor 16 bits nor float32.
    """
    if is_jpeg(data):
        return decode_jpeg(data, name)
    picture_size(data, name)
    refuse_odd_tiff(data, name)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise UnreadableImageError(f"{name}: damaged picture ({error.err}): {REMEDY}") from error
    if image is None or image.size == 0:
        raise UnreadableImageError(f"{name}: damaged picture, cannot be decoded: {REMEDY}")
    if image.dtype not in (np.uint8, np.uint16, np.int16, np.float32):
        raise UnreadableImageError(f"{name}: pixels are {image.dtype}, expected 8 or 16 bit integers, or float32")
    return cast("Raw", image)


def to_rgb(image: Raw, name: str) -> Rgb:
    """A decoded visible picture as (H, W, 3) uint8 R, G, B; one channel is repeated, alpha is dropped.

    Raises:
        UnreadableImageError: the picture is not 8 bits deep.
    """
    if image.dtype != np.uint8:
        raise UnreadableImageError(f"{name}: visible picture has {image.dtype} pixels, expected uint8")
    if image.ndim == 2:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
    code = cv2.COLOR_BGRA2RGB if image.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(image, code).astype(np.uint8, copy=False)


def to_tir(image: Raw, name: str, tir_range: tuple[float, float] | None = None) -> Tir:
    """A decoded thermal picture as (H, W) uint8.

    Args:
        image: one channel, or several that are alike (KAIST stores three); other values than 8 bits need ``tir_range``.
        name: what to call it in an error.
        tir_range: raw values that become 0 and 255. It belongs to a sequence or a camera: a range chosen picture by
            picture would make the same body change its brightness from frame to frame.

    Raises:
        FalseColourError: the channels are not alike: colours of a palette, from which heat cannot be told.
        UnreadableImageError: raw values without a range, or 8 bits where there is one.
    """
    if in_colour(image):
        raise FalseColourError(
            f"{name}: thermal picture in false colours (channels differ by {chroma(image):.0f} levels on average): "
            "export it in grey (white hot) or as raw values; if it is the visible picture, the two sides are swapped"
        )
    plane = image if image.ndim == 2 else np.ascontiguousarray(image[..., image.shape[2] // 2])
    if plane.dtype == np.uint8:
        if tir_range is not None:
            raise UnreadableImageError(f"{name}: 8-bit thermal picture in a sequence of raw values: restore or drop it")
        return plane.astype(np.uint8, copy=False)
    if tir_range is None:
        kind = "float32" if plane.dtype == np.float32 else "16-bit"
        raise UnreadableImageError(
            f"{name}: {kind} thermal picture without a range: give --tir-range LOW,HIGH, or drop it from 8-bit ones"
        )
    if not np.isfinite(plane).all():
        raise UnreadableImageError(f"{name}: thermal picture with values that are no numbers: replace them")
    low, high = tir_range
    scaled: NDArray[np.float32] = (plane.astype(np.float32) - low) * (255.0 / max(high - low, 1e-6))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def reduction(data: bytes, wanted: float) -> int:
    """By how much a picture can be decoded smaller, at less cost, when it is wanted ``wanted`` times smaller or less.

    Returns:
        1, 2 or 4; 1 for what is no JPEG.
    """
    return next((step for step in (4, 2) if step <= wanted), 1) if is_jpeg(data) else 1


def decode_rgb(data: bytes, name: str, reduce: int = 1) -> Rgb:
    """Decode a visible picture to (H, W, 3) uint8 R, G, B; errors as :func:`decode` and :func:`to_rgb`.

    Args:
        data: the file's bytes.
        name: what to call it in an error.
        reduce: see :func:`reduction`; each pixel is the mean of ``reduce`` x ``reduce``, sizes are rounded up.
    """
    if is_jpeg(data):
        # Always 8 bits deep. The decoder makes the colours that are asked for, at no cost.
        return decode_jpeg(data, name, "RGB", reduce)
    return to_rgb(decode(data, name), name)


def decode_tir(data: bytes, name: str, tir_range: tuple[float, float] | None = None, reduce: int = 1) -> Tir:
    """Decode a thermal picture to (H, W) uint8; arguments and errors as :func:`decode_rgb` and :func:`to_tir`.

    The colours of a JPEG are not looked at: :func:`refuse_false_colours` does that.
    """
    if is_jpeg(data):
        # Of one in colour, which is alike in all channels, only the luminance is decoded: half the time.
        return to_tir(decode_jpeg(data, name, "GRAY", reduce), name, tir_range)
    return to_tir(decode(data, name), name, tir_range)
