"""What synthetic pairs tell of tubes: objects by number, how the ground moves, boxes as a detector would give them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import iou
from pipeline.shards.index import load_index
from pipeline.shards.reader import ShardReader
from pipeline.shards.tubes import StoredTube, stored_tubes
from pipeline.synthetic.detector import Errors, detected
from pipeline.synthetic.optics.camera import SCALE
from pipeline.synthetic.scene.scene import PAIRS
from pipeline.synthetic.sequences import stage

Boxes = NDArray[np.float64]
COVERED = 0.2
"""Share of a region's area from which on it may be an object that is followed, not the ground."""


@dataclass(frozen=True)
class Sequence:
    """The truth of a sequence.

    Attributes:
        light: ``day`` or ``night``.
        objects: number -> what there is of it in each frame, of each frame in which it is.
        ground: (n, 2) pixels by which the ground has moved since frame 0.
    """

    light: str
    objects: list[dict[int, dict[str, Any]]]
    ground: NDArray[np.float64]

    def way(self, number: int, frames: NDArray[np.int64]) -> Boxes:
        """The boxes (n, 4) of an object in some frames, NaN where it is not in the picture."""
        seen = (self.objects[frame].get(number) for frame in frames)
        return np.array([item["box"] if item else [np.nan] * 4 for item in seen], np.float64)

    def started_on(self, frame: int, box: Boxes) -> int | None:
        """The object that a box is on, with an IoU of at least 0.5."""
        overlaps = {number: float(iou(box, item["box"])) for number, item in self.objects[frame].items()}
        best = max(overlaps, key=lambda number: overlaps[number], default=None)
        return best if best is not None and overlaps[best] >= 0.5 else None


def read_truth(root: Path) -> dict[str, Sequence]:
    """The sequences of a folder of synthetic pairs, by name."""
    content = json.loads((root / "truth.json").read_text())
    found = {}
    for index, entry in enumerate(content["sequences"]):
        objects = [{item["id"]: item for item in frame["objects"]} for frame in entry["frames"]]
        scene = stage(content["seed"], PAIRS, index, tuple(content["size"])).scene
        offsets = np.array([scene.offset(number * scene.step) for number in range(len(objects))], np.float64)
        found[entry["sequence"]] = Sequence(entry["light"], objects, (offsets[0] - offsets) / SCALE)
    return found


def write_homographies(root: Path, out: Path) -> Path:
    """The rigs' own matrices, as ``align --homographies`` takes them."""
    entries = json.loads((root / "truth.json").read_text())["sequences"]
    cameras = {entry["sequence"]: {"homography": entry["homography"]} for entry in entries}
    out.write_text(json.dumps({"cameras": cameras}))
    return out


def write_detections(root: Path, out: Path, errors: Errors, seed: int = 0) -> Path:
    """The true boxes as a detector with such errors would give them, drawn by ``seed``, in a file ``out``."""
    rng = np.random.default_rng(seed)
    size = tuple(json.loads((root / "truth.json").read_text())["size"])
    rows = map(json.loads, (root / "detections.jsonl").read_text().splitlines())
    out.write_text("".join(json.dumps(detected(row, size, errors, rng)) + "\n" for row in rows))
    return out


def tubes_in(folder: Path) -> list[StoredTube]:
    """The tubes in a folder of shards."""
    readers = [ShardReader(folder / entry.file) for entry in load_index(folder).shards]
    return list(stored_tubes(readers))


def drift(tube: StoredTube, truth: Sequence) -> tuple[NDArray[np.float64], str]:
    """How far the middle of a followed region is from where it would be, in pixels, in each of its frames.

    It may show the ground, or an object that covers at least ``COVERED`` of it at first: whichever it stays closest to.
    """
    frames, boxes = tube.frames, tube.boxes.astype(np.float64)
    first, middle = boxes[0], boxes[:, :2] + boxes[:, 2:] / 2
    ways = {"ground": truth.ground[frames]}
    for number, item in truth.objects[frames[0]].items():
        box = np.array(item["box"], np.float64)
        shared = np.minimum(first[:2] + first[2:], box[:2] + box[2:]) - np.maximum(first[:2], box[:2])
        if np.prod(np.maximum(shared, 0)) >= COVERED * np.prod(first[2:]):
            way = truth.way(number, frames)
            ways[f"object {number}"] = way[:, :2] + way[:, 2:] / 2
    gone = {name: np.linalg.norm(middle - middle[0] - (way - way[0]), axis=1) for name, way in ways.items()}
    best = min(gone, key=lambda name: np.nan_to_num(gone[name], nan=np.inf).max())
    return gone[best], best.split()[0]
