"""The work frame: both pictures of a pair at one fixed size, whatever the cameras', so that constants mean one thing.

The RGB picture is scaled uniformly until its long side is :data:`LONG_SIDE`; the TIR picture is resampled into that
frame through the present estimate of the matrix. *Levels* are the work frame halved once or twice.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb, Tir
from pipeline.pairing.registration import features
from pipeline.pairing.registration.features import Channels, Plane

Array = NDArray[np.float64]

LONG_SIDE = 640
CHANNEL_STEP = 2
"""Work-frame pixels a pixel of the channels."""
_BORDER = 9


def scaling(x: float, y: float | None = None) -> Array:
    """(3, 3) matrix that scales pixel edges by (x, y), for coordinates at pixel centres."""
    y = x if y is None else y
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1.0]])


def normalised(matrix: Array) -> Array:
    """The same homography with h33 = 1."""
    return np.asarray(matrix / matrix[2, 2], dtype=np.float64)


def size_prior(rgb: Rgb, tir: Tir) -> Array:
    """(3, 3) TIR -> RGB matrix that lays the whole of one picture over the whole of the other."""
    return scaling(rgb.shape[1] / tir.shape[1], rgb.shape[0] / tir.shape[0])


def to_work(rgb: Rgb) -> tuple[Array, tuple[int, int]]:
    """RGB pixel -> work pixel (3, 3), and the work frame's (width, height), multiples of four."""
    height, width = rgb.shape[:2]
    scale = LONG_SIDE / max(height, width)
    across, down = (max(64, int(side * scale) // 4 * 4) for side in (width, height))
    return scaling(scale), (across, down)


def level(matrix: Array, step: int) -> Array:
    """A work-frame matrix (3, 3) as it acts on the work frame reduced ``step`` times."""
    return scaling(1 / step) @ matrix @ scaling(step)


def _resample(image: NDArray[np.uint8], matrix: Array, size: tuple[int, int]) -> NDArray[np.uint8]:
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    if scale < 0.75:
        image = cv2.GaussianBlur(image, (0, 0), 0.5 / scale).astype(np.uint8, copy=False)
    warped = cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return warped.astype(np.uint8, copy=False)


def rgb_channels(rgb: Rgb, shown: Plane | None, matrix: Array, size: tuple[int, int]) -> Channels:
    """(3, h/2, w/2) channels of an RGB picture taken by ``matrix`` (3, 3) into a frame of ``size`` w x h.

    ``shown`` (h, w) is 1 where the picture, once there, shows the scene.
    """
    return features.oriented_channels(_resample(features.luminance(rgb), matrix, size), None, shown)


def shown(drawn: NDArray[np.bool_], matrix: Array, size: tuple[int, int]) -> Plane:
    """1 where a work frame of ``size`` shows the scene, 0 on drawings (h, w) that ``matrix`` takes there."""
    scene = np.logical_not(drawn).astype(np.uint8)
    return cv2.warpPerspective(
        scene, matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=1
    ).astype(np.float32)


def tir_channels(tir: Tir, matrix: Array, size: tuple[int, int], scene: Plane | None = None) -> tuple[Channels, Plane]:
    """Channels (3, h/2, w/2) of a TIR picture taken into the work frame by ``matrix``, and where it has content.

    ``scene`` (h, w) is 1 where the picture, once there, shows the scene.
    """
    inside, halved = _content(tir.shape, matrix.tobytes(), size)
    return features.oriented_channels(_resample(tir, matrix, size), inside, scene), halved


@lru_cache(maxsize=4)
def _content(shape: tuple[int, int], matrix: bytes, size: tuple[int, int]) -> tuple[Plane, Plane]:
    """Where a picture (h, w) has content once a (3, 3) float64 ``matrix`` took it into a frame, and the same halved.

    Kept, for the frames of one camera.
    """
    ones = np.ones(shape, np.uint8)
    taken = np.frombuffer(matrix).reshape(3, 3)
    inside = cv2.warpPerspective(ones, taken, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    inside = cv2.erode(inside, np.ones((_BORDER, _BORDER), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    plane: Plane = inside.astype(np.float32)
    halved = features.halve(plane)
    plane.flags.writeable = halved.flags.writeable = False
    return plane, halved
