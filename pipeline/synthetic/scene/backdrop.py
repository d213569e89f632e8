"""The still part of a scene, drawn once a sequence: sky, far edge, ground, houses, plants and posts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic.objects import facades, ground, horizon, props
from pipeline.synthetic.optics.noise import Draw, Plane, stream
from pipeline.synthetic.optics.raster import Look, Pose, Sprite, draw, overlap, paste
from pipeline.synthetic.scene import shadows
from pipeline.synthetic.scene.scene import Fixture, Scene, cloth


@dataclass(frozen=True)
class Still:
    """An object that does not move, to be laid in frame by frame: what can pass before it can also pass behind it."""

    ident: int
    name: str
    coco: int
    sprite: Sprite
    pose: Pose
    footprint: tuple[float, float]


@dataclass(frozen=True)
class Backdrop:
    """What stays the same over a sequence.

    Attributes:
        canvas: (H, W, 4) panorama of radiance and temperature.
        sun: (H, W) 1 on sunlit ground that is in view, 0 elsewhere.
        lit: (H, W) 1 on ground that the houses leave in the sun, whatever stands before it.
        screens: fixtures that can hide what passes behind them.
        still: objects that do not move.
    """

    canvas: Plane
    sun: Plane
    lit: Plane
    screens: tuple[Sprite, ...]
    still: tuple[Still, ...]


def look_at(scene: Scene, lit: Plane, pose: Pose, folds: Plane) -> Look:
    """Light and warmth for an upright thing at a place; ``lit`` is :attr:`Backdrop.lit`."""
    x, y = scene.view.project(np.array([pose.x, 0.0, pose.z])).astype(int)
    column, row = min(max(x, 4), lit.shape[1] - 5), min(max(y, 4), lit.shape[0] - 5)
    sun = float(lit[row - 4 : row + 5, column - 4 : column + 5].mean())
    normal = np.array([0.5 * np.sign(scene.light.toward[0]), 0.35, -0.79])
    red, green, blue = scene.light.at([pose.x, 1.2, pose.z], normal, sun).tolist()
    return Look((red, green, blue), scene.climate, scene.light, sun, folds)


def _houses(rng: np.random.Generator, scene: Scene, canvas: Plane, sun: Plane) -> None:
    """The rows on both sides, far ones first: the wall along the street, then the near end."""
    street, light = scene.street, scene.light
    for house in street.houses:
        inner = street.wall * house.side
        ends = np.array([[street.x(inner, z), 0, z] for z in (house.near, house.far)])
        outer = ends[0] + np.array([12.0 * house.side, 0, 0])
        if house.far > 4:
            near = ends[0] + (ends[1] - ends[0]) * max(0.0, (3.5 - house.near) / (house.far - house.near))
            foot = np.array([near, ends[1]] if house.side < 0 else [ends[1], near])
            facing = max(0.0, -house.side * light.toward[0])
            length = float(np.linalg.norm(foot[1] - foot[0]))
            density = scene.view.pixels_per_metre(float(near[2]))
            sheet = facades.front(rng, length, house.height, scene.climate, facing, density)
            facades.erect(canvas, sheet, foot, house.height, scene.view, light, sun)
        if house.near > 5:
            foot = np.array([outer, ends[0]] if house.side < 0 else [ends[0], outer])
            density = scene.view.pixels_per_metre(house.near)
            sheet = facades.front(rng, 12.0, house.height, scene.climate, max(0.0, -light.toward[2]), density)
            facades.erect(canvas, sheet, foot, house.height, scene.view, light, sun)


def _fixture(scene: Scene, lit: Plane, item: Fixture) -> Sprite | None:
    rng = stream(scene.seed, *scene.key, Draw.FIXTURE, item.number)
    look = look_at(scene, lit, item.pose, 0.5 * cloth(rng))
    if item.kind in ("tree", "bush", "conifer"):
        return props.plant(rng, item.kind, item.pose, scene.view, look)
    maker = {"lamp": props.lamp_post, "vent": props.vent}.get(item.kind) or props.KINDS[item.kind][0]
    return draw(maker(rng), item.pose, scene.view, look)


def _still(scene: Scene, lit: Plane) -> list[Still]:
    """Draw the objects that never move: furniture of the street, and parked cars."""
    found: list[Still] = []
    for number, item in enumerate(scene.objects):
        if sprite := _fixture(scene, lit, item):
            found.append(Still(10 + number, item.kind, props.KINDS[item.kind][1], sprite, item.pose, (0.2, 0.3)))
    for actor in scene.actors:
        for solid in actor.at(0.0, scene.view) if not actor.path.speed else ():
            if sprite := draw(solid.parts, solid.pose, scene.view, look_at(scene, lit, solid.pose, actor.cloth)):
                found.append(Still(solid.ident, solid.name, solid.coco, sprite, solid.pose, solid.footprint))
    return found


def build(scene: Scene) -> Backdrop:
    """Draw the panorama of a scene."""
    rng = stream(scene.seed, *scene.key, Draw.BACKDROP)
    view, climate, light = scene.view, scene.climate, scene.light
    width, height = view.panorama
    canvas = np.zeros((height, width, 4), np.float32)
    horizon.sky(rng, canvas, view, climate, light)
    sun = ground.paint(rng, canvas, view, scene.street, climate, light)
    lit = sun.copy()
    horizon.skyline(rng, canvas, view, climate, light, scene.wooded)
    _houses(rng, scene, canvas, sun)
    drawn = [(item, _fixture(scene, lit, item)) for item in sorted(scene.fixtures, key=lambda item: -item.pose.z)]
    screens = [(item.pose, sprite) for item, sprite in drawn if sprite]
    still = _still(scene, lit)
    for pose, sprite in [*screens, *((thing.pose, thing.sprite) for thing in still)]:
        shadows.cast(scene, sun, canvas, sprite, pose, (0, 0), settled=True)
    for thing in still:
        shadows.contact(scene, canvas, thing.pose, thing.footprint, False, (0, 0))
    for _, sprite in screens:
        paste(canvas, sprite)
        own, there = overlap(sprite, 0, 0, canvas.shape[:2])
        sun[there] *= 1 - sprite.alpha[own]
    return Backdrop(canvas, sun, lit, tuple(sprite for _, sprite in screens), tuple(still))
