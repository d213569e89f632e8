"""People and dogs as jointed solids in metres: forward, right, up, with the feet on the ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.synthetic.optics.camera import Points
from pipeline.synthetic.optics.light import Colour, srgb
from pipeline.synthetic.optics.raster import Part, ball

Joint = tuple[float, float, float] | Points
"""Forward, right, up in metres."""

_SKIN = (srgb(236, 196, 170), srgb(208, 160, 128), srgb(150, 104, 76), srgb(96, 66, 50))
_HAIR = (srgb(36, 28, 24), srgb(60, 42, 30), srgb(112, 82, 52), srgb(150, 146, 142))
_TOP = (
    srgb(40, 44, 54), srgb(168, 36, 40), srgb(226, 224, 220), srgb(52, 86, 144), srgb(58, 98, 70),
    srgb(198, 154, 60), srgb(110, 112, 118), srgb(88, 60, 92), srgb(120, 150, 178), srgb(72, 58, 46),
)  # fmt: skip
_LEGS = (srgb(38, 42, 60), srgb(30, 30, 33), srgb(96, 92, 84), srgb(62, 74, 104), srgb(150, 136, 112))
_FUR = (srgb(148, 108, 66), srgb(44, 38, 34), srgb(206, 196, 178), srgb(112, 88, 70))


def pick(rng: np.random.Generator, palette: Sequence[Colour]) -> Colour:
    """One colour of a palette, a little off, as dyes and paints are."""
    red, green, blue = palette[int(rng.integers(len(palette)))]
    tone = rng.uniform(0.85, 1.15, 3)
    return float(red * tone[0]), float(green * tone[1]), float(blue * tone[2])


@dataclass(frozen=True)
class Person:
    """How one person looks.

    Attributes:
        size: stature over 1.75 m.
        stout: girth over the usual.
        skin, hair, top, legs, shoes: linear colours.
        coat: length of coat or skirt below the hip in metres, 0 for none.
        bare: arms and shins are bare.
        pack: colour of a backpack, if any.
        warm: kelvin that this one's clothes are warmer than usual.
    """

    size: float
    stout: float
    skin: Colour
    hair: Colour
    top: Colour
    legs: Colour
    shoes: Colour
    coat: float
    bare: bool
    pack: Colour | None
    warm: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Person:
        """Someone of any build and any wardrobe."""
        return cls(
            size=float(rng.normal(0.98, 0.06)),
            stout=float(rng.uniform(0.88, 1.18)),
            skin=pick(rng, _SKIN),
            hair=pick(rng, _HAIR),
            top=pick(rng, _TOP),
            legs=pick(rng, _LEGS),
            shoes=pick(rng, (srgb(30, 28, 28), srgb(200, 198, 196))),
            coat=float(rng.choice((0.0, 0.0, 0.22, 0.42))),
            bare=bool(rng.random() < 0.35),
            pack=pick(rng, _TOP) if rng.random() < 0.3 else None,
            warm=float(rng.normal(0, 1.2)),
        )

    def walking(self, phase: float) -> list[Part]:
        """Parts at a phase of the stride in radians; two steps are 2 pi."""
        right, left = _leg(phase), _leg(phase + np.pi)
        hip = 0.07 - min(right[2][1], left[2][1])
        parts = [*self._limb(right, 0.09, hip), *self._limb(left, -0.09, hip)]
        for side, swing in ((1, np.sin(phase + np.pi)), (-1, np.sin(phase))):
            shoulder = (0.0, 0.172 * side * self.stout, hip + 0.48)
            upper, lower = 0.55 * swing, 0.55 * swing + 0.35
            elbow = (0.29 * np.sin(upper), 0.205 * side * self.stout, hip + 0.48 - 0.29 * np.cos(upper))
            wrist = (elbow[0] + 0.25 * np.sin(lower), elbow[1] - 0.01 * side, elbow[2] - 0.25 * np.cos(lower))
            parts += self._arm(shoulder, elbow, wrist)
        return [self._scale(part) for part in [*parts, *self._trunk(hip, 0.02), *self._head((0.02, 0, hip + 0.50))]]

    def riding(self, phase: float) -> list[Part]:
        """Parts when pedalling a bicycle whose saddle is 0.92 m high, at a phase of the crank in radians."""
        parts: list[Part] = []
        hip = np.array([-0.22, 0.0, 0.98])
        for side in (1, -1):
            angle = phase + (0 if side > 0 else np.pi)
            foot = np.array([0.06 + 0.17 * np.cos(angle), 0.10 * side, 0.33 + 0.17 * np.sin(angle)])
            top = hip + np.array([0, 0.10 * side, 0])
            knee = _bend(top, foot, 0.46, 0.46)
            parts.append(ball([top, knee], [0.095 * self.stout, 0.065], self.legs, "cloth", self.warm))
            parts += self._shin(knee, foot)
            shoulder = np.array([0.13, 0.19 * side, 1.44])
            grip = np.array([0.46, 0.24 * side, 1.04])
            parts += self._arm(shoulder, (shoulder + grip) / 2 + np.array([-0.03, 0.05 * side, -0.06]), grip)
        return [*parts, *self._trunk(1.0, 0.35, -0.22), *self._head((0.16, 0, 1.46))]

    def _scale(self, part: Part) -> Part:
        radii = None if part.radii is None else part.radii * self.size
        return Part(part.points * self.size, part.rgb, part.material, radii, heat=part.heat)

    def _limb(self, joints: list[tuple[float, float]], right: float, hip: float) -> list[Part]:
        top, knee, ankle = ((forward, right, hip + up) for forward, up in joints)
        thigh = ball([top, knee], [0.092 * self.stout, 0.066], self.legs, "cloth", self.warm)
        return [thigh, *self._shin(knee, ankle)]

    def _shin(self, knee: Joint, ankle: Joint) -> list[Part]:
        colour, material = (self.skin, "skin") if self.bare and not self.coat else (self.legs, "cloth")
        toe = (ankle[0] + 0.13, ankle[1], max(ankle[2] - 0.04, 0.03))
        shoe = ball([(ankle[0] - 0.03, ankle[1], ankle[2] - 0.02), toe], [0.05, 0.035], self.shoes, "cloth", -2.5)
        heat = -2.0 if material == "skin" else self.warm - 1.0
        return [ball([knee, ankle], [0.062, 0.043], colour, material, heat), shoe]

    def _arm(self, shoulder: Joint, elbow: Joint, wrist: Joint) -> list[Part]:
        colour, material = (self.skin, "skin") if self.bare else (self.top, "cloth")
        hand = ball([wrist], [0.05], self.skin, "skin", -2.5)
        upper = ball([shoulder, elbow], [0.062 * self.stout, 0.048], self.top, "cloth", self.warm)
        return [upper, ball([elbow, wrist], [0.046, 0.036], colour, material, -1.5), hand]

    def _trunk(self, hip: float, lean: float, forward: float = 0.0) -> list[Part]:
        chest, waist = 0.115 * self.stout, 0.12 * self.stout
        across = 0.115 * self.stout
        top = forward + lean
        points = [(top, across, hip + 0.46), (top, -across, hip + 0.46)]
        points += [(forward, 0.09, hip + 0.02), (forward, -0.09, hip + 0.02)]
        parts = [ball(points, [chest * 0.8] * 2 + [waist] * 2, self.top, "cloth", self.warm + 0.8)]
        if self.coat:
            hem = [(forward, s * 0.12, hip - self.coat) for s in (1, -1)]
            parts.append(ball([*points[2:], *hem], [waist * 1.05] * 2 + [0.1] * 2, self.top, "cloth", self.warm - 1))
        if self.pack:
            bag = [(top - 0.19, s * 0.1, hip + up) for s in (1, -1) for up in (0.42, 0.14)]
            parts.append(ball(bag, [0.075] * 4, self.pack, "cloth", -5))
        return parts

    def _head(self, neck: tuple[float, float, float]) -> list[Part]:
        forward, right, up = neck
        return [
            ball([(forward, right, up - 0.02), (forward + 0.02, right, up + 0.1)], [0.055, 0.055], self.skin, "skin"),
            ball([(forward, right, up + 0.21), (forward - 0.01, right, up + 0.15)], [0.1, 0.088], self.hair, "hair", 1),
            ball([(forward + 0.045, right, up + 0.18), (forward + 0.05, right, up + 0.11)], [0.078, 0.06], self.skin,
                 "skin", 0.5),
        ]  # fmt: skip


def _leg(phase: float) -> list[tuple[float, float]]:
    """(forward, up) of hip, knee and ankle relative to the hip: the knee gives way while the leg swings forward."""
    thigh = 0.46 * np.sin(phase) + 0.04
    shin = thigh - 0.12 - 0.85 * max(0.0, np.cos(phase)) ** 2
    knee = 0.43 * np.sin(thigh), -0.43 * np.cos(thigh)
    return [(0.0, 0.0), knee, (knee[0] + 0.43 * np.sin(shin), knee[1] - 0.43 * np.cos(shin))]


def _bend(top: Points, foot: Points, upper: float, lower: float) -> Points:
    """The knee between hip and foot, bent forward, for given lengths of thigh and shin."""
    way = foot - top
    reach = min(float(np.linalg.norm(way)), 0.98 * (upper + lower))
    along = (upper**2 - lower**2 + reach**2) / (2 * reach)
    out = np.sqrt(max(upper**2 - along**2, 0.0))
    unit = way / np.linalg.norm(way)
    return np.asarray(top + unit * along + np.array([-unit[2], 0, unit[0]]) * out)


@dataclass(frozen=True)
class Dog:
    """A dog of some breed: ``size`` over a shoulder height of 0.55 m."""

    size: float
    fur: Colour

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Dog:
        """Any dog."""
        return cls(float(rng.uniform(0.8, 1.15)), pick(rng, _FUR))

    def walking(self, phase: float) -> list[Part]:
        """Parts at a phase of the trot in radians."""
        parts = [
            ball([(0.28, 0, 0.52), (-0.3, 0, 0.52)], [0.15, 0.125], self.fur, "fur"),
            ball([(0.34, 0, 0.58), (0.46, 0, 0.68)], [0.105, 0.085], self.fur, "fur", 1.5),
            ball([(0.49, 0, 0.73), (0.66, 0, 0.67)], [0.092, 0.045], self.fur, "fur", 3.5),
            ball([(0.44, 0.07, 0.83), (0.43, 0.09, 0.72)], [0.02, 0.035], self.fur, "fur", 2.5),
            ball([(0.44, -0.07, 0.83), (0.43, -0.09, 0.72)], [0.02, 0.035], self.fur, "fur", 2.5),
            ball([(-0.38, 0, 0.58), (-0.62, 0.05 * np.sin(2 * phase), 0.74)], [0.035, 0.018], self.fur, "fur", -4),
        ]
        for forward, side, lag in ((0.26, 1, 0), (0.26, -1, np.pi), (-0.3, 1, np.pi), (-0.3, -1, 0)):
            swing = 0.5 * np.sin(phase + lag)
            knee = (forward + 0.25 * np.sin(swing), 0.08 * side, 0.5 - 0.25 * np.cos(swing))
            paw = (knee[0] + 0.23 * np.sin(swing - 0.25), 0.08 * side, 0.27 - 0.23 * np.cos(swing - 0.25))
            top = (forward, 0.08 * side, 0.5)
            parts += [ball([top, knee], [0.075, 0.045], self.fur, "fur", -1)]
            parts += [ball([knee, (paw[0], paw[1], max(paw[2], 0.03))], [0.04, 0.03], self.fur, "fur", -3.5)]
        return [Part(p.points * self.size, p.rgb, p.material, (p.radii if p.radii is not None else np.zeros(1))
                     * self.size, heat=p.heat) for p in parts]  # fmt: skip
