"""JPEGs, decoded strictly.

libjpeg fills what is missing with grey and goes on with a warning, which OpenCV passes over. Here it is an error. The
pixels are those of OpenCV: both decode with libjpeg-turbo, with the same transform and upsampling.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from pipeline.images.headers import REMEDY, UnreadableImageError, jpeg_frame, refuse_enormous
from pipeline.images.scans import lacks_scans

Colours = Literal["BGR", "RGB", "GRAY"]


def decode_jpeg(data: bytes, name: str, colours: Colours | None = None, reduce: int = 1) -> NDArray[np.uint8]:
    """Decode a JPEG.

    Args:
        data: the file's bytes; what follows the end marker counts for nothing.
        name: what to call it in an error.
        colours: what to make of it, (H, W, 3), or (H, W) for ``GRAY``, which is the luminance; None gives one of one
            channel as it is, others as ``BGR``.
        reduce: 1, 2, 4 or 8; each pixel is the mean of ``reduce`` x ``reduce``, sizes are rounded up. All of the
            file's data are read and checked all the same.

    Raises:
        UnreadableImageError: not a JPEG, over the limit of size, damaged anywhere, or of neither 1 nor 3 channels.
    """
    width, height, channels, scans = jpeg_frame(data, name)
    refuse_enormous(width, height, name)
    if channels not in (1, 3):
        raise UnreadableImageError(f"{name}: JPEG of {channels} channels (CMYK?): convert it to R, G, B or to grey")
    if scans and lacks_scans(data, scans, channels):
        raise UnreadableImageError(f"{name}: damaged picture (progressive JPEG that lacks scans): {REMEDY}")
    colours = colours or ("GRAY" if channels == 1 else "BGR")
    least = {"min_height": -(-height // reduce), "min_width": -(-width // reduce), "min_factor": reduce}
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, colours, strict=True, **least)
    except ValueError as error:
        raise UnreadableImageError(f"{name}: damaged picture ({error}): {REMEDY}") from error
    return pixels.reshape(pixels.shape[:2]) if colours == "GRAY" else pixels
