"""Oriented-gradient channels: what an RGB and a TIR picture of the same scene have in common.

Edges survive the change of modality; their sign and strength do not. So each pixel is described by the strength and
the *axis* (orientation modulo pi) of its gradient, as CFOG does (Ye et al., "Fast and robust matching for multimodal
remote sensing image registration", TGRS 2019), but in the Fourier basis of the axis, strength m, m cos 2t and m sin 2t:
three channels tell as much as nine histogram bins do, and pooling them is linear.
"""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb

Grey = NDArray[np.uint8]
"""(H, W) uint8."""
Plane = NDArray[np.float32]
"""(H, W) float32."""
Channels = NDArray[np.float32]
"""(3, H, W) float32."""
Values = TypeVar("Values", Grey, Plane)

_STRENGTH_WEIGHT = 0.5
_DERIVATIVE_SIGMA, _POOL_SIGMA = 1.0, 0.6
_DERIVATIVE_KERNEL = cv2.getGaussianKernel(9, _DERIVATIVE_SIGMA)
_NEIGHBOURHOOD = 33
_FLOOR = 0.5
_STRIP = 128
"""Rows described at a time: what lies between two filters stays in the cache, and in memory that is used again."""


def luminance(rgb: Rgb | Grey) -> Grey:
    """Grey value (H, W) uint8 of an R, G, B picture; of one that is grey already (H, W), itself."""
    if rgb.ndim == 2:
        return rgb
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def oriented_channels(image: Grey, inside: Plane | None = None, shown: Plane | None = None) -> Channels:
    """Describe a one-channel picture at half its size.

    Args:
        image: (H, W) uint8, H and W even.
        inside: (H, W) 1 where the picture has content, 0 where a warp filled it in; None is content everywhere.
        shown: (H, W) 1 where the picture shows the scene, 0 where something is drawn over it; None is scene everywhere.

    Returns:
        (3, H/2, W/2) float32; strength is relative to the neighbourhood, so low contrast counts as much as high.
    """
    plane = cv2.sepFilter2D(image, cv2.CV_32F, _DERIVATIVE_KERNEL, _DERIVATIVE_KERNEL)
    gx = cv2.Scharr(plane, cv2.CV_32F, 1, 0, scale=1 / 32).astype(np.float32, copy=False)
    gy = cv2.Scharr(plane, cv2.CV_32F, 0, 1, scale=1 / 32).astype(np.float32, copy=False)
    strength: Plane = plane.astype(np.float32, copy=False)
    strips = [slice(top, top + _STRIP) for top in range(0, len(image), _STRIP)]
    for rows in strips:
        strength[rows] = _to_axis(gx[rows], gy[rows])
    if inside is not None:
        strength *= inside
    local = _local(strength, shown)
    floor = max(_FLOOR * float(local.mean()), 0.05)
    pooled = np.empty((3, image.shape[0] // 2, image.shape[1] // 2), np.float32)
    for rows in strips:
        m = strength[rows]
        relative = m / (local[rows] + 0.25 * m + floor)
        axis: Plane = np.divide(relative, at_least(m * m, 1e-6))
        for whole, part in zip(pooled, (relative, axis * gx[rows], axis * gy[rows])):
            whole[rows.start // 2 : rows.stop // 2] = halve(part)
    pooled[0] *= _STRENGTH_WEIGHT
    for plane in pooled:
        cv2.GaussianBlur(plane, (0, 0), _POOL_SIGMA, dst=plane)
    if shown is not None:
        _level(pooled, halve(shown))
    return pooled


def _local(strength: Plane, shown: Plane | None) -> Plane:
    """Mean strength (H, W) around each pixel, of what is shown; what is not shown gets, in place, strength zero."""
    size = (_NEIGHBOURHOOD, _NEIGHBOURHOOD)
    if shown is None:
        return cv2.blur(strength, size).astype(np.float32, copy=False)
    strength *= shown
    share = np.maximum(cv2.blur(shown, size), 1 / _NEIGHBOURHOOD)
    return np.asarray(cv2.blur(strength, size) / share, dtype=np.float32)


def _level(channels: Channels, shown: Plane) -> None:
    """Fill what is not shown (H, W) with the mean of the rest, in place: holes in both pictures must not look alike."""
    channels *= shown
    means = channels.sum(axis=(1, 2), dtype=np.float64) / max(float(shown.sum()), 1.0)
    channels += means.astype(np.float32)[:, None, None] * (1 - shown)


def _to_axis(gx: Plane, gy: Plane) -> Plane:
    """Strength m of a gradient (gx, gy), which becomes, in place, m^2 cos 2t and m^2 sin 2t of its direction t."""
    across, down = gx * gx, gy * gy
    gy *= 2 * gx
    np.subtract(across, down, out=gx)
    # Not cv2.magnitude: its last bit changes from call to call, and the same input has to give the same bytes.
    return np.sqrt(across + down)


def at_least(plane: Values, least: float) -> Values:
    """A plane (H, W), raised to ``least`` where it is lower; with a lone number NumPy is ten times slower for bytes."""
    return np.maximum(plane, np.full_like(plane, least))


def halve(plane: Plane) -> Plane:
    """Average 2x2 pixels: (H, W) -> (H/2, W/2)."""
    height, width = plane.shape
    return cv2.resize(plane, (width // 2, height // 2), interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
