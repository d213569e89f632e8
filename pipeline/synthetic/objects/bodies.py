"""The outlines of kinds of vehicles, in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Body:
    """The side view of a kind of vehicle.

    Attributes:
        name: as in the truth; ``coco`` its class in the 80-class COCO order.
        coco: see ``name``.
        profile: (n, 2) forward and up, from the rear bottom over the roof to the front bottom.
        faces: what lies across between two points of the profile: b(ody), g(lass), f(ront), r(ear), p (bumper).
        windows: (forward, up) outlines of the side windows.
        axles: forward positions of the axles.
        wheel: radius.
        width: over all; the roof is ``narrow`` times that.
        belt: height from which the sides lean inwards.
    """

    name: str
    coco: int
    profile: tuple[tuple[float, float], ...]
    faces: str
    windows: tuple[tuple[tuple[float, float], ...], ...]
    axles: tuple[float, float]
    wheel: float
    width: float
    narrow: float
    belt: float


CAR = Body(
    "car", 2,
    ((-2.08, 0.28), (-2.16, 0.55), (-2.06, 0.95), (-1.68, 1.02), (-1.02, 1.40), (0.32, 1.43), (1.08, 0.99), (2.0, 0.78),
     (2.15, 0.52), (2.1, 0.26)),
    "prbgbgbfp",
    (((-1.5, 1.0), (-0.95, 1.33), (-0.42, 1.35), (-0.42, 0.98)),
     ((-0.34, 0.98), (-0.34, 1.35), (0.28, 1.36), (0.92, 0.98))),
    (-1.32, 1.32), 0.32, 1.78, 0.74, 0.95,
)  # fmt: skip
HATCH = Body(
    "car", 2,
    ((-1.9, 0.3), (-1.98, 0.6), (-1.9, 1.05), (-1.5, 1.52), (0.3, 1.58), (1.15, 1.08), (1.85, 0.88),
     (1.98, 0.55), (1.92, 0.28)),
    "prgbgbfp",
    (((-1.62, 1.08), (-1.38, 1.44), (-0.5, 1.48), (-0.5, 1.05)),
     ((-0.42, 1.05), (-0.42, 1.48), (0.26, 1.5), (0.98, 1.06))),
    (-1.25, 1.25), 0.33, 1.78, 0.78, 1.02,
)  # fmt: skip
VAN = Body(
    "truck", 7,
    ((-2.5, 0.35), (-2.55, 0.9), (-2.5, 2.2), (1.2, 2.25), (1.95, 1.35), (2.5, 1.1), (2.6, 0.6), (2.55, 0.35)),
    "prbgbfp",
    (((0.35, 1.35), (0.35, 2.0), (1.1, 2.0), (1.7, 1.35)),),
    (-1.6, 1.65), 0.36, 1.95, 0.88, 1.3,
)  # fmt: skip
BUS = Body(
    "bus", 5,
    ((-5.2, 0.4), (-5.25, 1.3), (-5.2, 3.0), (5.1, 3.0), (5.25, 1.3), (5.2, 0.4)),
    "rgbgf",
    tuple(((a, 1.45), (a, 2.5), (a + 1.35, 2.5), (a + 1.35, 1.45)) for a in np.arange(-4.9, 4.0, 1.5)),
    (-2.9, 2.8), 0.5, 2.5, 0.97, 1.4,
)  # fmt: skip
