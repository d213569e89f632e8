"""Mining against bare loops over the same files on one core.

With tight patches: pairs/s over those of a loop that only decodes the two JPEGs. Without them and with identity
alignment, nothing is decoded: over those of a loop that reads the files, hashes them, and writes them to one file.
"""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2

from benchmarks.measure import aligned_pairs, decode_all, in_turn, report
from pipeline import mine
from pipeline.config import MineConfig
from pipeline.records import AlignedPair, read_rows


def main() -> None:
    """Print one line a method."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model, size, aim in (("homography", 100, "decode"), ("identity", 100, "decode"), ("identity", 0, "copy")):
            aligned = aligned_pairs(folder, model=model)
            root = folder / "data" / "pairs"
            files = [root / p for row in read_rows(aligned / "aligned.jsonl", AlignedPair) for p in (row.rgb, row.tir)]
            for method in ("center", "random"):
                ours = _ours(MineConfig(aligned=aligned, out=folder / "out", method=method, patch_size=size))
                bare = decode_all(files) if aim == "decode" else _copy(files, folder / "flat")
                rates = in_turn({"ours": ours, "bare": bare})
                report(
                    "mine",
                    method=method,
                    alignment=model,
                    patch_size=size,
                    yardstick=aim,
                    pairs_per_s=rates["ours"],
                    bare_pairs_per_s=rates["bare"],
                    ratio=rates["ours"] / rates["bare"],
                )


def _ours(config: MineConfig) -> Callable[[], int]:
    counter = itertools.count()

    def work() -> int:
        out = config.out.with_name(f"out-{config.method}-{config.patch_size}-{next(counter)}")
        return int(mine.run(config.model_copy(update={"out": out, "on_existing": "overwrite"}))["pairs"])

    return work


def _copy(files: list[Path], target: Path) -> Callable[[], int]:
    def work() -> int:
        with target.open("wb") as out:
            for file in files:
                data = file.read_bytes()
                hashlib.sha256(data).hexdigest()
                out.write(data)
        return len(files) // 2

    return work


if __name__ == "__main__":
    main()
