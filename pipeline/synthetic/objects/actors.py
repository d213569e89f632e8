"""Who and what moves: straight paths, and solids posed along them as a function of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic.objects.people import Dog, Person
from pipeline.synthetic.objects.vehicles import Vehicle, bicycle
from pipeline.synthetic.optics.camera import View
from pipeline.synthetic.optics.light import Colour
from pipeline.synthetic.optics.noise import Plane
from pipeline.synthetic.optics.raster import Part, Pose

LAP = 1000
"""Added to an ident when the next one like it sets out."""


@dataclass(frozen=True)
class Path:
    """A walk along a straight line on the ground.

    Attributes:
        start, end: (X, Z) in metres.
        speed: metres a second.
        offset: metres already walked at time 0.
        back: turn round at the ends; otherwise the next one like it starts again at ``start``.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    speed: float
    offset: float = 0.0
    back: bool = False

    @property
    def length(self) -> float:
        """Metres from start to end."""
        return float(np.hypot(self.end[0] - self.start[0], self.end[1] - self.start[1]))

    def lap(self, time: float) -> int:
        """How many like it have walked the line to its end before this one, at a time in seconds."""
        return 0 if self.back else int((self.offset + self.speed * time) // self.length)

    def at(self, time: float) -> tuple[Pose, float]:
        """The pose at a time in seconds, and the metres walked."""
        walked = self.offset + self.speed * time
        turns, place = divmod(walked, self.length)
        returning = self.back and int(turns) % 2 == 1
        share = (self.length - place if returning else place) / self.length
        dx, dz = self.end[0] - self.start[0], self.end[1] - self.start[1]
        heading = float(np.arctan2(-dz, -dx) if returning else np.arctan2(dz, dx))
        return Pose(self.start[0] + share * dx, self.start[1] + share * dz, heading), walked


@dataclass(frozen=True)
class Rider:
    """Someone on a bicycle."""

    person: Person
    frame: Colour


@dataclass(frozen=True)
class Solid:
    """One object of one frame: identity, class in the 80-class COCO order, parts and place."""

    ident: int
    name: str
    coco: int
    parts: list[Part]
    pose: Pose
    footprint: tuple[float, float]
    """Half length and half width in metres."""


@dataclass(frozen=True)
class Actor:
    """A body on a path.

    Attributes:
        ident: number of the object; a rider's bicycle has the next one.
        body: what it is.
        path: where it goes.
        cloth: (h, w) noise of its folds and stains.
    """

    ident: int
    body: Person | Dog | Vehicle | Rider
    path: Path
    cloth: Plane

    def at(self, time: float, view: View) -> list[Solid]:
        """Its solids at a time in seconds, the one behind first; who begins the line anew has an ident of its own."""
        pose, walked = self.path.at(time)
        body, ident = self.body, self.ident + LAP * self.path.lap(time)
        if isinstance(body, Person):
            return [Solid(ident, "person", 0, body.walking(2 * np.pi * walked / 1.45), pose, (0.25, 0.3))]
        if isinstance(body, Dog):
            return [Solid(ident, "dog", 16, body.walking(2 * np.pi * walked / 0.8), pose, (0.5, 0.2))]
        if isinstance(body, Vehicle):
            half = abs(body.body.profile[0][0])
            return [Solid(ident, body.body.name, body.body.coco, body.parts(pose, view), pose, (half, 0.95))]
        phase = -2 * np.pi * walked / 4.5
        near = Pose(pose.x, pose.z - 0.02, pose.heading)
        return [
            Solid(ident + 1, "bicycle", 1, bicycle(body.frame, phase), pose, (0.8, 0.25)),
            Solid(ident, "person", 0, body.person.riding(phase), near, (0.3, 0.3)),
        ]
