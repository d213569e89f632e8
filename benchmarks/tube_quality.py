"""How pure and how long tubes are on synthetic pairs, whose objects are known.

``python -m benchmarks.tube_quality [--frames N] [--sequences N] [--seed N] [--weights YOLO] [--curve]``

Detections are the true boxes with the errors of a detector, or those of ``--weights``. A box of a tube is pure where it
has an IoU of at least 0.5 with the object that the tube started on. Regions of ``random`` and ``center`` have no
object: their drift is how far they are from where the ground, or the object that they show, has gone. Prints
JSON lines.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import report
from benchmarks.tube_truth import (
    Sequence,
    drift,
    read_truth,
    tubes_in,
    write_detections,
    write_homographies,
)
from pipeline import align, mine, synthetic
from pipeline.align import AlignConfig
from pipeline.boxes import iou
from pipeline.mine import MineConfig
from pipeline.shards.tubes import StoredTube
from pipeline.synthetic import SynthConfig
from pipeline.synthetic.detector import Errors

HIDDEN = ((0.0, 0.1, "free"), (0.1, 0.4, "a little"), (0.4, 1.01, "much"))
"""Hidden share of an object, from and below, and what it is called."""
CURVES: dict[str, tuple[str, tuple[float, ...]]] = {
    "max_gap": ("detection", (1, 3, 5, 10, 20)),
    "min_length": ("detection", (2, 5, 10, 20)),
    "max_fb_error": ("random", (0.005, 0.01, 0.02, 0.03, 0.05, 0.1)),
}


def main() -> None:
    """Print one line a method and light, and with ``--curve`` one a value of the three settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--sequences", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", type=Path, help="a YOLO model to detect with, beside the true boxes")
    parser.add_argument("--curve", action="store_true")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = {"sequences": given.sequences, "frames": given.frames, "seed": given.seed}
        synthetic.run(SynthConfig(out=folder / "data", tracking=0, **size))
        root = folder / "data" / "pairs"
        known = write_homographies(root, folder / "known.json")
        aligned = folder / "aligned"
        align.run(AlignConfig(root=root, out=aligned, homographies=known, min_score=0), report=False)
        truth = read_truth(root)
        boxes = write_detections(root, folder / "boxes.jsonl", Errors(), given.seed)
        boxed: dict[str, object] = {"method": "detection", "detector": "boxes", "detections": boxes}
        runs: dict[str, dict[str, object]] = {
            "true boxes": boxed | {"detections": write_detections(root, folder / "true.jsonl", Errors(0, 0, 0))},
            "boxes with errors": boxed,
            "random": {"method": "random"},
            "center": {"method": "center"},
        }
        if given.weights:
            runs[given.weights.name] = {"method": "detection", "weights": given.weights, "classes": ("person", "car")}
        numbers = itertools.count()

        def tubes(settings: dict[str, object]) -> tuple[list[StoredTube], dict[str, int]]:
            out = folder / f"shards-{next(numbers)}"
            result = mine.run(MineConfig(aligned=aligned, out=out, tubes=True, patch_size=0, **settings))
            return tubes_in(out), {"pairs_in": result.pairs_in, "pairs": result.pairs, "patches": result.patches}

        for title, settings in runs.items():
            found, counts = tubes(settings)
            judge = _purity if settings["method"] == "detection" else _drift
            report("tube_quality", what=title, light="all", **counts, **judge(found, truth))
            for light in ("day", "night"):
                part = [tube for tube in found if truth[tube.sequence].light == light]
                report("tube_quality", what=title, light=light, **judge(part, truth))
        report("tube_quality", what="objects themselves, while a detector may see them", **_runs(truth))
        for key, (method, values) in CURVES.items() if given.curve else ():
            base = boxed if method == "detection" else {"method": method}
            for value in values:
                found, counts = tubes(base | {key: value})
                judge = _purity if method == "detection" else _drift
                report("tube_quality", what=method, **{key: value}, **counts, **judge(found, truth))


def _lengths(tubes: Iterable[NDArray[np.int64]]) -> dict[str, object]:
    """How many frames tubes have boxes in, and how many they reach over, gaps included."""
    frames = list(tubes)
    if not frames:
        return {"tubes": 0}
    low, middle, high = np.quantile([len(each) for each in frames], (0.1, 0.5, 0.9))
    spans = [int(each[-1] - each[0]) + 1 for each in frames]
    told = {"length_p10": low, "length_median": middle, "length_p90": high, "span_median": float(np.median(spans))}
    return {"tubes": len(frames)} | told


def _purity(tubes: list[StoredTube], truth: dict[str, Sequence]) -> dict[str, object]:
    """Share of boxes with an IoU of 0.5 to the object they started on, in all and by how much of it is hidden."""
    pure: list[NDArray[np.bool_]] = []
    hidden: list[NDArray[np.float64]] = []
    apart: list[NDArray[np.float64]] = []
    nothing = 0
    for tube in tubes:
        sequence = truth[tube.sequence]
        number = sequence.started_on(int(tube.frames[0]), tube.boxes[0])
        if number is None:
            nothing += 1
            pure.append(np.zeros(len(tube.frames), np.bool_))
            hidden.append(np.full(len(tube.frames), np.nan))
            continue
        way = sequence.way(number, tube.frames)
        there = ~np.isnan(way[:, 0])
        pure.append(there & (iou(tube.boxes, np.where(there[:, None], way, 0)) >= 0.5))
        items = (sequence.objects[frame].get(number) for frame in tube.frames)
        hidden.append(np.array([item["occlusion"] if item else np.nan for item in items]))
        middles = (tube.boxes[:, :2] + tube.boxes[:, 2:] / 2) - (way[:, :2] + way[:, 2:] / 2)
        apart.append(np.linalg.norm(middles, axis=1)[there])
    if not tubes:
        return _lengths([])
    every, shares = np.concatenate(pure), np.concatenate(hidden)
    found: dict[str, object] = {"purity": float(every.mean()), "started_on_nothing": nothing}
    for low, high, name in HIDDEN:
        part = every[(shares >= low) & (shares < high)]
        found |= {f"hidden {name}": float(part.mean()) if len(part) else None, f"boxes {name}": len(part)}
    distance = np.concatenate(apart) if apart else np.zeros(1)
    found |= {"drift_px_median": float(np.median(distance)), "drift_px_p95": float(np.quantile(distance, 0.95))}
    return _lengths(tube.frames for tube in tubes) | found


def _drift(tubes: list[StoredTube], truth: dict[str, Sequence]) -> dict[str, object]:
    """How far regions are from what they show, in their last frames, and how many are within a tenth of their side."""
    if not tubes:
        return _lengths([])
    ways, kinds = zip(*(drift(tube, truth[tube.sequence]) for tube in tubes), strict=True)
    last = np.nan_to_num(np.array([way[-1] for way in ways]), nan=np.inf)
    sides = np.sqrt([tube.boxes[0, 2] * tube.boxes[0, 3] for tube in tubes])
    return _lengths(tube.frames for tube in tubes) | {
        "drift_px_median": float(np.median(last)),
        "drift_px_p95": float(np.quantile(last, 0.95)),
        "within_a_tenth": float(np.mean(last < 0.1 * sides)),
        **{f"on_{name}": count for name, count in sorted(Counter(kinds).items())},
    }


def _runs(truth: dict[str, Sequence], visible: float = 0.6, side: float = 16, gap: int = 10) -> dict[str, object]:
    """How long objects can be seen in one go: what no tube can exceed."""
    return _lengths(run for sequence in truth.values() for run in _seen(sequence, visible, side, gap))


def _seen(sequence: Sequence, visible: float, side: float, gap: int) -> Iterator[NDArray[np.int64]]:
    frames: dict[int, list[int]] = {}
    for frame, objects in enumerate(sequence.objects):
        for number, item in objects.items():
            if item["visibility"] >= visible and min(item["box"][2:]) >= side:
                frames.setdefault(number, []).append(frame)
    for found in frames.values():
        for run in np.split(np.array(found), np.flatnonzero(np.diff(found) > gap) + 1):
            if len(run) >= 10:
                yield run


if __name__ == "__main__":
    main()
