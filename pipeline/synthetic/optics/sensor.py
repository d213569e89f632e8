"""The two cameras: from a canvas of radiance and temperature to 8-bit pictures with the faults of real sensors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.synthetic.optics.camera import SCALE, Points
from pipeline.synthetic.optics.heat import BODY
from pipeline.synthetic.optics.noise import Plane, Reals, fractal, grain, resize

Picture = NDArray[np.uint8]
WHITE = (125.0, 265.0)
"""Grey level of the hottest surfaces of a scene, 255 and above: white, as automatic gain leaves them.

The 99.5th percentile of real thermal pictures is 49 to 128 (KAIST), 94 (MSRS), 164 to 248 (M3SVD, LLVIP, RoadScene) and
195 to 255 (sequences for tracking).
"""
COLD = (4.0, 16.0)
"""Kelvin below the middle of a scene down to which its cool surfaces are told apart; the sky may be colder.

The median of real thermal pictures is 0.14 to 0.5 of their white.
"""
FOOT = (0.0, 0.2)
"""Share of the range between the cool and the hottest surfaces that is kept below the cool ones."""
BLUR = (0.65, 1.1)
"""Sigma of the optics in thermal pixels."""
GRAIN = (0.7, 1.8)
"""Factor of all thermal noise."""
_SLACK = 64


def speckle(rng: np.random.Generator, size: tuple[int, int], channels: int, sigma: float, lump: float) -> Plane:
    """A sheet of noise of spread ``sigma``, larger than a picture, of which each frame takes a piece of its own.

    ``lump`` is the share of noise that is two pixels large, as demosaicing leaves it.
    """
    height, width = size[1] + _SLACK, size[0] + _SLACK
    noise = rng.standard_normal((height, width, channels), dtype=np.float32)
    if lump:
        noise += lump * resize(noise[: height // 2, : width // 2], width, height).reshape(noise.shape)
    return np.asarray(noise * (sigma / noise.std()), dtype=np.float32)


def cut(sheet: Plane, rng: np.random.Generator) -> Plane:
    """One frame's piece of a sheet of noise."""
    y, x = rng.integers(0, _SLACK, 2)
    turn = rng.integers(0, 2, 2) * 2 - 1
    piece = sheet[y : y + sheet.shape[0] - _SLACK, x : x + sheet.shape[1] - _SLACK]
    return piece[:: int(turn[0]), :: int(turn[1])]


def visible(canvas: Plane, inset: int, night: bool, noise: Plane) -> Picture:
    """The RGB picture (h, w, 3): exposure, glare, vignetting, photon noise, and a square-root encoding.

    After the square root photon noise has the same spread at every brightness, so one constant stands for it.
    """
    inner = canvas[inset:-inset, inset:-inset]
    height, width = inner.shape[0] // SCALE, inner.shape[1] // SCALE
    exposure = _vignette(width, height) * np.float32(3.6 if night else 0.8)
    light = resize(inner, width, height, cv2.INTER_AREA)[..., :3] * exposure
    if night:
        small = resize(np.maximum(light - 0.9, 0), width // 4, height // 4, cv2.INTER_AREA)
        halo = 0.5 * cv2.GaussianBlur(small, (0, 0), width / 320) + 0.35 * cv2.GaussianBlur(small, (0, 0), width / 50)
        light += resize(np.asarray(halo, np.float32), width, height)
    image = light + np.float32(0.55)
    np.sqrt(np.divide(light, image, out=image), out=image)
    image *= np.float32(312)
    image += noise
    return _digitise(image)


def _digitise(image: Reals) -> Picture:
    """Grey levels to 8 bits."""
    return np.asarray(np.clip(image + np.float32(0.5), 0, 255), dtype=np.uint8)


@lru_cache(maxsize=1)
def _vignette(width: int, height: int) -> Plane:
    """Fall-off towards the corners (h, w, 3)."""
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.repeat((1 - 0.13 * (x * x + y * y)).astype(np.float32)[..., None], 3, axis=2)


@dataclass(frozen=True)
class Bolometer:
    """An uncooled thermal camera.

    Attributes:
        low: temperature shown as black, in kelvin.
        high: temperature shown as ``white``.
        white: grey level of ``high``: recordings meant for measuring leave room above, automatic gain none.
        blur: sigma of the optics in its own pixels.
        rough: strength of all noise.
        noise: temporal noise in kelvin, a sheet of :func:`speckle`.
        pattern: (h, w) fixed-pattern noise in kelvin: columns, and the lens' own glow at the rim.
    """

    low: float
    high: float
    white: float
    blur: float
    rough: float
    noise: Plane
    pattern: Plane

    @classmethod
    def tune(cls, rng: np.random.Generator, panorama: Plane, size: tuple[int, int]) -> Bolometer:
        """A camera whose range is set once for a sequence, by what is in the scene: bodies never change their grey.

        What differs from camera to camera is drawn from :data:`WHITE`, :data:`COLD`, :data:`FOOT`, :data:`BLUR` and
        :data:`GRAIN`, whatever kind of sequence it films.
        """
        low, middle, high = (float(v) for v in np.percentile(panorama[::8, ::8], (12, 50, 99.7)))
        white, cold, foot, blur = (float(rng.uniform(*span)) for span in (WHITE, COLD, FOOT, BLUR))
        low, high = max(low, middle - cold), max(high, BODY - 3.0, middle + 7)
        width, height = size
        y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        pattern = 0.10 * rng.standard_normal((1, width)) + 0.05 * rng.standard_normal((height, width))
        pattern = pattern + 0.25 * fractal(rng, height, width, width / 3, 2) - 0.7 * (x * x + y * y)
        # A wide range hides noise and a narrow one shows it; the strength follows the range so that both look right.
        rough = min((high - low) / 20, 1.5) * float(np.exp(rng.uniform(*np.log(GRAIN))))
        noise = speckle(rng, size, 1, 0.07 * rough, 0.0)[..., 0]
        return cls(low - foot * (high - low), high, white, blur, rough, noise, (pattern * rough).astype(np.float32))

    def expose(
        self, heat: Plane, matrix: Points, rng: np.random.Generator, smear: tuple[float, float] = (0, 0)
    ) -> Picture:
        """The thermal picture (h, w) of a canvas plane in kelvin.

        Args:
            heat: (H, W).
            matrix: (3, 3), TIR pixel -> canvas pixel, centres.
            rng: of this frame.
            smear: canvas pixels that the scene moves while the membranes cool down.
        """
        height, width = self.pattern.shape
        soft = cv2.GaussianBlur(heat, (0, 0), self.blur * SCALE)
        length = float(np.hypot(*smear))
        if length > 1.5:
            soft = cv2.filter2D(soft, -1, _streak(smear, length))
        image = cv2.warpPerspective(soft, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                                    borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
        rows = 0.035 * rng.standard_normal((height, 1), dtype=np.float32) + 0.03 * grain(rng, height, 2, 6)[:, :1]
        image = image + self.pattern + cut(self.noise, rng) + rows * np.float32(self.rough)
        grey = (image - np.float32(self.low)) * np.float32(self.white / (self.high - self.low))
        return _digitise(grey)


def _streak(smear: tuple[float, float], length: float) -> Plane:
    """A line kernel along the motion."""
    side = 2 * int(np.ceil(length / 2)) + 1
    kernel = np.zeros((side, side), np.float32)
    middle = np.array([side // 2, side // 2])
    half = np.array(smear) / 2
    ends = [tuple(int(v) for v in np.rint((middle + s * half) * 16)) for s in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], (1.0,), 1, cv2.LINE_8, 4)
    return np.asarray(kernel / kernel.sum(), np.float32)
