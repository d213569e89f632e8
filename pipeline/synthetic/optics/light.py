"""Visible light: sun and sky by day, lamps at night; radiances are linear, 1 is paper in full sun."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.synthetic.optics.noise import Plane

Colour = tuple[float, float, float]


def srgb(red: int, green: int, blue: int) -> Colour:
    """An 8-bit colour as linear reflectance; the camera here encodes by a square root, so a square undoes it."""
    return (red / 255) ** 2, (green / 255) ** 2, (blue / 255) ** 2


@dataclass(frozen=True)
class Lamp:
    """A street lamp's head.

    Attributes:
        position: X, Y, Z in metres.
        colour: linear radiance, its strength included.
    """

    position: tuple[float, float, float]
    colour: Colour


@dataclass(frozen=True)
class Light:
    """What lights a sequence.

    Attributes:
        sun: linear colour, black at night.
        toward: unit vector X, Y, Z to the sun.
        ambient: linear colour of the sky's light.
        haze: linear colour of the air at the horizon.
        visibility: metres after which 63 % of a surface's light is lost in haze.
        lamps: street lamps that are on.
    """

    sun: Colour
    toward: tuple[float, float, float]
    ambient: Colour
    haze: Colour
    visibility: float
    lamps: tuple[Lamp, ...]

    @property
    def shadow(self) -> tuple[float, float]:
        """(X, Z) metres that the shadow of a point moves for each metre of its height."""
        x, y, z = self.toward
        return -x / y, -z / y

    def at(self, points: ArrayLike, normal: ArrayLike, sun: ArrayLike = 1.0) -> Plane:
        """Light (..., 3) on a surface at world points (..., 3); ``sun`` (...) is 0 in shade and 1 in the sun.

        The sky is half as bright on what faces the ground, and a lamp counts by its angle and squared distance.
        """
        place = np.asarray(points, np.float32)
        up = np.asarray(normal, np.float32)
        facing = max(float(up @ np.asarray(self.toward)), 0.0)
        lit = np.asarray(sun, np.float32)[..., None] * np.asarray(self.sun, np.float32) * facing
        total = lit + np.asarray(self.ambient, np.float32) * (0.75 + 0.25 * up[1])
        for lamp in self.lamps:
            way = np.asarray(lamp.position, np.float32) - place
            square = np.einsum("...i,...i->...", way, way) + 0.5
            cosine = np.clip(way @ up / np.sqrt(square), 0.06, 1)
            total = total + (cosine / square)[..., None] * np.asarray(lamp.colour, np.float32)
        return np.ascontiguousarray(np.broadcast_to(total, place.shape), dtype=np.float32)

    def through_air(self, radiance: NDArray[np.float32], distance: ArrayLike) -> Plane:
        """Radiance (..., 3) after ``distance`` (...) metres of haze."""
        clear = np.exp(-np.asarray(distance, np.float32) / self.visibility)[..., None]
        return np.asarray(radiance * clear + np.asarray(self.haze, np.float32) * (1 - clear), dtype=np.float32)

    @classmethod
    def day(cls, rng: np.random.Generator) -> Light:
        """A sun behind the camera's shoulder, on either side."""
        elevation = np.deg2rad(rng.uniform(32, 55))
        azimuth = np.deg2rad(rng.uniform(35, 75)) * rng.choice((-1, 1))
        toward = np.cos(elevation) * np.sin(azimuth), np.sin(elevation), -np.cos(elevation) * np.cos(azimuth)
        strength = rng.uniform(0.85, 1.1)
        sun = (1.12 * strength, 1.03 * strength, 0.88 * strength)
        x, y, z = (float(v) for v in toward)
        return cls(sun, (x, y, z), (0.30, 0.35, 0.43), (0.62, 0.70, 0.80), float(rng.uniform(350, 900)), ())

    @classmethod
    def night(cls, lamps: tuple[Lamp, ...]) -> Light:
        """A sky that glows a little, and lamps."""
        return cls((0, 0, 0), (0, 1, 0), (0.010, 0.011, 0.015), (0.010, 0.010, 0.014), 400.0, lamps)
