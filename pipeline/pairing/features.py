"""Oriented-gradient channels: what an RGB and a TIR picture of the same scene have in common.

Edges survive the change of modality; their sign and strength do not. So each pixel is described by the strength and
the *axis* (orientation modulo pi) of its gradient, as CFOG does (Ye et al., "Fast and robust matching for multimodal
remote sensing image registration", TGRS 2019), but in the Fourier basis of the axis, strength m, m cos 2t and m sin 2t:
three channels tell as much as nine histogram bins do, and pooling them is linear.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb

Plane = NDArray[np.float32]
"""(H, W) float32."""
Channels = NDArray[np.float32]
"""(3, H, W) float32."""

_STRENGTH_WEIGHT = 0.5
_DERIVATIVE_SIGMA, _POOL_SIGMA = 1.0, 0.6
_NEIGHBOURHOOD = 33
_FLOOR = 0.5


def luminance(rgb: Rgb) -> NDArray[np.uint8]:
    """Grey value (H, W) uint8 of an R, G, B picture."""
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def oriented_channels(image: NDArray[np.uint8], inside: Plane | None = None) -> Channels:
    """Describe a one-channel picture at half its size.

    Args:
        image: (H, W) uint8, H and W even.
        inside: (H, W) 1 where the picture has content, 0 where a warp filled it in; None is content everywhere.

    Returns:
        (3, H/2, W/2) float32; strength is relative to the neighbourhood, so low contrast counts as much as high.
    """
    plane = cv2.GaussianBlur(image.astype(np.float32), (0, 0), _DERIVATIVE_SIGMA)
    gx = cv2.Scharr(plane, cv2.CV_32F, 1, 0, scale=1 / 32)
    gy = cv2.Scharr(plane, cv2.CV_32F, 0, 1, scale=1 / 32)
    power = gx * gx + gy * gy
    # Not cv2.magnitude: its last bit changes from call to call, and the same input has to give the same bytes.
    strength = np.sqrt(power)
    if inside is not None:
        strength *= inside
    local = cv2.blur(strength, (_NEIGHBOURHOOD, _NEIGHBOURHOOD))
    relative = strength / (local + max(_FLOOR * float(local.mean()), 0.05))
    relative /= 1 + 0.25 * relative
    axis = relative / np.maximum(power, 1e-6)
    stack = (_STRENGTH_WEIGHT * relative, axis * (gx * gx - gy * gy), axis * (2 * gx * gy))
    return np.stack([cv2.GaussianBlur(halve(channel), (0, 0), _POOL_SIGMA) for channel in stack])


def halve(plane: Plane) -> Plane:
    """Average 2x2 pixels: (H, W) -> (H/2, W/2)."""
    height, width = plane.shape
    return cv2.resize(plane, (width // 2, height // 2), interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
