"""One instant of a scene: everything that moves laid into the backdrop, with what is seen of each object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic.optics.camera import SCALE
from pipeline.synthetic.optics.noise import Plane
from pipeline.synthetic.optics.raster import Sprite, draw, overlap, paste
from pipeline.synthetic.scene import shadows
from pipeline.synthetic.scene.backdrop import Backdrop, look_at
from pipeline.synthetic.scene.scene import Scene

_DRIVEN = (2, 5, 7)
"""COCO classes with an engine: car, bus, truck."""


@dataclass(frozen=True)
class Seen:
    """An object in the picture.

    Attributes:
        ident: number in the sequence.
        name: class name.
        coco: class in the 80-class COCO order.
        box: x, y, w, h of the whole outline in picture pixels, pixel edges, not clipped.
        visibility: share of the outline that is in the picture and not hidden.
        occlusion: share of the part in the picture that is hidden.
        depth: metres.
        mask: (h, w) of the outline at canvas scale.
    """

    ident: int
    name: str
    coco: int
    box: tuple[float, float, float, float]
    visibility: float
    occlusion: float
    depth: float
    mask: Plane


@dataclass(frozen=True)
class Instant:
    """A drawn instant.

    Attributes:
        canvas: (h, w, 4) window of the panorama that covers both pictures.
        inset: canvas pixels from the window's corner to the RGB picture's corner.
        seen: objects, far ones first.
    """

    canvas: Plane
    inset: int
    seen: list[Seen]


@dataclass
class _Item:
    """A sprite on its way onto the canvas, with what is still to be seen of it."""

    ident: int
    name: str
    coco: int
    sprite: Sprite
    shown: Plane


def _items(scene: Scene, backdrop: Backdrop, time: float, canvas: Plane, corner: tuple[int, int]) -> list[_Item]:
    """The still objects, and what moves: drawn, with its shadow and headlight laid on the ground."""
    items = [_Item(s.ident, s.name, s.coco, s.sprite, s.sprite.alpha) for s in backdrop.still]
    for actor in scene.actors:
        for solid in actor.at(time, scene.view) if actor.path.speed else ():
            sprite = draw(solid.parts, solid.pose, scene.view, look_at(scene, backdrop.lit, solid.pose, actor.cloth))
            if sprite is None:
                continue
            driven = solid.coco in _DRIVEN
            shadows.contact(scene, canvas, solid.pose, solid.footprint, driven, corner)
            shadows.cast(scene, backdrop.sun, canvas, sprite, solid.pose, corner)
            if driven and scene.climate.night:
                shadows.headlight(scene, canvas, solid.pose, corner)
            items.append(_Item(solid.ident, solid.name, solid.coco, sprite, sprite.alpha))
    return items


def _screen(item: _Item, screens: tuple[Sprite, ...]) -> None:
    """Take away what nearer fixtures hide."""
    sprite = item.sprite
    for screen in screens:
        if screen.depth < sprite.depth:
            theirs, own = overlap(screen, sprite.x, sprite.y, sprite.alpha.shape)
            if own[0].stop > own[0].start and own[1].stop > own[1].start:
                if item.shown is sprite.alpha:
                    item.shown = sprite.alpha.copy()
                item.shown[own] *= 1 - screen.alpha[theirs]


def _hide(far: _Item, near: _Item) -> None:
    """Take away from a farther object what a nearer one hides."""
    theirs, own = overlap(near.sprite, far.sprite.x, far.sprite.y, far.sprite.alpha.shape)
    if own[0].stop > own[0].start and own[1].stop > own[1].start:
        if far.shown is far.sprite.alpha:
            far.shown = far.sprite.alpha.copy()
        far.shown[own] *= 1 - near.shown[theirs]


def _report(item: _Item, offset: tuple[int, int], size: tuple[int, int]) -> Seen | None:
    """What the picture shows of an object; None when that is nothing of a size."""
    sprite = item.sprite
    own, _ = overlap(sprite, offset[0], offset[1], (size[1] * SCALE, size[0] * SCALE))
    inside, shown = float(sprite.alpha[own].sum()), float(item.shown[own].sum())
    if inside < 2 * SCALE**2:
        return None
    x0, y0, x1, y1 = sprite.box
    box = (x0 - offset[0]) / SCALE, (y0 - offset[1]) / SCALE, (x1 - x0) / SCALE, (y1 - y0) / SCALE
    whole = float(sprite.alpha.sum()) / sprite.share
    return Seen(item.ident, item.name, item.coco, box, shown / whole, 1 - shown / inside, sprite.depth, sprite.alpha)


def instant(scene: Scene, backdrop: Backdrop, frame: int) -> Instant:
    """Draw frame ``frame`` of a scene: a function of the scene and the frame alone."""
    time = frame * scene.step
    width, height = scene.view.size
    inset = scene.inset
    offset = scene.offset(time)
    x, y = offset[0] - inset, offset[1] - inset
    canvas = backdrop.canvas[y : y + SCALE * height + 2 * inset, x : x + SCALE * width + 2 * inset].copy()
    items = _items(scene, backdrop, time, canvas, (x, y))
    items.sort(key=lambda item: -item.sprite.depth)
    for index, item in enumerate(items):
        _screen(item, backdrop.screens)
        cover = None if item.shown is item.sprite.alpha else item.shown / np.maximum(item.sprite.alpha, 1e-6)
        paste(canvas, item.sprite, x, y, cover)
        for far in items[:index]:
            _hide(far, item)
    reports = (_report(item, offset, scene.view.size) for item in items)
    return Instant(canvas, inset, [report for report in reports if report])
