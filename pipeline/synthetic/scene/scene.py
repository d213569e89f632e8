"""A whole sequence as data: camera, weather, plan of the place, what stands in it and who passes through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic.objects.actors import Actor
from pipeline.synthetic.objects.ground import Street
from pipeline.synthetic.optics.camera import SCALE, View
from pipeline.synthetic.optics.heat import Climate
from pipeline.synthetic.optics.light import Light
from pipeline.synthetic.optics.noise import Plane, grain
from pipeline.synthetic.optics.raster import Pose

PAIRS, TRACKING = 0, 1
"""Kinds of sequences: the first number of every random stream, so that no scene of one is drawn as one of the other."""
RIG_MARGIN = 22
"""Pixels of 640 by which the TIR picture may reach over the RGB picture's edge."""


@dataclass(frozen=True)
class Sway:
    """How the camera turns: a slow swing, and a quick shake for cameras that are held or driven.

    Attributes:
        swing: (x, y) amplitude in pixels.
        period: seconds of one swing.
        shake: amplitude in pixels.
        phase: radians.
    """

    swing: tuple[float, float]
    period: float
    shake: float
    phase: float

    def at(self, time: float) -> tuple[float, float]:
        """Pixels right and down at a time in seconds."""
        slow = 2 * np.pi * time / self.period + self.phase
        quick = (
            np.sin(7.3 * time + self.phase) + 0.6 * np.sin(17.1 * time),
            np.sin(9.1 * time) + 0.6 * np.sin(14.9 * time),
        )
        x = self.swing[0] * np.sin(slow) + self.shake * quick[0]
        return float(x), float(self.swing[1] * np.sin(0.7 * slow) + self.shake * quick[1])


@dataclass(frozen=True)
class Fixture:
    """A thing that stands still: ``kind`` is a maker's name in :mod:`pipeline.synthetic.objects.props`.

    ``number`` is its own in the sequence, for its random stream.
    """

    kind: str
    pose: Pose
    number: int


@dataclass(frozen=True)
class Scene:
    """One sequence.

    Attributes:
        view: the camera.
        sway: how it turns.
        climate: weather.
        light: visible light.
        street: plan of the ground.
        fixtures: still things without an entry in the truth.
        objects: still things with one.
        actors: what moves or could move.
        step: seconds between frames.
        wooded: the far edge is hills, not roofs.
        seed: of the run.
        key: (kind, index) of this sequence, for its random streams.
    """

    view: View
    sway: Sway
    climate: Climate
    light: Light
    street: Street
    fixtures: tuple[Fixture, ...]
    objects: tuple[Fixture, ...]
    actors: tuple[Actor, ...]
    step: float
    wooded: bool
    seed: int
    key: tuple[int, int]

    @property
    def inset(self) -> int:
        """Canvas pixels around the picture that are drawn too, for the TIR camera that sees over its edge."""
        return SCALE * round(RIG_MARGIN * self.view.size[0] / 640)

    def offset(self, time: float) -> tuple[int, int]:
        """Panorama canvas pixel of the picture's top left corner: whole canvas pixels, so nothing is resampled."""
        x, y = (self._turned(to, margin) for to, margin in zip(self.sway.at(time), self.view.margin))
        return x, y

    def _turned(self, to: float, margin: int) -> int:
        """Where the picture begins on one axis, turned by so many pixels, or as far as the panorama reaches."""
        limit = margin - RIG_MARGIN * self.view.size[0] / 640 - 1
        # In small pictures the margins round to so little that there is no room at all.
        room = SCALE * margin - self.inset
        return SCALE * margin + int(np.clip(round(SCALE * float(np.clip(to, -limit, limit))), -room, room))


def cloth(rng: np.random.Generator) -> Plane:
    """Folds and stains for one object."""
    return grain(rng, 24, 24, 2.5)
