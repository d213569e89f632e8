"""Laying out a sequence: where the street runs, what stands along it, and who is about."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.synthetic.objects.actors import Actor, Path, Rider
from pipeline.synthetic.objects.ground import House, Street
from pipeline.synthetic.objects.people import Dog, Person, pick
from pipeline.synthetic.objects.vehicles import Vehicle
from pipeline.synthetic.optics.camera import View
from pipeline.synthetic.optics.heat import Climate
from pipeline.synthetic.optics.light import Lamp, Light
from pipeline.synthetic.optics.noise import Draw, stream
from pipeline.synthetic.optics.raster import Pose
from pipeline.synthetic.scene.scene import RIG_MARGIN, Fixture, Scene, Sway, cloth


def _street(rng: np.random.Generator, paved: bool) -> Street:
    """A street between houses, or a path through a park."""
    slope = float(rng.uniform(-0.16, 0.16))
    if not paved:
        return Street(slope, float(rng.uniform(-1.5, 1.5)), float(rng.uniform(1.4, 2.4)), 0, 40, False, 0, ())
    half = float(rng.choice((3.5, 3.6, 6.5)))
    walk = float(rng.uniform(2.4, 3.6))
    wall = half + walk + float(rng.uniform(0, 2.5))
    houses = []
    for side in (-1, 1):
        z = float(rng.uniform(3.0, 9.0))
        while z < 130:
            length = float(rng.uniform(9, 20))
            if rng.random() < 0.85:
                houses.append(House(side, z, z + length, float(rng.uniform(6.5, 17))))
            z += length + float(rng.choice((0.0, 0.0, 4.0)))
    houses.sort(key=lambda house: -house.near)
    crossing = float(rng.uniform(11, 17)) if rng.random() < 0.7 else 0.0
    return Street(slope, float(rng.uniform(-2.5, 0.5)), half, walk, wall, True, crossing, tuple(houses))


def _fixtures(rng: np.random.Generator, street: Street) -> tuple[list[Fixture], list[Fixture]]:
    """Lamps and trees in rows along a street, trees scattered over a park; and the still objects."""
    still: list[Fixture] = []
    objects: list[Fixture] = []

    def add(target: list[Fixture], kind: str, across: float, z: float, heading: float) -> None:
        target.append(Fixture(kind, Pose(street.x(across, z), z, heading), len(still) + len(objects)))

    kerb = street.half + (0.7 if street.paved else 0.9)
    for side in (-1, 1):
        inward = 0.0 if side < 0 else np.pi
        start = float(rng.uniform(8, 18))
        for z in np.arange(start, 95, 24):
            add(still, "lamp", side * kerb, float(z), inward)
        for z in np.arange(start + rng.uniform(4, 8), 80, 12 if street.paved else 9):
            kind = "tree" if street.paved or rng.random() < 0.7 else "conifer"
            if rng.random() < 0.6:
                add(still, kind, side * (kerb + (0.3 if street.paved else rng.uniform(1, 9))), float(z), 0)
        if street.paved and rng.random() < 0.6:
            add(objects, "fire hydrant", side * (kerb - 0.1), float(rng.uniform(9, 20)), inward)
        add(objects, "bench", side * (kerb + 0.6), float(rng.uniform(8, 24)), inward)
        add(still, "vent", side * (street.wall - 0.6 if street.paved else kerb + 5), float(rng.uniform(12, 26)), inward)
    if street.paved:
        add(objects, "stop sign", kerb, float(rng.uniform(13, 24)), -np.pi / 2)
    if not street.paved:
        for _ in range(14):
            across, z = float(rng.uniform(3.5, 26) * rng.choice((-1, 1))), float(rng.uniform(12, 75))
            add(still, str(rng.choice(("tree", "bush", "bush", "conifer"))), across, z, 0)
    return still, objects


def _lamps(rng: np.random.Generator, fixtures: list[Fixture]) -> tuple[Lamp, ...]:
    """Light of the lamp posts: sodium or white, weaker where a lamp is old."""
    tint = np.array(((1.0, 0.62, 0.26), (1.0, 0.86, 0.62), (0.86, 0.94, 1.0))[int(rng.integers(3))])
    lamps = []
    for item in fixtures:
        if item.kind == "lamp":
            colour = tint * rng.uniform(4.5, 7.0)
            reach = 1.3 * np.cos(item.pose.heading)
            lamps.append(
                Lamp((item.pose.x + reach, 5.2, item.pose.z), (float(colour[0]), float(colour[1]), float(colour[2])))
            )
    return tuple(lamps)


def _traffic(rng: np.random.Generator, street: Street, night: bool, add: Callable[[Vehicle, Path], None]) -> None:
    """Cars in both lanes, those of one lane at one speed, and cars parked with two wheels on the kerb."""
    near, far, lane = -3.0, 140.0, street.half / 2
    count, first = int(rng.integers(2, 5)), int(rng.integers(2))
    gap, speeds = float(rng.uniform(13, 22)), rng.uniform(4, 8, 2)
    start = float(rng.uniform(103, 116)), float(rng.uniform(9, 19))
    for index in range(count):
        turn = (index + first) % 2
        ends = ((street.x(-lane, far), far), (street.x(-lane, near), near))
        if turn:
            ends = ((street.x(lane, near), near), (street.x(lane, far), far))
        large = index == 0 and bool(rng.random() < 0.5)
        offset = start[turn] + (1 if turn else -1) * gap * (index // 2)
        add(Vehicle.draw(rng, True, night, large), Path(*ends, float(speeds[turn]), offset))
    edge = max(street.half - 1.0, lane + 1.95)
    for side in (-1, 1):
        z = float(rng.uniform(9, 20))
        for _ in range(int(rng.integers(0, 3))):
            place, ahead = (street.x(side * edge, z), z), (street.x(side * edge, z + 1), z + 1.0)
            add(Vehicle.draw(rng, False, False), Path(place, ahead, 0.0))
            z += float(rng.uniform(5.2, 12))


def _crowd(rng: np.random.Generator, street: Street, night: bool) -> list[Actor]:
    """Walkers on the pavements and over the road, riders, a dog, cars in the lanes and at the kerb."""
    actors: list[Actor] = []

    def add(body: Person | Dog | Vehicle | Rider, path: Path) -> None:
        actors.append(Actor(100 + 2 * len(actors), body, path, cloth(rng)))

    def along(across: float, near: float, far: float) -> tuple[tuple[float, float], tuple[float, float]]:
        ends = (street.x(across, near), near), (street.x(across, far), far)
        return ends if rng.random() < 0.5 else (ends[1], ends[0])

    def walker(path: tuple[tuple[float, float], tuple[float, float]], speed: float) -> Path:
        length = float(np.hypot(path[0][0] - path[1][0], path[0][1] - path[1][1]))
        return Path(*path, speed, float(rng.uniform(0.1, 0.9)) * length)

    side = street.half + street.walk / 2 if street.walk else street.half * 0.5
    for _ in range(int(rng.integers(3, 6))):
        across = float(rng.choice((-1, 1)) * side + rng.uniform(-0.7, 0.7))
        add(Person.draw(rng), walker(along(across, 7, 45), float(rng.uniform(0.9, 1.6))))
    for _ in range(int(rng.integers(3, 6))):
        z = float(rng.uniform(8, 24)) if not street.crossing else street.crossing + float(rng.uniform(-1.4, 1.4))
        width = 0.62 * z if not street.paved else street.half + street.walk
        ends = (street.x(-width, z), z), (street.x(width, z + float(rng.uniform(-1, 1))), z)
        add(Person.draw(rng), walker(ends if rng.random() < 0.5 else ends[::-1], float(rng.uniform(1.0, 1.6))))
    for _ in range(int(rng.integers(1, 3))):
        across = float(rng.choice((-1, 1)) * (street.half - 0.8))
        path = along(across, 6, 60) if across < 0 else along(across, 6, 60)[::-1]
        add(Rider(Person.draw(rng), pick(rng, ((0.3, 0.02, 0.03), (0.03, 0.08, 0.25), (0.02, 0.02, 0.02)))),
            walker(path, float(rng.uniform(3.0, 5.0))))  # fmt: skip
    z = float(rng.uniform(8, 20))
    add(Dog.draw(rng), walker(((street.x(-0.6 * z, z), z), (street.x(0.6 * z, z), z)), float(rng.uniform(0.9, 1.6))))
    if street.paved:
        _traffic(rng, street, night, add)
    return actors


def place(seed: int, key: tuple[int, int], size: tuple[int, int], night: bool, paved: bool) -> Scene:
    """The scene of the sequence ``key`` (kind, index): a street or a park, by day or by night."""
    rng = stream(seed, *key, Draw.SCENE)
    width, height = size
    unit = width / 640
    margin = (round((RIG_MARGIN + 34) * unit), round((RIG_MARGIN + 8) * unit))
    view = View(size, 0.95 * width, float(rng.uniform(0.42, 0.5)) * height, float(rng.uniform(1.7, 2.6)), margin)
    street = _street(rng, paved)
    fixtures, objects = _fixtures(rng, street)
    light = Light.night(_lamps(rng, fixtures)) if night else Light.day(rng)
    sway = Sway((28 * unit, 3 * unit), float(rng.uniform(18, 30)), 0.4 * unit, float(rng.uniform(0, 6)))
    actors = _crowd(rng, street, night)
    climate = Climate.draw(rng, night)
    return Scene(view, sway, climate, light, street, tuple(fixtures), tuple(objects), tuple(actors), 0.2,
                 not paved and bool(rng.random() < 0.6), seed, key)  # fmt: skip
