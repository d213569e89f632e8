"""What is far away: the sky with its clouds, and the woods or roofs against it."""

from __future__ import annotations

import numpy as np

from pipeline.synthetic.objects.facades import WALLS
from pipeline.synthetic.objects.people import pick
from pipeline.synthetic.optics.camera import SCALE, View
from pipeline.synthetic.optics.heat import Climate
from pipeline.synthetic.optics.light import Light, srgb
from pipeline.synthetic.optics.noise import Plane, fractal, grain, resize, smoothstep


def sky(rng: np.random.Generator, canvas: Plane, view: View, climate: Climate, light: Light) -> None:
    """Blue to haze with clouds by day, a glow over roofs by night; cold above and air-warm at the horizon in TIR."""
    height, width = round((view.horizon + view.margin[1]) * SCALE) + 2, canvas.shape[1]
    elevation = np.maximum(height - 2 - np.arange(height, dtype=np.float32), 0)[:, None] / (SCALE * view.focal)
    rise = 1 - np.exp(-elevation / 0.22)
    small = fractal(rng, height // SCALE, width // SCALE, 0.25 * width, 5)
    veil = smoothstep(elevation, 0.01, 0.15)
    cloud = resize(smoothstep(small, -0.1, 1.5), width, height) * veil
    zenith = np.array((0.004, 0.005, 0.010) if climate.night else (0.16, 0.34, 0.68), np.float32)
    white = np.array((0.016, 0.015, 0.017) if climate.night else (0.95, 0.96, 0.98), np.float32)
    haze = np.asarray(light.haze, np.float32) * (1.6 if climate.night else 1.05)
    blue = haze + rise[..., None] * (zenith - haze)
    canvas[:height, :, :3] = blue + 0.8 * cloud[..., None] * (white - blue)
    clear = climate.air - 3 + (climate.sky - climate.air + 3) * rise
    canvas[:height, :, 3] = clear + 0.6 * cloud * (climate.air - 6 - clear)


def _crest(rng: np.random.Generator, width: int, scale: float, rise: float, wooded: bool) -> Plane:
    """Height in metres of the far edge in each column: crowns of trees side by side, or roofs."""
    if not wooded:
        return np.repeat(rng.uniform(0.2, 1.0, width), max(4, int(16 * scale)))[:width].astype(np.float32) * np.float32(
            rise
        )
    at = np.arange(width, dtype=np.float32)
    crest = np.zeros(width, np.float32)
    hills = 0.75 + 0.25 * np.sin(at / width * float(rng.uniform(4, 9)) + float(rng.uniform(0, 6)))
    for middle in np.arange(0, width, 2.6 * scale) + rng.uniform(0, 2.6 * scale):
        reach = scale * rng.uniform(2.0, 4.5)
        round_top = np.sqrt(np.maximum(1 - ((at - middle) / reach) ** 2, 0))
        crest = np.maximum(crest, hills * rise * rng.uniform(0.45, 1.0) * (0.6 + 0.4 * round_top) * (round_top > 0))
    return np.asarray(crest + 0.5 * rng.standard_normal(width), dtype=np.float32)


def skyline(rng: np.random.Generator, canvas: Plane, view: View, climate: Climate, light: Light, wooded: bool) -> None:
    """The far edge of the scene: woods, or roofs in the haze with their lit windows, standing on the far ground."""
    width = canvas.shape[1]
    for layer, (distance, rise) in enumerate(((420.0, 38.0), (240.0, 26.0), (130.0, 11.0))):
        scale = view.pixels_per_metre(distance)
        trees = wooded or layer == 2
        crest = _crest(rng, width, scale, rise, trees)
        base = (view.horizon + view.margin[1]) * SCALE + view.height * scale
        low, high = max(int(base - 1.1 * rise * scale) - 4, 0), int(base) + 1
        rows = np.arange(low, high, dtype=np.float32)[:, None]
        mask = smoothstep(rows - (base - np.maximum(crest, 1) * scale), -0.7, 0.7)
        tone, material = (srgb(62, 84, 46), "foliage") if trees else (pick(rng, [w[1] for w in WALLS]), "plaster")
        tones = 1 + 0.22 * fractal(rng, high - low, width, (2 if trees else 6) * scale, 3)
        rgb = np.asarray(tone, np.float32) * light.at([0, 10, distance], [0, 0.3, -0.95]) * tones[..., None]
        if climate.night and not trees:
            lit = (grain(rng, high - low, width, 3) > 2.0) & (np.arange(width) % 9 < 5)
            rgb = rgb + lit[..., None] * np.array([0.5, 0.36, 0.18], np.float32)
        clear = climate.haze(distance)
        heat = clear * (climate.apparent(material, 0.5) + 1.2 * (tones - 1)) + (1 - clear) * climate.air
        area = canvas[low:high]
        area[..., :3] += mask[..., None] * (light.through_air(rgb.astype(np.float32), distance) - area[..., :3])
        area[..., 3] += mask * (heat - area[..., 3])
