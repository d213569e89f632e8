"""Making the files of one sequence: RGB-TIR pairs with their truth, or a tracking sequence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline import boxes
from pipeline.files.writing import write_bytes, write_text
from pipeline.images import encode
from pipeline.runtime.counting import counted
from pipeline.synthetic import attributes
from pipeline.synthetic.optics import camera
from pipeline.synthetic.optics.noise import Draw, Plane, stream
from pipeline.synthetic.optics.sensor import Bolometer, Picture, cut, speckle, visible
from pipeline.synthetic.scene import layout, tracking_layout
from pipeline.synthetic.scene.backdrop import Backdrop, build
from pipeline.synthetic.scene.render import Instant, Seen, instant
from pipeline.synthetic.scene.scene import PAIRS, TRACKING, Scene

Size = tuple[int, int]
_MEMBRANE = 0.03
"""Seconds that a thermal picture lags and smears."""


@dataclass(frozen=True)
class Stage:
    """A scene that is ready to be filmed."""

    scene: Scene
    backdrop: Backdrop
    thermal: Bolometer

    def rng(self, draw: Draw, frame: int) -> np.random.Generator:
        """The random stream of one frame."""
        return stream(self.scene.seed, *self.scene.key, draw, frame)


@dataclass(frozen=True)
class Shot:
    """One frame of a tracking sequence.

    Attributes:
        tir: picture (h, w).
        rgb: picture (h, w, 3) of the same pixels; None where it was not asked for.
        seen: objects with boxes in its pixels.
        smear: pixels of blur by camera motion in ``tir``.
    """

    tir: Picture
    rgb: Picture | None
    seen: list[Seen]
    smear: float


def is_night(index: int) -> bool:
    """Pair sequences are by day and by night in turn."""
    return index % 2 == 1


def pair_name(index: int) -> str:
    """KAIST's name of pair sequence ``index``: sets 00 to 02 are day, 03 to 05 night."""
    turn = index // 2
    return f"set{turn % 3 + 3 * is_night(index):02d}/V{turn // 3:03d}"


def rig(seed: int, index: int, size: Size) -> NDArray[np.float64]:
    """TIR -> RGB homography (3, 3) of pair sequence ``index`` at rest."""
    return camera.rig(stream(seed, PAIRS, index, Draw.RIG), size)


@lru_cache(maxsize=1)
def stage(seed: int, kind: int, index: int, size: Size) -> Stage:
    """Set up pair or tracking sequence ``index``; the last one is kept for its next frames."""
    if kind == PAIRS:
        scene = layout.place(seed, (kind, index), size, is_night(index), index % 4 < 2)
    else:
        scene = tracking_layout.scene(seed, index, size)
    backdrop = build(scene)
    thermal = Bolometer.tune(stream(seed, *scene.key, Draw.THERMAL), backdrop.canvas[..., 3], size)
    return Stage(scene, backdrop, thermal)


@lru_cache(maxsize=1)
def _sheet(seed: int, key: tuple[int, int], size: Size, night: bool) -> Plane:
    """Noise of the visible camera in one sequence, of which its frames take pieces."""
    sigma, lump = (6.5, 0.9) if night else (2.0, 0.0)
    return speckle(stream(seed, *key, Draw.RGB_SHEET), size, 3, sigma, lump)


def _rgb(ready: Stage, drawn: Instant, frame: int) -> Picture:
    """What the visible camera sees (h, w, 3)."""
    scene = ready.scene
    sheet = _sheet(scene.seed, scene.key, scene.view.size, scene.climate.night)
    return visible(drawn.canvas, drawn.inset, scene.climate.night, cut(sheet, ready.rng(Draw.RGB_NOISE, frame)))


def _tir(ready: Stage, drawn: Instant, frame: int, matrix: NDArray[np.float64]) -> tuple[Picture, float]:
    """What the thermal camera sees (h, w), its pixels at ``matrix`` (3, 3) in the visible one's, and pixels of blur."""
    sway, time = ready.scene.sway, frame * ready.scene.step
    now, then = sway.at(time), sway.at(time + 0.01)
    smear = (then[0] - now[0]) / 0.01 * _MEMBRANE, (then[1] - now[1]) / 0.01 * _MEMBRANE
    heat = np.asarray(cv2.extractChannel(drawn.canvas, 3), np.float32)
    to_canvas = camera.to_canvas((drawn.inset, drawn.inset)) @ matrix
    streak = smear[0] * camera.SCALE, smear[1] * camera.SCALE
    return ready.thermal.expose(heat, to_canvas, ready.rng(Draw.TIR_NOISE, frame), streak), float(np.hypot(*smear))


def pair(seed: int, index: int, frame: int, size: Size) -> tuple[Picture, Picture, NDArray[np.float64], list[Seen]]:
    """RGB (h, w, 3), TIR (h, w), TIR -> RGB homography (3, 3) and the objects of one pair."""
    ready = stage(seed, PAIRS, index, size)
    drawn = instant(ready.scene, ready.backdrop, frame)
    matrix = camera.jitter(ready.rng(Draw.PLAY, frame), rig(seed, index, size), size)
    tir, _ = _tir(ready, drawn, frame, matrix)
    return _rgb(ready, drawn, frame), tir, matrix, drawn.seen


def _object(seen: Seen, size: Size) -> dict[str, object]:
    return {
        "id": seen.ident,
        "name": seen.name,
        "class": seen.coco,
        "box": [round(float(v), 3) for v in boxes.clip(seen.box, *size)],
        "visibility": round(seen.visibility, 4),
        "occlusion": round(max(seen.occlusion, 0.0), 4),
        "depth": round(seen.depth, 2),
    }


def _write_picture(path: Path, picture: Picture) -> int:
    """Write a JPEG, and return its bytes."""
    data = encode(picture, ".jpg")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, data)
    return len(data)


def write_pairs(root: Path, seed: int, index: int, frames: range, size: Size) -> tuple[list[dict[str, object]], int]:
    """Write the pairs of a range of frames under ``root``; return their truth rows and the bytes written."""
    folder = root / pair_name(index)
    rows: list[dict[str, object]] = []
    total = 0
    for frame in counted(frames):
        rgb, tir, matrix, seen = pair(seed, index, frame, size)
        stem = f"I{frame:05d}"
        for side, picture in (("visible", rgb), ("lwir", np.repeat(tir[..., None], 3, axis=2))):
            total += _write_picture(folder / side / f"{stem}.jpg", picture)
        objects = [_object(item, size) for item in seen]
        rows.append({"frame": stem, "homography": matrix.ravel().tolist(), "objects": objects})
    return rows, total


def tracking_frame(seed: int, index: int, frame: int, size: Size, twin: bool = False) -> Shot:
    """One frame of a tracking sequence; ``twin``: as the visible camera sees it too, from the same place."""
    ready = stage(seed, TRACKING, index, size)
    drawn = instant(ready.scene, ready.backdrop, frame)
    tir, smear = _tir(ready, drawn, frame, np.eye(3))
    return Shot(tir, _rgb(ready, drawn, frame) if twin else None, drawn.seen, smear)


def write_tracking(root: Path, seed: int, index: int, frames: int, size: Size, twins: Path | None = None) -> int:
    """Write one tracking sequence in LSOTB-TIR's layout; return the bytes of its pictures.

    Args:
        root: folder of the TIR sequences.
        seed: of the run.
        index: of the sequence.
        frames: pictures.
        size: of each, (width, height).
        twins: folder for the same sequence in RGB, with the same boxes and attributes, if it is wanted.
    """
    name = tracking_layout.name(index)
    facts: list[attributes.Fact] = []
    lines, total = [], 0
    for frame in counted(range(frames)):
        shot = tracking_frame(seed, index, frame, size, twins is not None)
        target = next((item for item in shot.seen if item.ident == tracking_layout.TARGET), None)
        if target:
            facts.append(attributes.observe(shot.tir, target, shot.seen, shot.smear))
        elif facts:
            facts.append(replace(facts[-1], outside=1.0))
        lines.append(",".join(f"{v:.2f}" for v in facts[-1].box))
        for folder, picture in ((root, shot.tir), (twins, shot.rgb)):
            if folder and picture is not None:
                total += _write_picture(folder / name / "img" / f"{frame + 1:04d}.jpg", picture)
    script = tracking_layout.SCRIPTS[index % len(tracking_layout.SCRIPTS)]
    flags = attributes.flags(facts, script.scenario, script.kind == "car")
    for folder in filter(None, (root, twins)):
        write_text(folder / name / "groundtruth_rect.txt", "\n".join(lines) + "\n")
        (folder / "attributes").mkdir(exist_ok=True)
        write_text(folder / "attributes" / f"{name}.txt", ",".join(map(str, flags)) + "\n")
    return total
