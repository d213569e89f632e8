"""Training samples/s from shards against full pictures read, cropped and labelled one by one with OpenCV."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import aligned_pairs, in_turn, report
from pipeline import mine
from pipeline.mine import MineConfig
from pipeline.records import AlignedPair, read_rows
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding
from trainer.data.shards import open_source
from trainer.data.targets import MIN_IOU, SIGMAS
from trainer.data.views import search_windows
from trainer.recipes.geometry import geometry_of

SAMPLES = 60


def main() -> None:
    """Print one line for the feeding of a one-branch row and one for a mixed row."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        aligned = aligned_pairs(folder)
        mined = mine.run(MineConfig(aligned=aligned, out=folder / "shards", method="center", patch_size=0))
        rows = list(read_rows(aligned / "aligned.jsonl", AlignedPair))
        root = folder / "data" / "pairs"
        sources = sum((root / p).stat().st_size for row in rows for p in (row.rgb, row.tir))
        for feeding in (Feeding(("tir",), ("rgb",)), Feeding(("rgb", "tir"), ("tir", "rgb"))):
            source = open_source((folder / "shards",))
            data = PairDataset(
                source, np.arange(len(rows)), geometry_of("dimp50"), feeding, samples=SAMPLES, seed=0, augment=False
            )
            ways = {"ours": _shards(data), "naive": _naive(root, rows, data.spec, len(feeding.reference))}
            rates = in_turn(ways)
            cold = in_turn({name: _cold(way, folder) for name, way in ways.items()})
            report(
                "loader",
                reference="-".join(feeding.reference),
                samples_per_s=rates["ours"],
                naive_samples_per_s=rates["naive"],
                ratio=rates["ours"] / rates["naive"],
                cold_ratio=cold["ours"] / cold["naive"],
                shard_bytes_over_source=mined.bytes / sources,
            )


def _cold(work: Callable[[], int], folder: Path) -> Callable[[], int]:
    """The same with files that the system's page cache has been asked to drop."""

    def cold() -> int:
        for path in folder.rglob("*.*"):
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return work()

    return cold


def _shards(data: PairDataset) -> Callable[[], int]:
    def work() -> int:
        for index in range(SAMPLES):
            data[index]
        return SAMPLES

    return work


def _naive(root: Path, rows: list[AlignedPair], spec: Any, fed: int) -> Callable[[], int]:
    """The straightforward way to the same samples, ``fed`` pictures a branch.

    Two whole decodes and a warp a sample; a window a branch, padded where it leaves the picture; the label, cell by
    cell; proposals drawn one by one until they overlap the box, as the base trackers' own training code does it.
    """

    def work() -> int:
        rng = np.random.default_rng(0)
        for _ in range(SAMPLES):
            row = rows[rng.integers(len(rows))]
            rgb: Any = cv2.imread(str(root / row.rgb))
            read: Any = cv2.imread(str(root / row.tir))
            tir: Any = cv2.warpPerspective(read, np.reshape(row.homography, (3, 3)), row.rgb_size)
            box = _centre_box(row.rgb_size)
            for images in ((tir, rgb)[:fed], (rgb, tir)[:fed]):
                moved = search_windows.jitter(box, spec.centre_jitter[1], spec.scale_jitter[1], rng)
                side = int(np.ceil(np.sqrt(moved[2] * moved[3]) * spec.factor))
                x, y = (round(c - side / 2) for c in moved[:2] + moved[2:] / 2)
                for image in images:
                    height, width = image.shape[:2]
                    over = [max(0, -y), max(0, y + side - height), max(0, -x), max(0, x + side - width)]
                    padded = cv2.copyMakeBorder(image, over[0], over[1], over[2], over[3], cv2.BORDER_REPLICATE)
                    cut = padded[max(0, y) :, max(0, x) :][:side, :side]
                    np.ascontiguousarray(cv2.resize(cut, (spec.size, spec.size))[..., ::-1].transpose(2, 0, 1))
            seen = np.array([*(box[:2] - (x, y)), *box[2:]]) * spec.size / side
            [_proposal(seen, rng) for _ in range(spec.proposals)]
            cells = spec.cells + 1
            centre = (seen[:2] + seen[2:] / 2) / 16
            [
                [np.exp(-((i - centre[1]) ** 2 + (j - centre[0]) ** 2) / 1.62) for j in range(cells)]
                for i in range(cells)
            ]
        return SAMPLES

    return work


def _centre_box(size: tuple[int, int]) -> NDArray[np.float64]:
    side = min(size) / 3
    return np.array([(size[0] - side) / 2, (size[1] - side) / 2, side, side])


def _proposal(box: NDArray[np.float64], rng: np.random.Generator) -> tuple[NDArray[np.float64], float]:
    spread = rng.choice(SIGMAS) * np.sqrt(box[2] * box[3])
    while True:
        x, y, w, h = box + spread * rng.standard_normal(4)
        across = max(0.0, min(x + w, box[0] + box[2]) - max(x, box[0]))
        down = max(0.0, min(y + h, box[1] + box[3]) - max(y, box[1]))
        overlap = across * down / (w * h + box[2] * box[3] - across * down)
        if w > 1 and h > 1 and overlap > MIN_IOU:
            return np.rint([x, y, w, h]), overlap
        spread *= 0.9


if __name__ == "__main__":
    main()
