"""Training samples/s from shards against full pictures read, cropped and labelled one by one with OpenCV."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.measure import aligned_pairs, in_turn, report
from pipeline import mine
from pipeline.config import MineConfig
from pipeline.records import AlignedPair, read_rows
from trainer.data import PairDataset
from trainer.feeding import Feeding
from trainer.source import open_source
from trainer.trackers import TRACKERS

SAMPLES = 60


def main() -> None:
    """Print one line for the feeding of a one-branch row and one for a mixed row."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        aligned = aligned_pairs(folder)
        summary = mine.run(MineConfig(aligned=aligned, out=folder / "shards", method="center", patch_size=0))
        rows = list(read_rows(aligned / "aligned.jsonl", AlignedPair))
        root = folder / "data" / "pairs"
        sources = sum((root / p).stat().st_size for row in rows for p in (row.rgb, row.tir))
        for feeding in (Feeding(("tir",), ("rgb",)), Feeding(("rgb", "tir"), ("tir", "rgb"))):
            source = open_source((folder / "shards",))
            data = PairDataset(
                source, np.arange(len(rows)), TRACKERS["dimp50"], feeding, samples=SAMPLES, seed=0, augment=False
            )
            rates = in_turn({"ours": _shards(data), "naive": _naive(root, rows)})
            report(
                "loader",
                reference="-".join(feeding.reference),
                samples_per_s=rates["ours"],
                naive_samples_per_s=rates["naive"],
                ratio=rates["ours"] / rates["naive"],
                shard_bytes_over_source=summary["bytes"] / sources,
            )


def _shards(data: PairDataset) -> Callable[[], int]:
    def work() -> int:
        for index in range(SAMPLES):
            data[index]
        return SAMPLES

    return work


def _naive(root: Path, rows: list[AlignedPair]) -> Callable[[], int]:
    """The straightforward way: two decodes and a warp a sample, padded crops, a label cell by cell."""

    def work() -> int:
        rng = np.random.default_rng(0)
        for _ in range(SAMPLES):
            row = rows[rng.integers(len(rows))]
            rgb = cv2.imread(str(root / row.rgb))
            tir = cv2.warpPerspective(cv2.imread(str(root / row.tir)), np.reshape(row.homography, (3, 3)), row.rgb_size)
            for image in (rgb, tir):
                side = int(rng.uniform(300, 900))
                padded = cv2.copyMakeBorder(image, side, side, side, side, cv2.BORDER_REPLICATE)
                x, y = rng.integers(0, image.shape[1]), rng.integers(0, image.shape[0])
                cv2.resize(padded[y + side // 2 :][:side, x + side // 2 :][:, :side], (288, 288))
            [[np.exp(-((i - 9) ** 2 + (j - 9) ** 2) / 1.62) for j in range(19)] for i in range(19)]
        return SAMPLES

    return work


if __name__ == "__main__":
    main()
