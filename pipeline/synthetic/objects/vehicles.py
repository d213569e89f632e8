"""Cars, vans, buses and bicycles as solids in metres: forward, right, up, with the wheels on the ground."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.synthetic.objects.bodies import BUS, CAR, HATCH, VAN, Body
from pipeline.synthetic.objects.people import pick
from pipeline.synthetic.optics.camera import Points, View
from pipeline.synthetic.optics.light import Colour, srgb
from pipeline.synthetic.optics.raster import Part, Pose, ball

_PAINT = (
    srgb(222, 224, 226), srgb(150, 154, 160), srgb(44, 46, 52), srgb(140, 28, 32), srgb(36, 62, 116),
    srgb(196, 188, 168), srgb(60, 92, 84), srgb(104, 108, 114), srgb(214, 170, 48),
)  # fmt: skip
_GLASS, _BLACK, _TYRE, _HUB = srgb(64, 76, 86), srgb(18, 18, 20), srgb(34, 33, 33), srgb(150, 152, 156)
_LAMP, _TAIL = (0.9, 0.88, 0.8), srgb(170, 18, 20)


@dataclass(frozen=True)
class Vehicle:
    """One vehicle; ``running`` warms its engine, tyres and exhaust, ``lights`` are on."""

    body: Body
    paint: Colour
    running: bool
    lights: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, running: bool, lights: bool, large: bool = False) -> Vehicle:
        """A saloon or a hatchback, or at times something ``large``."""
        body = (BUS, VAN)[int(rng.random() < 0.6)] if large else (CAR, HATCH)[int(rng.random() < 0.5)]
        return cls(body, pick(rng, _PAINT), running, lights)

    def parts(self, pose: Pose, view: View) -> list[Part]:
        """The faces that the camera sees: a part at an angle has its own shade."""
        local = _local(np.array([0.0, view.height, 0.0]), pose)
        side = 1.0 if local[1] > 0 else -1.0
        heat = 9.0 if self.running else 0.0
        parts = self._across(local, heat)
        lean = [self._half(up) * side for _, up in self.body.profile]
        outline = np.array([(f, y, u) for (f, u), y in zip(self.body.profile, lean)])
        parts.append(Part(outline, self.paint, "car", shade=0.95, heat=0.25 * heat))
        lower = np.array([(f, y, u) for (f, u), y in zip(self.body.profile, lean) if u <= self.body.belt])
        parts.append(Part(lower, self.paint, "car", shade=0.78, heat=0.35 * heat + 0.8))
        for window in self.body.windows:
            glass = np.array([(f, (self._half(u) + 0.01) * side, u) for f, u in window])
            parts.append(Part(glass, _GLASS, "glass", shade=0.7, heat=2.0 if self.running else 0))
            sky = glass[:3] + np.array([0, 0.01 * side, 0])
            parts.append(Part(sky, srgb(120, 136, 148), "glass", shade=0.7, heat=-1.0))
        parts += self._seams(side)
        for axle in self.body.axles:
            parts += self._wheel(axle, side)
        return [replace(part, rank=index) for index, part in enumerate(parts)]

    def _seams(self, side: float) -> list[Part]:
        """Gaps round the doors, a handle, and the sill's shadow."""
        y, belt = (self.body.width / 2 + 0.01) * side, self.body.belt
        lines = [((f, y, 0.42), (f, y, belt)) for f in (-0.38, 0.95)] + [((-0.95, y, 0.5), (-0.75, y, belt))]
        parts = [Part(np.array(line), self.paint, "plastic", stroke=0.012, shade=0.45) for line in lines]
        handle = np.array([(-0.3, y, belt - 0.12), (-0.14, y, belt - 0.12)])
        sill = np.array([(self.body.axles[0], y, 0.27), (self.body.axles[1], y, 0.27)])
        parts.append(Part(handle, _HUB, "metal", stroke=0.03))
        return [*parts, Part(sill, _BLACK, "plastic", stroke=0.1, shade=0.5, heat=2.0)]

    def _half(self, up: float) -> float:
        """Half the width at a height: full below the belt, ``narrow`` at the roof."""
        top = self.body.profile[len(self.body.profile) // 2][1]
        share = np.clip((up - self.body.belt) / (top - self.body.belt), 0, 1)
        return float(self.body.width / 2 * (1 - (1 - self.body.narrow) * share))

    def _across(self, camera: Points, heat: float) -> list[Part]:
        parts: list[Part] = []
        profile = self.body.profile
        floor = np.array(
            [
                (f, s * self.body.width / 2, 0.3)
                for f, s in ((profile[0][0], -1), (profile[0][0], 1), (profile[-1][0], 1), (profile[-1][0], -1))
            ]
        )
        parts.append(Part(floor, _BLACK, "rubber", shade=0.3, heat=heat))  # fmt: skip
        for (f0, u0), (f1, u1), face in zip(profile, profile[1:], self.body.faces):
            normal = np.array([-(u1 - u0), 0.0, f1 - f0])
            middle = np.array([(f0 + f1) / 2, 0, (u0 + u1) / 2])
            if normal @ (camera - middle) <= 0:
                continue
            a, b = self._half(u0), self._half(u1)
            quad = np.array([(f0, -a, u0), (f0, a, u0), (f1, b, u1), (f1, -b, u1)])
            tilt = normal[2] / np.linalg.norm(normal)
            parts += self._face(face, quad, float(0.72 + 0.45 * max(tilt, 0)), heat, float(middle[0]))
        return parts

    def _face(self, face: str, quad: Points, shade: float, heat: float, forward: float) -> list[Part]:
        warm = heat * (1.0 if forward > 0.9 else 0.1)
        if face == "g":
            inner = quad.mean(axis=0) + (quad - quad.mean(axis=0)) * np.array([0.94, 0.9, 0.94])
            frame = Part(quad, self.paint, "car", shade=shade, heat=warm * 0.3)
            return [frame, Part(inner, _GLASS, "glass", shade=shade * 0.8, heat=2.5 if self.running else 0)]
        if face == "p":
            plate = _inset(quad, 0.38, 0.62, 0.35, 0.85)
            return [Part(quad, self.paint, "plastic", shade=shade * 0.7, heat=warm * 0.7),
                    Part(plate, srgb(228, 226, 214), "metal", shade=shade)]  # fmt: skip
        parts = [Part(quad, self.paint, "car", shade=shade, heat=warm)]
        if face in "fr":
            glow = (2.5 if face == "f" else 0.8) if self.lights else 0.0
            lamp, material = (_LAMP, "lamp") if face == "f" else (_TAIL, "plastic")
            span = (0.25, 0.75) if abs(quad[0, 2] - quad[2, 2]) < 0.6 else (0.5, 0.75)
            for left in (0.04, 0.74):
                parts.append(Part(_inset(quad, left, left + 0.22, *span), lamp, material, shade=0.8, glow=glow))
            dark = _inset(quad, 0.3, 0.7, 0.15, 0.7) if face == "f" else _inset(quad, 0.1, 0.9, 0.0, 0.12)
            parts.append(Part(dark, _BLACK, "plastic", shade=0.6, heat=heat * 1.5 if face == "f" else 0))
            if face == "r" and self.running:
                parts.append(ball([(quad[0, 0] - 0.03, 0.45, 0.27)], [0.05], _HUB, "metal", 45))
        return parts

    def _wheel(self, axle: float, side: float) -> list[Part]:
        angle = np.arange(20) * np.pi / 10
        ring = np.stack([np.cos(angle), np.zeros(20), np.sin(angle)], axis=-1)
        centre = np.array([axle, self.body.width / 2 * side, self.body.wheel])
        warm = 11.0 if self.running else 0.0
        arch = centre + ring * (self.body.wheel + 0.06) + [0, 0, 0.03]
        return [
            Part(arch[arch[:, 2] > 0.2], _BLACK, "plastic", shade=0.4, heat=warm * 0.6),
            Part(centre + ring * self.body.wheel, _TYRE, "rubber", shade=0.8, heat=warm),
            Part(centre + ring * self.body.wheel * 0.62, _HUB, "metal", shade=0.8, heat=warm * 1.9),
            Part(centre + ring * self.body.wheel * 0.2, _BLACK, "metal", shade=0.7, heat=warm * 2.4),
        ]


def _inset(quad: Points, across0: float, across1: float, along0: float, along1: float) -> Points:
    """A smaller quad within a quad, by shares of its two sides."""
    first = quad[0] + (quad[1] - quad[0]) * np.array([[across0], [across1]])
    last = quad[3] + (quad[2] - quad[3]) * np.array([[across0], [across1]])
    rows = [first + (last - first) * share for share in (along0, along1)]
    return np.array([rows[0][0], rows[0][1], rows[1][1], rows[1][0]])


def _local(world: Points, pose: Pose) -> Points:
    """A world point (3,) in an object's own metres."""
    x, z = world[0] - pose.x, world[2] - pose.z
    c, s = np.cos(pose.heading), np.sin(pose.heading)
    return np.array([x * c + z * s, x * s - z * c, world[1]])


def bicycle(rgb: Colour, phase: float) -> list[Part]:
    """A bicycle 1.7 m long with its crank at a phase in radians."""
    angle = np.linspace(0, 2 * np.pi, 25)
    ring = np.stack([np.cos(angle), np.zeros(25), np.sin(angle)], axis=-1) * 0.32
    rear, front, crank = np.array([-0.52, 0, 0.34]), np.array([0.55, 0, 0.34]), np.array([0.06, 0, 0.33])
    seat, head = np.array([-0.22, 0, 0.82]), np.array([0.4, 0, 0.86])
    pedal = np.array([0.17 * np.cos(phase), 0, 0.17 * np.sin(phase)])
    parts = [Part(hub + ring, _TYRE, "rubber", stroke=0.045, heat=2.5) for hub in (rear, front)]
    tubes = [(rear, crank, seat, rear), (crank, head, seat), (head, front)]
    parts += [Part(np.array(tube), rgb, "metal", stroke=0.045) for tube in tubes]
    bar = np.array([(0.46, -0.26, 1.02), (0.42, 0, 1.0), (0.46, 0.26, 1.02)])
    parts.append(Part(bar, _BLACK, "metal", stroke=0.035))
    parts.append(Part(np.array([head, bar[1]]), rgb, "metal", stroke=0.04))
    parts.append(ball([(-0.32, 0, 0.9), (-0.12, 0, 0.9)], [0.06, 0.03], _BLACK, "plastic", 4))
    parts.append(Part(np.array([crank - pedal, crank + pedal]), _HUB, "metal", stroke=0.03))
    return parts
