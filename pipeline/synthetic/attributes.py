"""LSOTB-TIR's sixteen sequence attributes, measured on what happens in a sequence.

The criteria follow the benchmark's definitions (LSOTB-TIR, ACM MM 2020, Table 2); where those are words, the numbers
here say what was taken for them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline import boxes
from pipeline.synthetic.optics.noise import Plane
from pipeline.synthetic.optics.sensor import Picture
from pipeline.synthetic.scene.render import Seen

NAMES = (
    "deformation", "occlusion", "distractor", "background clutter", "out of view", "scale variation", "fast motion",
    "motion blur", "thermal crossover", "intensity variation", "low resolution", "aspect ratio variation",
    "vehicle-mounted", "drone-mounted", "surveillance", "hand-held",
)  # fmt: skip
_SIDE = 24
SIMILAR = 14.0
"""Grey levels within which two bodies look alike."""


@dataclass(frozen=True)
class Fact:
    """What one frame shows of the target.

    Attributes:
        box: x, y, w, h clipped to the picture.
        outside: share of the whole box outside the picture.
        occlusion: share of the outline in the picture that is hidden.
        grey: mean grey level of the target.
        around: mean and standard deviation of the grey levels around it.
        shape: (24, 24) outline stretched to a square.
        alike: boxes (n, 4) of objects of its class that are as bright as it is.
        smear: pixels of motion blur.
    """

    box: NDArray[np.float64]
    outside: float
    occlusion: float
    grey: float
    around: tuple[float, float]
    shape: Plane
    alike: NDArray[np.float64]
    smear: float


def _mean(picture: Picture, box: NDArray[np.float64]) -> float:
    """Mean grey level of the middle of a box."""
    x, y, w, h = box
    middle = picture[int(y + 0.15 * h) : int(y + 0.85 * h) + 1, int(x + 0.25 * w) : int(x + 0.75 * w) + 1]
    return float(middle.mean()) if middle.size else 0.0


def _around(picture: Picture, box: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation of a frame half a box wide around a box."""
    x, y, w, h = box
    x0, y0 = max(int(x - w / 2), 0), max(int(y - h / 2), 0)
    window = picture[y0 : int(y + 1.5 * h) + 1, x0 : int(x + 1.5 * w) + 1].astype(np.float32)
    window[max(int(y) - y0, 0) : int(y + h) - y0 + 1, max(int(x) - x0, 0) : int(x + w) - x0 + 1] = np.nan
    ring = window[~np.isnan(window)]
    return (float(ring.mean()), float(ring.std())) if ring.size else (0.0, 0.0)


def observe(picture: Picture, target: Seen, seen: list[Seen], smear: float) -> Fact:
    """Measure one frame; boxes of ``seen`` are in the pixels of ``picture``."""
    height, width = picture.shape
    box = boxes.clip(target.box, width, height)
    grey = _mean(picture, box)
    alike = []
    for other in seen:
        place = boxes.clip(other.box, width, height)
        visible = other.ident != target.ident and other.coco == target.coco and other.visibility > 0.3
        if visible and abs(_mean(picture, place) - grey) < SIMILAR:
            alike.append(place)
    whole = target.box[2] * target.box[3]
    shape = cv2.resize(target.mask, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return Fact(box, float(1 - box[2] * box[3] / whole), target.occlusion, grey, _around(picture, box),
                np.asarray(shape, np.float32), np.array(alike).reshape(-1, 4), smear)  # fmt: skip


def _near(fact: Fact) -> bool:
    """Whether something alike is within two target sizes."""
    reach = 2 * max(fact.box[2], fact.box[3])
    gap = np.abs((fact.alike[:, :2] + fact.alike[:, 2:] / 2) - (fact.box[:2] + fact.box[2:] / 2)).max(axis=1, initial=0)
    return bool((gap[: len(fact.alike)] < reach).any())


def flags(facts: list[Fact], scenario: str, rigid: bool = False) -> list[int]:
    """The sixteen flags, 0 or 1, in the order of :data:`NAMES`; a ``rigid`` body turns but does not deform."""
    box = np.array([fact.box for fact in facts])
    area, aspect = box[:, 2] * box[:, 3], box[:, 2] / box[:, 3]
    centre = box[:, :2] + box[:, 2:] / 2
    step = np.linalg.norm(np.diff(centre, axis=0), axis=1)
    first = facts[0]
    change = [float(np.abs(fact.shape - first.shape).mean()) for fact in facts]
    clutter = [fact.around[1] > abs(fact.grey - fact.around[0]) for fact in facts]
    crossing = [len(f.alike) > 0 and float(boxes.iou(f.box, f.alike).max()) > 0.02 for f in facts]
    found: tuple[bool, ...] = (
        not rigid and max(change) > 0.12,
        any(fact.occlusion > 0.25 for fact in facts),
        any(_near(fact) for fact in facts),
        bool(np.mean(clutter) > 0.1),
        any(fact.outside > 0.1 for fact in facts),
        _varies(area, 2.0),
        bool((step > 20).any()),
        any(fact.smear > 2.5 for fact in facts),
        any(crossing),
        float(np.ptp([fact.grey for fact in facts])) > 30,
        bool((area < 800).any()),
        _varies(aspect, 2.0),
        *(scenario == letter for letter in "VDSH"),
    )
    return [int(flag) for flag in found]


def _varies(value: NDArray[np.float64], factor: float) -> bool:
    """Whether a positive value leaves [1 / factor, factor] of its first one."""
    ratio = value / value[0]
    return bool((ratio > factor).any() or (ratio < 1 / factor).any())
