"""The heat model: what each surface's apparent temperature is, by weather and sun.

Surfaces are grey bodies, and what they do not emit they reflect from the sky: apparent = e T + (1 - e) T_sky, with
temperatures in kelvin in place of radiances (linear over the 8-14 um band to within a few per cent in the range
of a street). The offsets are typical of published thermography of streets: asphalt gains most by day and holds its
heat at night, grass and car roofs fall below the air under a clear sky, glass looks cold because it mirrors the sky.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ZERO = 273.15
"""0 degrees Celsius in kelvin."""
BODY = ZERO + 34.0
"""Skin temperature in kelvin."""


@dataclass(frozen=True)
class Material:
    """How a surface warms, in kelvin above the air, and how well it emits.

    Attributes:
        sun: offset in full sun.
        shade: offset by day in shade.
        night: offset at night.
        emissivity: share emitted; the rest mirrors the sky.
        body: share of the way from the air's temperature to :data:`BODY`.
    """

    sun: float
    shade: float
    night: float
    emissivity: float = 0.95
    body: float = 0.0


MATERIALS = {
    "asphalt": Material(13, 2.5, 4.0),
    "paint": Material(7, 1.5, 3.0, 0.91),
    "concrete": Material(10, 1.5, 2.5, 0.94),
    "grass": Material(3.0, 0.0, -2.5, 0.98),
    "soil": Material(9, 1.0, 0.5),
    "brick": Material(11, 1.5, 3.2, 0.93),
    "plaster": Material(8, 1.0, 2.2, 0.92),
    "roof": Material(16, 3.0, -4.0, 0.90),
    "glass": Material(3, 1.0, 2.5, 0.84),
    "foliage": Material(1.5, -0.5, -0.3, 0.98),
    "trunk": Material(5, 0.5, 1.0),
    "metal": Material(9, 1.0, -1.0, 0.86),
    "car": Material(11, 1.0, -1.5, 0.88),
    "rubber": Material(7, 1.5, 1.0),
    "plastic": Material(8, 1.0, 0.5, 0.93),
    "skin": Material(1, 0, -1.0, 0.98, 1.0),
    "cloth": Material(4, 0.5, 0.0, 0.96, 0.52),
    "hair": Material(6, 0.5, 0.0, 0.96, 0.50),
    "fur": Material(4, 0.5, 0.0, 0.97, 0.66),
    "lamp": Material(6, 1.0, 14.0),
}


@dataclass(frozen=True)
class Climate:
    """The weather of a sequence.

    Attributes:
        night: no sun, lamps on.
        air: kelvin.
        sky: what the clear sky overhead looks like to the camera, in kelvin.
    """

    night: bool
    air: float
    sky: float

    @classmethod
    def draw(cls, rng: np.random.Generator, night: bool) -> Climate:
        """Weather of any season but frost: a hot day has walls warmer than people, a cool one does not."""
        air = ZERO + float(rng.uniform(4, 16) if night else rng.uniform(12, 30))
        return cls(night, air, air - float(rng.uniform(26, 40)))

    def apparent(self, material: str, sun: float = 1.0, heat: float = 0.0) -> float:
        """Apparent temperature of a surface in kelvin; ``sun`` is 0 (shade) to 1, ``heat`` extra kelvin."""
        m = MATERIALS[material]
        offset = m.night if self.night else m.shade + sun * (m.sun - m.shade)
        kinetic = self.air + m.body * (BODY - self.air) + offset * (1 - 0.6 * m.body) + heat
        return m.emissivity * kinetic + (1 - m.emissivity) * self.sky

    def haze(self, distance: float) -> float:
        """Share of a surface's own radiance that crosses ``distance`` metres of air in the thermal band."""
        return float(np.exp(-distance / 900.0))
