"""TIR tracking sequences: a scene whose first actor is the target, in one of LSOTB-TIR's four scenarios."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from pipeline.synthetic.objects.actors import Actor, Path
from pipeline.synthetic.objects.people import Dog, Person
from pipeline.synthetic.objects.vehicles import Vehicle
from pipeline.synthetic.optics.camera import View
from pipeline.synthetic.optics.noise import Draw, stream
from pipeline.synthetic.optics.raster import Pose
from pipeline.synthetic.scene.layout import place
from pipeline.synthetic.scene.scene import RIG_MARGIN, TRACKING, Fixture, Scene, Sway, cloth

Scenario = Literal["S", "V", "H", "D"]
TARGET = 1
"""Number of the target among a scene's objects."""


@dataclass(frozen=True)
class Script:
    """What is tracked, and from where.

    Attributes:
        kind: person, car or dog.
        scenario: surveillance, vehicle, hand-held or drone.
        night: at night.
        paved: street, or park.
    """

    kind: Literal["person", "car", "dog"]
    scenario: Scenario
    night: bool
    paved: bool


SCRIPTS = (
    Script("person", "S", True, True),
    Script("car", "V", False, True),
    Script("dog", "H", True, False),
    Script("person", "D", False, True),
    Script("car", "S", False, True),
    Script("person", "V", True, True),
    Script("person", "H", False, False),
    Script("car", "D", True, True),
)

_CAMERA: dict[Scenario, tuple[float, float, tuple[float, float], float]] = {
    "S": (4.2, 0.20, (0.0, 0.0), 0.0),
    "V": (1.5, 0.44, (10.0, 2.0), 0.8),
    "H": (1.6, 0.45, (26.0, 5.0), 5.0),
    "D": (13.0, 0.06, (30.0, 8.0), 1.0),
}
"""Height in metres, horizon as a share of the picture's height, swing and shake in pixels of 640."""


def name(index: int) -> str:
    """Name of tracking sequence ``index``, such as ``person_S_001``."""
    script = SCRIPTS[index % len(SCRIPTS)]
    return f"{script.kind}_{script.scenario}_{index // len(SCRIPTS) + 1:03d}"


def _target(rng: np.random.Generator, script: Script, scene: Scene) -> Actor:
    """The target: it crosses the picture, or comes down the road, and turns round before it is lost."""
    street = scene.street
    far = {"S": 12.5, "V": 11.0, "H": 8.0, "D": 24.0}[script.scenario]
    if script.kind == "car":
        lane = street.half / 2
        near = {"S": 10.0, "D": 19.0}.get(script.scenario, 10.0)
        path = Path((street.x(-lane, 52.0), 52.0), (street.x(-lane, near), near), 6.5, 2.0, True)
        return Actor(TARGET, Vehicle.draw(rng, True, script.night), path, cloth(rng))
    reach = 0.36 * far
    direction = float(rng.choice((-1, 1)))
    ends = (-direction * reach, far), (direction * reach, far + float(rng.uniform(0.5, 2.5)))
    if script.kind == "dog":
        return Actor(TARGET, Dog.draw(rng), Path(*ends, 2.2, 0.6, True), cloth(rng))
    return Actor(TARGET, Person.draw(rng), Path(*ends, 1.35, 0.5, True), cloth(rng))


def _screens(rng: np.random.Generator, script: Script, target: Actor, number: int) -> list[Fixture]:
    """A lamp post, tree or bush half way, between the camera and where the target will pass."""
    if script.kind == "car" or script.scenario == "D":
        return []
    (x0, z0), (x1, z1) = target.path.start, target.path.end
    share = float(rng.uniform(0.4, 0.6))
    z = 0.78 * (z0 + share * (z1 - z0))
    x = (x0 + share * (x1 - x0)) * 0.78
    kind = "lamp" if script.paved else str(rng.choice(("bush", "tree")))
    return [Fixture(kind, Pose(x, z, 0.0), number)]


def scene(seed: int, index: int, size: tuple[int, int]) -> Scene:
    """The scene of tracking sequence ``index``; its target is the first actor."""
    script = SCRIPTS[index % len(SCRIPTS)]
    base = place(seed, (TRACKING, index), size, script.night, script.paved)
    rng = stream(seed, *base.key, Draw.TARGET)
    unit = size[0] / 640
    height, horizon, swing, shake = _CAMERA[script.scenario]
    margin = (
        round((RIG_MARGIN + swing[0] + 2 * shake + 2) * unit),
        round((RIG_MARGIN + swing[1] + 2 * shake + 2) * unit),
    )
    view = View(size, 0.95 * size[0], horizon * size[1], height, margin)
    sway = Sway((swing[0] * unit, swing[1] * unit), float(rng.uniform(9, 14)), shake * unit, float(rng.uniform(0, 6)))
    target = _target(rng, script, base)
    start = target.path.at(0.0)[0]

    def in_the_way(pose: Pose) -> bool:
        beside = float(np.hypot(pose.x - start.x, pose.z - start.z)) < 7
        return beside or (pose.z <= start.z and abs(pose.x / pose.z - start.x / start.z) < 0.15)

    kept = tuple(item for item in base.fixtures if not in_the_way(item.pose))
    others = tuple(actor for actor in base.actors if not in_the_way(actor.path.at(0.0)[0]))
    street = base.street
    if script.scenario == "D":
        street = replace(street, houses=tuple(replace(h, height=max(h.height, height + 2)) for h in street.houses))
    screens = tuple(_screens(rng, script, target, len(base.fixtures) + len(base.objects)))
    return replace(
        base, view=view, sway=sway, street=street, fixtures=kept + screens, objects=(), actors=(target, *others),
        step=0.1,
    )  # fmt: skip
