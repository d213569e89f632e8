"""Mining with a detector against the detector alone, on the same pictures already in memory.

``python -m benchmarks.mine_detection [WEIGHTS]``: YOLO weights, or yolov8n with random ones.
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
from pipeline import images, mine
from pipeline.detect import Detector, build_detector
from pipeline.mine import MineConfig
from pipeline.mine.methods.detection import detector_spec
from pipeline.records import AlignedPair, read_rows

BATCH = 8


def main() -> None:
    """Print one line."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = Path(sys.argv[1]) if len(sys.argv) > 1 else write_random_yolo(folder / "yolov8n-random.pt")
        aligned = aligned_pairs(folder)
        root = folder / "data" / "pairs"
        config = MineConfig(
            aligned=aligned, out=folder / "out", method="detection", weights=weights, device="auto", batch_size=BATCH
        )
        rows = list(read_rows(aligned / "aligned.jsonl", AlignedPair))
        pictures = [images.decode_rgb((root / row.rgb).read_bytes(), row.rgb) for row in rows]
        rates = in_turn(
            {"ours": _ours(config), "detector": _detector(build_detector(detector_spec(config, config)), pictures)}
        )
        report(
            "mine_detection",
            weights=weights.name,
            pairs_per_s=rates["ours"],
            detector_images_per_s=rates["detector"],
            ratio=rates["ours"] / rates["detector"],
            threads=torch.get_num_threads(),
        )


def _ours(config: MineConfig) -> Callable[[], int]:
    counter = itertools.count()

    def work() -> int:
        out = config.out.with_name(f"out-{next(counter)}")
        return mine.run(config.model_copy(update={"out": out}), report=False).pairs_in

    return work


def _detector(detector: Detector, pictures: list[images.Rgb]) -> Callable[[], int]:
    def work() -> int:
        for first in range(0, len(pictures), detector.batch_size):
            batch = pictures[first : first + detector.batch_size]
            detector.detect(batch, [""] * len(batch))
        return len(pictures)

    return work


if __name__ == "__main__":
    main()
