"""The ground in perspective: road with marks and tyre tracks, kerbs, pavements, lawn; shaded, lit and heated."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.synthetic.optics.camera import SCALE, View
from pipeline.synthetic.optics.heat import Climate
from pipeline.synthetic.optics.light import Colour, Light, srgb
from pipeline.synthetic.optics.noise import Plane, Reals, resize, smoothstep

_TILE = 512


@dataclass(frozen=True)
class House:
    """One block of the row along the street.

    Attributes:
        side: -1 left, 1 right.
        near: Z of its near end in metres.
        far: Z of its far end.
        height: metres.
    """

    side: int
    near: float
    far: float
    height: float


@dataclass(frozen=True)
class Street:
    """Plan of the ground; ``across`` is metres to the right of the road's middle.

    Attributes:
        slope: metres the road drifts right a metre ahead.
        middle: X of its middle beside the camera.
        half: half width of the road or path.
        walk: width of each pavement, 0 for none.
        wall: distance of the houses from the road's middle.
        paved: asphalt with lane marks, or a park's gravel path.
        crossing: Z of a zebra crossing, 0 for none.
        houses: rows on both sides, far ones first.
    """

    slope: float
    middle: float
    half: float
    walk: float
    wall: float
    paved: bool
    crossing: float
    houses: tuple[House, ...]

    def x(self, across: float, z: float) -> float:
        """World X of a place at ``across`` and depth ``z``."""
        return self.middle + self.slope * z + across

    def sunlit(self, x: Reals, z: Reals, light: Light) -> Plane:
        """1 where the sun reaches the ground at (x, z) past the houses, 0 in their shadow."""
        lit = np.ones(np.shape(x), np.float32)
        step, ahead = light.shadow
        across = np.asarray(x - self.middle - self.slope * z, np.float32)
        for house in self.houses:
            if house.side * step >= 0:
                continue
            rise = (self.wall - house.side * across) / abs(step)
            back = z - rise * ahead
            blocked = smoothstep(house.height - rise, -0.12, 0.12) * (rise > 0)
            beside = smoothstep(back - house.near, -0.1, 0.1) * smoothstep(house.far - back, -0.1, 0.1)
            lit *= 1 - blocked * beside
        return lit


@dataclass
class _Layer:
    """The ground while it is being painted: planes (4, h, w) of reflectance and apparent temperature in kelvin."""

    planes: Plane

    def cover(self, share: Plane, rgb: Colour, heat: float) -> None:
        """Paint over with opacity ``share`` (h, w)."""
        for index, value in enumerate((*rgb, heat)):
            self.planes[index] += share * (np.float32(value) - self.planes[index])

    def tint(self, factor: Reals) -> None:
        """Multiply the reflectance by ``factor`` (h, w)."""
        self.planes[:3] *= factor.astype(np.float32)


def _tile(rng: np.random.Generator, power: float) -> Plane:
    """Noise (512, 512) of unit variance that wraps around, its amplitude falling with frequency to ``power``."""
    fy, fx = np.fft.fftfreq(_TILE)[:, None], np.fft.rfftfreq(_TILE)[None, :]
    radius = np.hypot(fy, fx)
    radius[0, 0] = 1
    spectrum = np.fft.rfft2(rng.standard_normal((_TILE, _TILE))) / radius**power
    spectrum[0, 0] = 0
    tile = np.fft.irfft2(spectrum, (_TILE, _TILE))
    return np.asarray(tile / tile.std(), dtype=np.float32)


def _sample(tile: Plane, x: Plane, z: Plane, texel: float, footprint: Plane) -> Plane:
    """Noise at ground points, ``texel`` metres each, fading where a pixel covers many texels."""
    fade = np.clip(1.6 - footprint / (3 * texel), 0, 1)
    deep = np.broadcast_to(z / texel % _TILE, x.shape)
    image = cv2.remap(tile, x / texel % _TILE, np.ascontiguousarray(deep), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(image * fade, dtype=np.float32)


def _band(value: Reals, low: float, high: float, footprint: Reals) -> Plane:
    """1 where ``value`` lies in [low, high], with edges as soft as a pixel is wide."""
    inner = np.minimum(value - low, high - value)
    return np.asarray(np.clip(inner / np.maximum(footprint, 1e-3) + 0.5, 0, 1), dtype=np.float32)


def _marks(street: Street, across: Plane, z: Plane, wide: Plane, long: Plane) -> Plane:
    """Coverage of white paint: edge lines, a dashed middle and a zebra crossing, worn away by the grain of it."""
    dash = _band(z % 7, 0.0, 3.2, long)
    paint = _band(across, -0.07, 0.07, wide) * dash
    for side in (-1, 1):
        paint = np.maximum(paint, _band(side * across, street.half - 0.42, street.half - 0.30, wide))
    if street.crossing:
        zone = _band(z, street.crossing - 1.7, street.crossing + 1.7, long)
        stripes = _band((across + 100) % 1.0, 0.0, 0.52, wide) * _band(np.abs(across), -1, street.half - 0.5, wide)
        paint = np.maximum(paint * (1 - zone), stripes * zone)
    return np.asarray(paint, dtype=np.float32)


def _lay(street: Street, across: Plane, z: Plane, layer: _Layer, climate: Climate, foot: tuple[Plane, Plane]) -> None:
    """Paint pavement, kerb, road and marks over the lawn."""
    wide, long = foot
    distance = np.abs(across)
    if street.walk:
        reach = max(street.walk + street.half, street.wall + 1)
        layer.cover(_band(distance, 0, reach, wide), srgb(150, 146, 140), climate.apparent("concrete"))
        joints = np.maximum(_band(z % 1.2, 0, 0.05, long) * 0.8, _band(distance % 0.9, 0, 0.04, wide))
        near = np.clip(1.3 - long / 0.25, 0, 1)
        layer.cover(
            joints * near * _band(distance, street.half, reach, wide) * 0.5, srgb(90, 86, 82), climate.apparent("soil")
        )
        layer.cover(
            _band(distance, street.half, street.half + 0.22, wide),
            srgb(176, 174, 168),
            climate.apparent("concrete", 1, -2),
        )
        layer.cover(
            _band(distance, street.half - 0.1, street.half, wide), srgb(58, 58, 58), climate.apparent("asphalt", 0.3)
        )
    tone, kind = (srgb(92, 92, 94), "asphalt") if street.paved else (srgb(168, 150, 122), "soil")
    layer.cover(_band(distance, -1, street.half, wide), tone, climate.apparent(kind))
    if street.paved:
        lanes = np.abs(np.abs(across) - street.half / 2)
        tracks = np.exp(-((lanes - 0.75) ** 2) / 0.09) * (distance < street.half)
        layer.tint(1 - 0.13 * tracks)
        layer.planes[3] += 1.2 * tracks
        layer.cover(0.9 * _marks(street, across, z, wide, long), srgb(226, 226, 220), climate.apparent("paint"))


def paint(rng: np.random.Generator, canvas: Plane, view: View, street: Street, climate: Climate, light: Light) -> Plane:
    """Paint all below the horizon of a panorama (H, W, 4); return the sunlit ground (H, W), 0 elsewhere."""
    top = int(np.ceil((view.horizon + view.margin[1]) * SCALE))
    height, width = canvas.shape[0] - top, canvas.shape[1]
    rows, columns = np.ogrid[top : canvas.shape[0], 0:width]
    x, z = (v.astype(np.float32) for v in view.ground(rows, columns))
    foot = z / (SCALE * view.focal), z * z / (SCALE * view.focal * view.height)
    across = x - street.middle - street.slope * z
    fine, cloud = _tile(rng, 0.35), _tile(rng, 1.1)
    patches = _sample(cloud, x, z, 0.09, foot[1])
    detail = _sample(fine, x, z, 0.02, foot[1]) + 0.7 * _sample(fine, x + 3, z + 5, 0.11, foot[1])
    layer = _Layer(np.zeros((4, *x.shape), np.float32))
    layer.cover(np.ones_like(x), srgb(92, 112, 58), climate.apparent("grass"))
    layer.tint(1 + 0.18 * patches + 0.16 * detail)
    _lay(street, across + 0.03 * patches * (not street.paved), z, layer, climate, foot)
    layer.tint(np.clip(1 + 0.10 * patches + 0.13 * detail, 0.3, 1.8))
    coarse = x[::SCALE, ::SCALE], z[::SCALE]
    lit = np.ones_like(x)
    if any(light.sun):
        lit = resize(street.sunlit(*coarse, light), width, height)
    shade = climate.apparent("asphalt", 0) - climate.apparent("asphalt", 1)
    place = np.stack(np.broadcast_arrays(coarse[0], np.float32(0), coarse[1]), axis=-1)
    glow = resize(light.at(place, [0, 1, 0], 0.0), width, height)
    clear = np.exp(-z / light.visibility)
    for channel in range(3):
        beam = lit * np.float32(light.sun[channel] * light.toward[1]) + glow[..., channel]
        canvas[top:, :, channel] = layer.planes[channel] * beam * clear + np.float32(light.haze[channel]) * (1 - clear)
    clear = np.exp(-z / 900)
    heat = layer.planes[3] + 0.8 * patches + 0.25 * detail + np.float32(0.8 * shade) * (1 - lit)
    canvas[top:, :, 3] = heat * clear + climate.air * (1 - clear)
    sun = np.zeros(canvas.shape[:2], np.float32)
    sun[top:] = lit * any(light.sun)
    return sun
