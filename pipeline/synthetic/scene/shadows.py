"""What an object does to the ground around it: its shadow, the dark and warmth under it, its headlight."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.synthetic.optics.noise import Plane
from pipeline.synthetic.optics.raster import Pose, Sprite
from pipeline.synthetic.scene.scene import Scene

Corner = tuple[int, int]
"""(x, y) of a canvas' corner in panorama canvas pixels."""


def _fallen(
    sprite: Sprite, pose: Pose, scene: Scene, corner: Corner, shape: tuple[int, int]
) -> tuple[Plane, int, int] | None:
    """An upright outline laid down on the ground along the sun's rays: a mask and its corner on the canvas."""
    view, (step, ahead) = scene.view, scene.light.shadow
    height, width = sprite.alpha.shape
    metre = view.pixels_per_metre(pose.z)
    foot = view.project(np.array([pose.x, 0, pose.z]))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    x = pose.x + (corners[:, 0] + sprite.x - foot[0]) / metre
    up = (foot[1] - corners[:, 1] - sprite.y) / metre
    flat = np.stack([x + up * step, np.zeros(4), pose.z + up * ahead], axis=-1)
    if flat[:, 2].min() < 2:
        return None
    there = view.project(flat) - corner
    low = np.maximum(np.floor(there.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(there.max(axis=0)), [shape[1], shape[0]]).astype(int)
    if (high - low).min() < 2:
        return None
    matrix = cv2.getPerspectiveTransform((corners - 0.5).astype(np.float32), (there - low - 0.5).astype(np.float32))
    mask = cv2.warpPerspective(sprite.alpha, matrix, (int(high[0] - low[0]), int(high[1] - low[1])))
    return np.asarray(mask, np.float32), int(low[0]), int(low[1])


def cast(
    scene: Scene, sun: Plane, canvas: Plane, sprite: Sprite, pose: Pose, corner: Corner, settled: bool = False
) -> None:
    """Darken the sunlit ground behind an object.

    Args:
        scene: the sequence.
        sun: (H, W) sunlit ground of the whole panorama.
        canvas: (h, w, 4) whose corner is at ``corner``; changed in place.
        sprite: the object.
        pose: where it stands.
        corner: see ``canvas``.
        settled: the shadow has been there long enough to have cooled the ground; a passing one is seen in RGB alone.
    """
    fallen = _fallen(sprite, pose, scene, corner, canvas.shape[:2]) if any(scene.light.sun) else None
    if fallen is None:
        return
    mask, x, y = fallen
    rows, columns = slice(y, y + mask.shape[0]), slice(x, x + mask.shape[1])
    lit = sun[rows.start + corner[1] : rows.stop + corner[1], columns.start + corner[0] : columns.stop + corner[0]]
    dark = mask * lit
    sky = np.asarray(scene.light.ambient, np.float32)
    left = sky / (sky + np.asarray(scene.light.sun, np.float32) * scene.light.toward[1])
    canvas[rows, columns, :3] *= 1 - dark[..., None] * (1 - left)
    if settled:
        cool = scene.climate.apparent("asphalt", 1) - scene.climate.apparent("asphalt", 0)
        canvas[rows, columns, 3] -= 0.5 * cool * dark
        lit -= dark


def _patch(scene: Scene, pose: Pose, half: tuple[float, float], ahead: float, shape: tuple[int, int],
           corner: Corner) -> tuple[Plane, tuple[slice, slice]] | None:  # fmt: skip
    """A soft ellipse on the ground, ``half`` metres long and wide, and where it lies on the canvas."""
    angle = np.arange(24) * np.pi / 12
    ring = np.stack([ahead + half[0] * np.cos(angle), half[1] * np.sin(angle), np.zeros(24)], axis=-1)
    world = pose.world(ring)
    if world[:, 2].min() < 1.5:
        return None
    flat = scene.view.project(world) - corner
    pad = 2 + 0.25 * float(np.ptp(flat[:, 1]))
    low = np.maximum(np.floor(flat.min(axis=0) - pad), 0).astype(int)
    high = np.minimum(np.ceil(flat.max(axis=0) + pad), [shape[1], shape[0]]).astype(int)
    if (high - low).min() < 2:
        return None
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.float32)
    cv2.fillConvexPoly(mask, np.rint((flat - low) * 16).astype(np.int32), (1.0,), cv2.LINE_8, 4)
    side = 2 * int(0.4 * pad) + 1
    soft = cv2.blur(cv2.blur(mask, (side, side)), (side, side))
    return np.asarray(soft, np.float32), (slice(low[1], high[1]), slice(low[0], high[0]))


def contact(scene: Scene, canvas: Plane, pose: Pose, half: tuple[float, float], warm: bool, corner: Corner) -> None:
    """Darkness under a thing, and the warmth that an engine throws on the road."""
    found = _patch(scene, pose, half, 0.0, canvas.shape[:2], corner)
    if found:
        mask, area = found
        canvas[area][..., :3] *= 1 - 0.6 * mask[..., None]
        canvas[area][..., 3] += (4.0 if warm else 0.4) * mask


def headlight(scene: Scene, canvas: Plane, pose: Pose, corner: Corner) -> None:
    """The pool of light before a car."""
    found = _patch(scene, pose, (5.5, 1.8), 8.0, canvas.shape[:2], corner)
    if found:
        mask, area = found
        canvas[area][..., :3] *= 1 + np.array([3.4, 3.2, 2.7], np.float32) * mask[..., None]
