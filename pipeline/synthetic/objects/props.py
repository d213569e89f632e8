"""Things that stand still: trees and bushes, lamps, signs, hydrants, benches, vents."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from pipeline.synthetic.objects.people import pick
from pipeline.synthetic.optics.camera import View
from pipeline.synthetic.optics.light import srgb
from pipeline.synthetic.optics.raster import Look, Part, Pose, Sprite, ball, finish

_LEAF = (srgb(70, 100, 40), srgb(86, 112, 48), srgb(58, 88, 46), srgb(112, 118, 52))
_BARK, _STEEL, _DARK = srgb(86, 70, 56), srgb(120, 124, 126), srgb(46, 50, 52)


_STOP = (
    ((1, 0.9), (0.5, 1), (0, 0.8), (1, 0.25), (0.5, 0), (0, 0.1)),
    ((0, 1), (1, 1), (0.5, 1), (0.5, 0)),
    ((0, 0), (0, 1), (1, 1), (1, 0), (0, 0)),
    ((0, 0), (0, 1), (1, 0.95), (1, 0.5), (0, 0.45)),
)
"""The word on a stop sign as strokes in unit squares."""


def _crown(rng: np.random.Generator, kind: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Clusters (n, 3) and their radii (n,) in metres, and the height of the trunk."""
    if kind == "conifer":
        up = np.sort(rng.uniform(0.9, 7.0, 110))[::-1]
        reach = 0.25 + 0.30 * (7.2 - up)
        angle = rng.uniform(0, 2 * np.pi, 110)
        spread = reach * np.sqrt(rng.uniform(0.1, 1, 110))
        return np.stack([spread * np.cos(angle), spread * np.sin(angle), up], axis=-1), 0.3 + 0.12 * reach, 6.5
    count, wide, tall, base = (16, 0.75, 0.4, 0.55) if kind == "bush" else (46, 1.9, 1.7, 4.6)
    wide, tall = wide * rng.uniform(0.8, 1.25), tall * rng.uniform(0.8, 1.2)
    ways = rng.standard_normal((count, 3))
    ways *= rng.uniform(0.35, 1, (count, 1)) ** 0.5 / np.linalg.norm(ways, axis=1, keepdims=True)
    return ways * [wide, wide, tall] + [0, 0, base], rng.uniform(0.3, 0.5, count) * wide**0.5, base


def plant(rng: np.random.Generator, kind: str, pose: Pose, view: View, look: Look) -> Sprite | None:
    """A tree, conifer or bush drawn leaf by leaf: lit on its sunny side, with holes through which the sky shows."""
    clusters, radii, trunk = _crown(rng, kind)
    size = float(rng.uniform(0.8, 1.3))
    clusters, radii, trunk = clusters * size, radii * size, trunk * size
    metre = view.pixels_per_metre(pose.z)
    foot = view.project(np.array([pose.x, 0.0, pose.z]))
    reach = float(np.abs(clusters[:, :2]).max() + 1.6 * radii.max())
    low = np.floor(foot - np.array([reach, clusters[:, 2].max() + 1.6 * radii.max()]) * metre).astype(int) - 2
    high = np.ceil(foot + np.array([reach, 0.1]) * metre).astype(int) + 2
    image = np.zeros((int(high[1] - low[1]), int(high[0] - low[0]), 4), np.float32)
    at = foot - low
    if kind != "bush":
        _boughs(rng, image, at, metre, clusters, trunk, look, pose.z)
    side = look.scene.toward[0]
    leaf = pick(rng, _LEAF)
    spread = np.ptp(clusters, axis=0) / 2
    for index in np.argsort(-clusters[:, 1]):
        centre, radius = clusters[index], radii[index]
        lift = (centre[2] - clusters[:, 2].mean()) / spread[2] + side * centre[0] / spread[0]
        _leaves(
            rng,
            image,
            at,
            metre,
            centre,
            radius,
            Part(np.zeros((1, 3)), leaf, "foliage", shade=0.72 + 0.22 * lift),
            look,
            pose.z,
        )
    return finish(image, low, 1, pose.z, look.cloth)


def _boughs(rng: np.random.Generator, image: np.ndarray, at: np.ndarray, metre: float, clusters: np.ndarray,
            trunk: float, look: Look, depth: float) -> None:  # fmt: skip
    """A tapering trunk, lighter in its middle, and a bough to every third cluster."""
    lean = float(rng.uniform(-0.02, 0.02))
    for share, shade in ((1.0, 0.65), (0.5, 1.05)):
        colour = look.colour(Part(np.zeros((1, 3)), _BARK, "trunk", shade=shade), depth)
        wide, narrow = 0.19 * share, 0.10 * share
        quad = np.array([(-wide, 0), (wide, 0), (lean + narrow, -trunk), (lean - narrow, -trunk)]) * metre + at
        cv2.fillConvexPoly(image, np.rint(quad * 16).astype(np.int32), colour, cv2.LINE_8, 4)
    for centre in clusters[::3]:
        ends = np.array([(0.0, -0.6 * trunk), (centre[0], -centre[2])]) * metre + at
        cv2.polylines(image, [np.rint(ends).astype(np.int32)], False, colour, max(1, round(0.07 * metre)))


def _leaves(rng: np.random.Generator, image: np.ndarray, at: np.ndarray, metre: float, centre: np.ndarray,
            radius: float, leaf: Part, look: Look, depth: float) -> None:  # fmt: skip
    """One cluster: dark leaves low and behind, bright ones high and in front."""
    count = int(np.clip(0.6 * (radius * metre) ** 1.35, 16, 190))
    spots = rng.normal(0, 0.55 * radius, (count, 2))
    spots = spots[np.argsort(spots[:, 1])]
    base = np.asarray(look.colour(leaf, depth))
    sizes = np.clip(
        rng.uniform(0.05, 0.12, count) * metre, 0.8, np.sqrt(radius * metre) * rng.uniform(0.5, 0.95, count)
    )
    tones = np.clip(1 + 0.5 * spots[:, 1] / radius + rng.normal(0, 0.16, count), 0.35, 1.8)
    warm = rng.normal(0, 0.35, count) + 0.5 * (tones - 1)
    colours = np.concatenate([base[:3] * tones[:, None], (base[3] + warm)[:, None]], axis=1)
    places = at + (np.array([centre[0], -centre[2]]) + spots * [1, -1]) * metre
    axes = np.stack([sizes, sizes * rng.uniform(0.5, 1, count)], axis=-1)
    middles, extents = np.rint(places * 16).astype(int).tolist(), np.rint(axes * 16).astype(int).tolist()
    turns = rng.uniform(0, 180, count).tolist()
    for middle, extent, turn, colour in zip(middles, extents, turns, colours.tolist()):
        cv2.ellipse(image, middle, extent, turn, 0, 360, colour, -1, cv2.LINE_8, 4)


def lamp_post(rng: np.random.Generator) -> list[Part]:
    """A pole of 5.2 m with an arm; its head glows and is warm when the lamps are on."""
    return [
        ball([(0, 0, 0), (0, 0, 5.2)], [0.075, 0.05], _STEEL, "metal"),
        ball([(0, 0, 0), (0, 0, 0.7)], [0.13, 0.11], _DARK, "metal", 1),
        ball([(0, 0, 5.15), (1.1, 0, 5.35)], [0.04, 0.035], _STEEL, "metal"),
        ball([(1.0, 0, 5.36), (1.55, 0, 5.38)], [0.07, 0.06], _DARK, "metal", 3),
        Part(np.array([(1.05, -0.12, 5.3), (1.5, -0.12, 5.3), (1.5, 0.12, 5.3), (1.05, 0.12, 5.3)]), (0.5, 0.46, 0.38),
             "lamp", np.full(4, 0.05), glow=12.0),
    ]  # fmt: skip


def sign(rng: np.random.Generator) -> list[Part]:
    """A stop sign: sheet metal that mirrors the cold sky."""
    angle = (np.arange(8) + 0.5) * np.pi / 4
    plate = np.stack([np.full(8, 0.05), np.cos(angle), np.sin(angle)], axis=-1)
    letters = [
        Part(np.array([(0.03, -(x + u * 0.1), 2.35 + v * 0.2) for u, v in line]), srgb(240, 240, 238), "metal",
             stroke=0.035, rank=3)
        for x, line in zip((-0.29, -0.13, 0.03, 0.17), _STOP)
    ]  # fmt: skip
    return [
        ball([(0, 0, 0), (0, 0, 2.75)], [0.035, 0.035], _STEEL, "metal"),
        Part(np.array([0, 0, 2.45]) + plate * [1, 0.39, 0.39], srgb(236, 236, 234), "metal", rank=1),
        Part(np.array([0.01, 0, 2.45]) + plate * [1, 0.35, 0.35], srgb(178, 26, 30), "metal", rank=2, heat=0.5),
        *letters,
    ]


def hydrant(rng: np.random.Generator) -> list[Part]:
    """A hydrant: thick iron that follows the weather slowly."""
    red = pick(rng, (srgb(186, 40, 32), srgb(206, 166, 40)))
    return [
        ball([(0, 0, 0.02), (0, 0, 0.05)], [0.13, 0.13], red, "metal", 3),
        ball([(0, 0, 0.05), (0, 0, 0.46)], [0.095, 0.088], red, "metal", 3),
        ball([(0, 0, 0.48), (0, 0, 0.56)], [0.095, 0.04], red, "metal", 4),
        ball([(0, -0.15, 0.36), (0, 0.15, 0.36)], [0.045, 0.045], red, "metal", 2),
        ball([(0, 0, 0.58), (0, 0, 0.62)], [0.03, 0.026], red, "metal", 4),
    ]


def bench(rng: np.random.Generator) -> list[Part]:
    """A park bench of slats on iron legs."""
    wood = pick(rng, (srgb(128, 88, 54), srgb(104, 78, 58)))
    slat = [(0.25, 0.45, 0.04), (0.08, 0.46, 0.04), (-0.08, 0.62, 0.03), (-0.12, 0.8, 0.03)]
    parts = [ball([(f, -0.8, u), (f, 0.8, u)], [r, r], wood, "plastic") for f, u, r in slat]
    for side in (-0.65, 0.65):
        parts.append(ball([(0.22, side, 0), (0.15, side, 0.42)], [0.03, 0.03], _DARK, "metal"))
        parts.append(ball([(-0.1, side, 0), (-0.1, side, 0.8)], [0.03, 0.03], _DARK, "metal"))
    return parts


def vent(rng: np.random.Generator) -> list[Part]:
    """A cabinet whose fan blows warm air: as bright as a person in the thermal picture."""
    box = [(f, r, u) for f in (-0.2, 0.2) for r in (-0.3, 0.3) for u in (0.05, 1.05)]
    fan = np.array([(0.26, -0.22, 0.55), (0.26, 0.22, 0.55), (0.26, 0.22, 0.95), (0.26, -0.22, 0.95)])
    return [
        ball(box, [0.03] * 8, srgb(138, 146, 142), "metal", 3),
        Part(fan, _DARK, "plastic", heat=15, rank=2),
    ]


KINDS: dict[str, tuple[Callable[[np.random.Generator], list[Part]], int]] = {
    "stop sign": (sign, 11),
    "fire hydrant": (hydrant, 10),
    "bench": (bench, 13),
}
"""Props that are objects of their own: name, maker, and class in the 80-class COCO order."""
