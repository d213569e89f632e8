"""Making the files of one sequence: RGB-TIR pairs with their truth, or a TIR tracking sequence."""

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
from pipeline.synthetic import attributes
from pipeline.synthetic.optics import camera
from pipeline.synthetic.optics.noise import Plane, stream
from pipeline.synthetic.optics.sensor import Bolometer, Picture, cut, speckle, visible
from pipeline.synthetic.scene import tracking_layout
from pipeline.synthetic.scene.backdrop import Backdrop, build
from pipeline.synthetic.scene.layout import pair_scene
from pipeline.synthetic.scene.render import Instant, Seen, instant
from pipeline.synthetic.scene.scene import Scene

Size = tuple[int, int]
_MEMBRANE = 0.03
"""Seconds that a thermal picture lags and smears."""


@dataclass(frozen=True)
class Stage:
    """A scene that is ready to be filmed."""

    scene: Scene
    backdrop: Backdrop
    thermal: Bolometer
    noise: Plane


def is_night(index: int) -> bool:
    """Pair sequences are by day and by night in turn."""
    return index % 2 == 1


def pair_name(index: int) -> str:
    """KAIST's name of pair sequence ``index``: sets 00 to 02 are day, 03 to 05 night."""
    turn = index // 2
    return f"set{turn % 3 + 3 * is_night(index):02d}/V{turn // 3:03d}"


def rig(seed: int, index: int, size: Size) -> NDArray[np.float64]:
    """TIR -> RGB homography (3, 3) of pair sequence ``index`` at rest."""
    return camera.rig(stream(seed, 0, index, 3), size)


@lru_cache(maxsize=1)
def stage(seed: int, kind: int, index: int, size: Size) -> Stage:
    """Set up pair (kind 0) or tracking (kind 1) sequence ``index``; the last one is kept for its next frames."""
    if kind == 0:
        scene = pair_scene(seed, index, size, is_night(index), index % 4 < 2)
        white = (135.0, 200.0)
    else:
        scene = tracking_layout.scene(seed, index, size)
        white = (205.0, 245.0)
    backdrop = build(scene)
    thermal = Bolometer.tune(stream(seed, kind, index, 2), backdrop.canvas[..., 3], size, white)
    sigma, lump = (6.5, 0.9) if scene.climate.night else (2.0, 0.0)
    noise = speckle(stream(seed, kind, index, 7), size, 3, sigma, lump)
    return Stage(scene, backdrop, thermal, noise)


def _heat(drawn: Instant) -> Plane:
    return np.asarray(cv2.extractChannel(drawn.canvas, 3), np.float32)


def pair(seed: int, index: int, frame: int, size: Size) -> tuple[Picture, Picture, NDArray[np.float64], list[Seen]]:
    """RGB (h, w, 3), TIR (h, w), TIR -> RGB homography (3, 3) and the objects of one pair."""
    ready = stage(seed, 0, index, size)
    drawn = instant(ready.scene, ready.backdrop, frame)
    matrix = camera.jitter(stream(seed, 0, index, 4, frame), rig(seed, index, size), size)
    noise = cut(ready.noise, stream(seed, 0, index, 5, frame))
    rgb = visible(drawn.canvas, drawn.inset, ready.scene.climate.night, noise)
    to_canvas = camera.to_canvas((drawn.inset, drawn.inset)) @ matrix
    tir = ready.thermal.expose(_heat(drawn), to_canvas, stream(seed, 0, index, 6, frame))
    return rgb, tir, matrix, drawn.seen


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


def write_pairs(root: Path, seed: int, index: int, frames: range, size: Size) -> tuple[list[dict[str, object]], int]:
    """Write the pairs of a range of frames under ``root``; return their truth rows and the bytes written."""
    folder = root / pair_name(index)
    for side in ("visible", "lwir"):
        (folder / side).mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    total = 0
    for frame in frames:
        rgb, tir, matrix, seen = pair(seed, index, frame, size)
        stem = f"I{frame:05d}"
        for side, picture in (("visible", rgb), ("lwir", np.repeat(tir[..., None], 3, axis=2))):
            data = encode(picture, ".jpg")
            write_bytes(folder / side / f"{stem}.jpg", data)
            total += len(data)
        objects = [_object(item, size) for item in seen]
        rows.append({"frame": stem, "homography": matrix.ravel().tolist(), "objects": objects})
    return rows, total


def tracking_frame(seed: int, index: int, frame: int, size: Size) -> tuple[Picture, list[Seen], float]:
    """TIR picture (h, w), objects with boxes in its pixels, and the blur by camera motion in pixels."""
    ready = stage(seed, 1, index, size)
    drawn = instant(ready.scene, ready.backdrop, frame)
    time = frame * ready.scene.step
    now, then = ready.scene.sway.at(time), ready.scene.sway.at(time + 0.01)
    smear = (then[0] - now[0]) / 0.01 * _MEMBRANE, (then[1] - now[1]) / 0.01 * _MEMBRANE
    matrix = camera.to_canvas((drawn.inset, drawn.inset))
    streak = smear[0] * camera.SCALE, smear[1] * camera.SCALE
    picture = ready.thermal.expose(_heat(drawn), matrix, stream(seed, 1, index, 6, frame), streak)
    return picture, drawn.seen, float(np.hypot(*smear))


def write_tracking(root: Path, seed: int, index: int, frames: int, size: Size) -> tuple[int, list[int]]:
    """Write one tracking sequence under ``root`` in LSOTB-TIR's layout; return the bytes written and its flags."""
    name = tracking_layout.name(index)
    folder = root / name / "img"
    folder.mkdir(parents=True, exist_ok=True)
    facts: list[attributes.Fact] = []
    lines, total = [], 0
    for frame in range(frames):
        picture, seen, smear = tracking_frame(seed, index, frame, size)
        target = next((item for item in seen if item.ident == tracking_layout.TARGET), None)
        if target:
            facts.append(attributes.observe(picture, target, seen, smear))
        elif facts:
            facts.append(replace(facts[-1], outside=1.0))
        data = encode(picture, ".jpg")
        write_bytes(folder / f"{frame + 1:04d}.jpg", data)
        total += len(data)
        lines.append(",".join(f"{v:.2f}" for v in facts[-1].box))
    script = tracking_layout.SCRIPTS[index % len(tracking_layout.SCRIPTS)]
    flags = attributes.flags(facts, script.scenario, script.kind == "car")
    write_text(root / name / "groundtruth_rect.txt", "\n".join(lines) + "\n")
    (root / "attributes").mkdir(exist_ok=True)
    write_text(root / "attributes" / f"{name}.txt", ",".join(map(str, flags)) + "\n")
    return total, flags
