"""Solid parts in metres to sprites in pixels, and sprites onto a canvas.

A canvas has four float planes: linear red, green, blue, and apparent temperature in kelvin, so that 0 there says that
nothing was drawn. Both modalities are drawn by the same call: their outlines are the same to the last sub-pixel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.synthetic.optics.camera import Points, View
from pipeline.synthetic.optics.heat import Climate
from pipeline.synthetic.optics.light import Colour, Light
from pipeline.synthetic.optics.noise import Plane, Reals, resize

Tone = tuple[float, float, float, float]
_RING = np.stack([np.cos(np.arange(12) * np.pi / 6), np.sin(np.arange(12) * np.pi / 6)], axis=-1)
_SHIFT = 4
_NEAR = 1.0
"""Metres: a part that comes nearer than this to the camera's plane is out of its sight, or passing it."""


@dataclass(frozen=True)
class Part:
    """One surface of an object, in its own metres: forward, right, up.

    Attributes:
        points: (n, 3).
        rgb: linear reflectance.
        material: key of :data:`pipeline.synthetic.optics.heat.MATERIALS`.
        radii: (n,) metres: the part is the convex hull of balls; otherwise the polygon of its points.
        stroke: metres: the part is a line of that width through its points.
        shade: how directly the light falls on it, 1 is usual.
        heat: kelvin above its material.
        glow: light of its own.
        rank: parts of a higher rank are drawn later; those of one rank from far to near.
    """

    points: Points
    rgb: Colour
    material: str
    radii: Points | None = None
    stroke: float = 0.0
    shade: float = 1.0
    heat: float = 0.0
    glow: float = 0.0
    rank: int = 0


def ball(
    points: Sequence[Sequence[float] | Points], radii: Sequence[float], rgb: Colour, material: str, heat: float = 0
) -> Part:
    """The convex hull of balls, such as a limb or a trunk."""
    return Part(np.array(points, np.float64), rgb, material, np.array(radii, np.float64), heat=heat)


@dataclass(frozen=True)
class Pose:
    """Where an object stands: X, Z in metres and the heading, radians from +X towards +Z."""

    x: float
    z: float
    heading: float

    def world(self, points: Points) -> Points:
        """Own points (n, 3) as forward, right, up to world points (n, 3)."""
        c, s = np.cos(self.heading), np.sin(self.heading)
        forward, right, up = points.T
        return np.stack([self.x + forward * c + right * s, up, self.z + forward * s - right * c], axis=-1)


@dataclass(frozen=True)
class Look:
    """Light and warmth where an object stands.

    Attributes:
        light: linear light on an upright surface.
        climate: the weather.
        scene: light of the sequence, for its haze.
        sun: 0 in shade, 1 in the sun.
        cloth: (h, w) noise that is stretched over the object as folds and stains.
    """

    light: Colour
    climate: Climate
    scene: Light
    sun: float
    cloth: Plane

    def colour(self, part: Part, depth: float, gain: float = 1.0, heat: float = 0.0) -> Tone:
        """Red, green, blue and temperature of a part at ``depth`` metres, ``gain`` brighter and ``heat`` K warmer."""
        clear = math.exp(-depth / self.scene.visibility)
        glow = part.glow if self.climate.night else 0.0
        red, green, blue = (
            rgb * (light * part.shade * gain + glow) * clear + haze * (1 - clear)
            for rgb, light, haze in zip(part.rgb, self.light, self.scene.haze)
        )
        clear = self.climate.haze(depth)
        warm = self.climate.apparent(part.material, self.sun * min(part.shade, 1.0), part.heat + heat)
        return red, green, blue, warm * clear + self.climate.air * (1 - clear)


@dataclass(frozen=True)
class Sprite:
    """A drawn object on the panorama.

    Attributes:
        x: column of its left edge in canvas pixels.
        y: row of its top edge.
        pixels: (h, w, 4), multiplied by alpha.
        alpha: (h, w), 0 to 1.
        depth: metres from the camera, for the order of drawing.
        box: x0, y0, x1, y1 of its whole outline in canvas pixels, pixel edges.
        share: how much of the outline lies on the panorama, as its box tells; the rest is not drawn.
    """

    x: int
    y: int
    pixels: Plane
    alpha: Plane
    depth: float
    box: tuple[float, float, float, float]
    share: float = 1.0


def draw(parts: Sequence[Part], pose: Pose, view: View, look: Look) -> Sprite | None:
    """Draw parts from far to near; None when the object is not in front of the camera or off the panorama.

    A round part is drawn twice, the second time smaller: its middle catches more light and, as emissivity falls off
    towards the rim, looks a little warmer.
    """
    parts = [part for part in parts if pose.world(part.points)[:, 2].min() > _NEAR]
    if not parts:
        return None
    counts = np.array([len(part.points) for part in parts])
    world = pose.world(np.concatenate([part.points for part in parts]))
    metres = view.pixels_per_metre(world[:, 2])
    radii = np.concatenate([np.zeros(len(p.points)) if p.radii is None else p.radii for p in parts]) * metres
    centres = view.project(world)[:, None, :]
    rings = centres + radii[:, None, None] * _RING
    pad = 3 + int(max(part.stroke for part in parts) * metres.max() / 2)
    first, last = rings.min(axis=(0, 1)), rings.max(axis=(0, 1))
    low = np.maximum(np.floor(first).astype(int) - pad, 0)
    high = np.minimum(np.ceil(last).astype(int) + pad + 1, view.panorama)
    width, height = (int(v) for v in high - low)
    if min(width, height) < 1:
        return None
    fine = 3 if width * height < 5_000 else 2 if width * height < 80_000 else 1
    cores = centres + radii[:, None, None] * (0.62 * _RING - [0, 0.18])
    outer, inner = _fixed((rings - low) * fine), _fixed((cores - low) * fine)
    plain = np.ascontiguousarray(outer[:, 0])
    starts = np.cumsum(counts) - counts
    depths = np.add.reduceat(world[:, 2], starts) / counts
    image = np.zeros((height * fine, width * fine, 4), np.float32)
    for index in sorted(range(len(parts)), key=lambda i: (parts[i].rank, -depths[i])):
        part, span = parts[index], slice(starts[index], starts[index] + counts[index])
        colour = look.colour(part, pose.z)
        if part.stroke:
            thick = max(1, round(part.stroke * metres[starts[index]] * fine))
            cv2.polylines(image, [plain[span]], False, colour, thick, cv2.LINE_8, _SHIFT)
        elif part.radii is None:
            cv2.fillPoly(image, [plain[span]], colour, cv2.LINE_8, _SHIFT)
        else:
            bright = look.colour(part, pose.z, 1.22, 0.7)
            for edge, tone in ((outer, colour), (inner, bright)):
                cv2.fillConvexPoly(image, cv2.convexHull(edge[span].reshape(-1, 2)), tone, cv2.LINE_8, _SHIFT)
    sprite = finish(image, low, fine, pose.z, look.cloth)
    share = float(np.prod((high - low) / (last - first + 2 * pad)))
    if sprite is None or share > 0.99:
        return sprite
    return replace(sprite, share=share, box=(float(first[0]), float(first[1]), float(last[0]), float(last[1])))


def _fixed(points: Points) -> NDArray[np.int32]:
    """Pixel-edge points in OpenCV's fixed point, whose integers are pixel centres."""
    return np.rint((points - 0.5) * (1 << _SHIFT)).astype(np.int32)


def finish(image: Plane, low: NDArray[np.int_], fine: int, depth: float, cloth: Plane) -> Sprite | None:
    """Average a drawing that is ``fine`` times too large down to canvas pixels and lay the cloth's noise over it."""
    mask = (image[..., 3] > 0).view(np.uint8)
    x, y, across, down = cv2.boundingRect(mask)
    if not across:
        return None
    height, width = image.shape[0] // fine, image.shape[1] // fine
    alpha = mask.astype(np.float32)
    if fine > 1:
        image, alpha = resize(image, width, height, cv2.INTER_AREA), resize(alpha, width, height, cv2.INTER_AREA)
    tone = resize(np.clip(1 + 0.13 * cloth, 0.4, 1.6), width, height)
    image *= cv2.merge((tone, tone, tone, 1 + 0.013 * (tone - 1)))
    left, top = float(low[0]) + x / fine, float(low[1]) + y / fine
    box = left, top, left + across / fine, top + down / fine
    return Sprite(int(low[0]), int(low[1]), image, alpha, depth, box)


def overlap(sprite: Sprite, x: int, y: int, shape: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices (rows, columns) of a sprite and of an array of ``shape`` placed at (x, y) where the two meet."""
    height, width = sprite.alpha.shape
    left, right = max(sprite.x, x), min(sprite.x + width, x + shape[1])
    top, bottom = max(sprite.y, y), min(sprite.y + height, y + shape[0])
    right, bottom = max(left, right), max(top, bottom)
    own = slice(top - sprite.y, bottom - sprite.y), slice(left - sprite.x, right - sprite.x)
    return own, (slice(top - y, bottom - y), slice(left - x, right - x))


def paste(canvas: Plane, sprite: Sprite, x: int = 0, y: int = 0, seen: Reals | None = None) -> None:
    """Lay a sprite over a canvas (h, w, 4) whose corner is at (x, y); ``seen`` (of the sprite's shape) thins it."""
    own, there = overlap(sprite, x, y, canvas.shape[:2])
    alpha, pixels = sprite.alpha[own], sprite.pixels[own]
    if not alpha.size:
        return
    if seen is not None:
        share = seen[own].astype(np.float32)
        alpha, pixels = alpha * share, pixels * cv2.merge((share,) * 4)
    area = canvas[there]
    area *= cv2.merge((1 - alpha,) * 4)
    area += pixels
