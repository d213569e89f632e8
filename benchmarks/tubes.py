"""What tubes cost: mining with ``--tubes`` against mining without, on one core, over the same synthetic pairs.

``python -m benchmarks.tubes [WEIGHTS]``: YOLO weights for ``detection``, or yolov8n with random ones, beside boxes from
a file. Every run is whole: visible pictures read twice, tubes, shards with tight patches.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import torch

from benchmarks.measure import aligned_pairs, in_turn, report
from benchmarks.random_yolo import write_random_yolo
from pipeline import mine
from pipeline.mine import MineConfig

FRAMES = 24
"""Of each of the two synthetic sequences."""


def main() -> None:
    """Print one line a method."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = Path(sys.argv[1]) if len(sys.argv) > 1 else write_random_yolo(folder / "yolov8n-random.pt")
        aligned = aligned_pairs(folder, FRAMES)
        boxes = folder / "data" / "pairs" / "detections.jsonl"
        cases: dict[str, dict[str, object]] = {
            "random": {"method": "random"},
            "center": {"method": "center"},
            "detection, yolo": {"method": "detection", "weights": weights},
            "detection, boxes": {"method": "detection", "detector": "boxes", "detections": boxes},
        }
        for title, settings in cases.items():
            plain = MineConfig(aligned=aligned, out=folder / "out", **settings)
            tubes = plain.model_copy(update={"tubes": True})
            rates = in_turn({"plain": _mine(plain), "tubes": _mine(tubes)})
            report(
                "tubes",
                method=title,
                pairs_per_s=rates["tubes"],
                plain_pairs_per_s=rates["plain"],
                times_the_cost=rates["plain"] / rates["tubes"],
            )


_runs = itertools.count()


def _mine(config: MineConfig) -> Callable[[], int]:
    def work() -> int:
        out = config.out.with_name(f"out-{next(_runs)}")
        return mine.run(config.model_copy(update={"out": out}), report=False).pairs_in

    return work


if __name__ == "__main__":
    main()
