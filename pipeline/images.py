"""Bytes to pixels and back. A decoder here returns a picture or raises; it never returns None or half a picture.

OpenCV decodes a JPEG that was cut in half to a full-size picture with a grey lower half, and it allocates whatever size
a header claims, so both are checked on the bytes first.
"""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from pipeline.errors import DataError
from pipeline.files.plain import read_plain

Rgb = NDArray[np.uint8]
"""(H, W, 3) uint8, R, G, B order."""
Tir = NDArray[np.uint8]
"""(H, W) uint8."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"})
MAX_PIXELS = 100_000_000
MAX_BYTES = 8 * MAX_PIXELS
"""Largest file accepted: that many pixels of four channels and 16 bits, not compressed."""
MAX_SEGMENTS = 10_000
"""Segments before the scan of a JPEG; a real one has some dozens."""
_END = b"\xff\xd9"
_MARKER = re.compile(rb"\xff[^\xff]", re.DOTALL)
# Kept now: ultralytics, once imported, puts one in its place that tries to install packages for what it cannot read.
_open_image = Image.open
_JPEG = b"\xff\xd8"
_AS_STORED = cv2.IMREAD_UNCHANGED
_REDUCED = {1: cv2.IMREAD_GRAYSCALE, 2: cv2.IMREAD_REDUCED_GRAYSCALE_2, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4}


class UnreadableImageError(DataError):
    """A file that is not a whole picture; the message names the file and the fault."""


def refusal(error: cv2.error) -> str:
    """What OpenCV says of pixels that it cannot work on, in one line."""
    return f"OpenCV cannot work on it: {' '.join((getattr(error, 'err', '') or str(error)).split())}"


def read_bytes(path: Path) -> bytes:
    """Read a file.

    Raises:
        UnreadableImageError: it cannot be opened, is no plain file, or is larger than :data:`MAX_BYTES`.
    """
    try:
        return read_plain(path, MAX_BYTES)
    except OSError as error:
        raise UnreadableImageError(f"cannot read {path}: {error.strerror or error}") from error


def _jpeg_size(data: bytes, name: str) -> tuple[int, int]:
    """(width, height) from the start-of-frame marker of a JPEG whose entropy-coded scan reaches its end marker."""
    at, size = 2, None
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None or found.end() + 2 > len(data):
            break
        at = found.end()
        marker, length = data[at - 1], data[at] << 8 | data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and at + 7 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 3)
            size = (width, height)
        if marker == 0xDA:
            # Inside a scan 0xFF is always escaped, so this pair of bytes can only be the end of the picture.
            if size and (data.endswith(_END, at + length) or data.find(_END, at + length) >= 0):
                return size
            break
        at += length
    raise UnreadableImageError(f"{name}: JPEG is truncated: restore the file or drop the pair")


def _png_size(data: bytes, name: str) -> tuple[int, int]:
    """(width, height) from the IHDR chunk of a PNG that ends with IEND."""
    if len(data) < 33 or data.rfind(b"IEND") < 0:
        raise UnreadableImageError(f"{name}: PNG is truncated: restore the file or drop the pair")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def picture_size(data: bytes, name: str) -> tuple[int, int]:
    """(width, height) in pixels as the header claims, for a file whose end is there.

    Raises:
        UnreadableImageError: empty, truncated, or not a picture.
    """
    if not data:
        raise UnreadableImageError(f"{name}: file is empty: restore it or drop the pair")
    if data[:2] == _JPEG:
        return _jpeg_size(data, name)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _png_size(data, name)
    try:
        with _open_image(io.BytesIO(data)) as image:
            return image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableImageError(f"{name}: not a picture that can be read") from error


def decode(data: bytes, name: str, flags: int = _AS_STORED) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Decode a picture as it is stored: (H, W) or (H, W, C) in OpenCV's B, G, R order, uint8 or uint16.

    Args:
        data: the file's bytes.
        name: what to call it in an error.
        flags: OpenCV's, to decode to other colours at once.

    Raises:
        UnreadableImageError: not a picture, truncated, over :data:`MAX_PIXELS`, or neither 8 nor 16 bits deep.
    """
    width, height = picture_size(data, name)
    if width * height > MAX_PIXELS:
        raise UnreadableImageError(f"{name}: claims {width}x{height} pixels, more than the limit of {MAX_PIXELS}")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise UnreadableImageError(f"{name}: damaged picture ({error.err})") from error
    if image is None or image.size == 0:
        raise UnreadableImageError(f"{name}: damaged picture, cannot be decoded")
    if image.dtype == np.uint8:
        return image.astype(np.uint8, copy=False)
    if image.dtype == np.uint16:
        return image.astype(np.uint16, copy=False)
    raise UnreadableImageError(f"{name}: pixels are {image.dtype}, expected 8 or 16 bit integers")


def to_rgb(image: NDArray[np.uint8] | NDArray[np.uint16], name: str) -> Rgb:
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


def to_tir(
    image: NDArray[np.uint8] | NDArray[np.uint16], name: str, tir_range: tuple[float, float] | None = None
) -> Tir:
    """A decoded thermal picture as (H, W) uint8.

    Args:
        image: one channel, or several that are alike (KAIST stores three); 16-bit values need ``tir_range``.
        name: what to call it in an error.
        tir_range: raw values that become 0 and 255. It belongs to a sequence or a camera: a range chosen picture by
            picture would make the same body change its brightness from frame to frame.

    Raises:
        UnreadableImageError: a 16-bit picture without a range.
    """
    plane = image if image.ndim == 2 else np.ascontiguousarray(image[..., image.shape[2] // 2])
    if plane.dtype == np.uint8:
        return plane.astype(np.uint8, copy=False)
    if tir_range is None:
        raise UnreadableImageError(f"{name}: 16-bit thermal picture without a range: give --tir-range LOW,HIGH")
    low, high = tir_range
    scaled: NDArray[np.float32] = (plane.astype(np.float32) - low) * (255.0 / max(high - low, 1e-6))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def reduction(data: bytes, wanted: float) -> int:
    """By how much a picture can be decoded smaller, at less cost, when it is wanted ``wanted`` times smaller or less.

    Returns:
        1, 2 or 4; 1 for what is no JPEG.
    """
    return next((step for step in (4, 2) if step <= wanted), 1) if data[:2] == _JPEG else 1


def decode_rgb(data: bytes, name: str, reduce: int = 1) -> Rgb:
    """Decode a visible picture to (H, W, 3) uint8 R, G, B; errors as :func:`decode` and :func:`to_rgb`.

    Args:
        data: the file's bytes.
        name: what to call it in an error.
        reduce: see :func:`reduction`; each pixel is the mean of ``reduce`` x ``reduce``, sizes are rounded up.
    """
    if data[:2] == _JPEG:
        # Always 8 bits deep. The decoder makes the colours that are asked for, at no cost.
        return decode(data, name, _REDUCED[reduce] | cv2.IMREAD_COLOR_RGB).astype(np.uint8, copy=False)
    return to_rgb(decode(data, name), name)


def decode_tir(data: bytes, name: str, tir_range: tuple[float, float] | None = None, reduce: int = 1) -> Tir:
    """Decode a thermal picture to (H, W) uint8; arguments and errors as :func:`decode_rgb` and :func:`to_tir`."""
    # Of a JPEG in colour, which is alike in all channels, only the luminance is decoded: half the time.
    flags = _REDUCED[reduce] if data[:2] == _JPEG else _AS_STORED
    return to_tir(decode(data, name, flags), name, tir_range)


def encode(image: NDArray[np.uint8], suffix: str, quality: int = 95) -> bytes:
    """Encode (H, W) or R, G, B (H, W, 3) uint8 pixels as ``.jpg`` (4:4:4 when in colour), ``.png`` or ``.webp``.

    Raises:
        ValueError: OpenCV has no encoder for the suffix.
    """
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    options = {
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111],
        ".png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
    }
    done, data = cv2.imencode(suffix, pixels, options.get(suffix, []))
    if not done:
        raise ValueError(f"cannot encode {image.shape} {image.dtype} pixels as {suffix}")
    return data.tobytes()


def warp_to_rgb(tir: Tir, matrix: NDArray[np.float64], size: tuple[int, int]) -> Tir:
    """Resample a thermal picture into the RGB frame.

    Args:
        tir: (H, W) uint8.
        matrix: (3, 3), TIR pixel -> RGB pixel, pixel centres.
        size: (width, height) of the RGB picture.

    Returns:
        (height, width) uint8, bilinear; outside the TIR footprint the border is replicated.
    """
    warped = cv2.warpPerspective(tir, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return warped.astype(np.uint8, copy=False)
