"""Pixels to bytes, and pixels of one camera into the frame of the other."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images.decoding import Tir


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
