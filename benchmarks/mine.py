"""Mining against bare loops over the same files on one core.

With tight patches: pairs/s over those of a loop that only decodes the two JPEGs; where the thermal picture is
resampled, also over one that decodes, warps and encodes, and decodes what it has written, as the patches need. Without
patches and with identity alignment nothing is decoded: over a loop that reads the files, hashes them, and writes them
to one file. A few synthetic pairs are linked to many times, so that what a run costs once is not what is measured.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.measure import aligned_pairs, decode_all, in_turn, report
from pipeline import mine
from pipeline.config import MineConfig
from pipeline.records import AlignedPair, read_rows, write_json, write_rows

CASES = (("homography", 100, "decode", 4), ("identity", 100, "decode", 4), ("identity", 0, "copy", 40))
"""Alignment, side of the tight patches, yardstick, and how often each pair is linked to."""
PAIRS_PER_SHARD = 200


def main() -> None:
    """Print one line a method."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model, size, aim, times in CASES:
            aligned = _linked(aligned_pairs(folder, model=model), folder / f"{model}-{times}", times)
            rows = list(read_rows(aligned / "aligned.jsonl", AlignedPair))
            files = [aligned / "data" / path for row in rows for path in (row.rgb, row.tir)]
            bare = {aim: decode_all(files) if aim == "decode" else _copy(files, folder / "flat")}
            if model == "homography":
                bare["resample"] = _resample(aligned / "data", rows)
            for method in ("center", "random"):
                config = MineConfig(aligned=aligned, out=folder / "out", method=method, patch_size=size)
                rates = in_turn({"ours": _ours(config)} | bare)
                for yardstick in bare:
                    report(
                        "mine",
                        method=method,
                        alignment=model,
                        patch_size=size,
                        yardstick=yardstick,
                        pairs_per_s=rates["ours"],
                        bare_pairs_per_s=rates[yardstick],
                        ratio=rates["ours"] / rates[yardstick],
                    )


def _linked(aligned: Path, out: Path, times: int) -> Path:
    """Aligned pairs of which each appears ``times`` times, its files hard links; the data are in ``out``/data."""
    source = aligned.parent / "data" / "pairs"
    rows = []
    for number, row in itertools.product(range(times), read_rows(aligned / "aligned.jsonl", AlignedPair)):
        for path in (row.rgb, row.tir):
            link = out / "data" / str(number) / path
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(source / path, link)
        at = {"pair_id": f"{number}/{row.pair_id}", "rgb": f"{number}/{row.rgb}", "tir": f"{number}/{row.tir}"}
        rows.append(row.model_copy(update=at))
    write_rows(out / "aligned.jsonl", rows)
    write_json(out / "align.json", {"root": str(out / "data")})
    return out


def _ours(config: MineConfig) -> Callable[[], int]:
    again = config.model_copy(update={"on_existing": "overwrite", "pairs_per_shard": PAIRS_PER_SHARD})
    return lambda: int(mine.run(again)["pairs"])


def _copy(files: list[Path], target: Path) -> Callable[[], int]:
    def work() -> int:
        with target.open("wb") as out:
            for file in files:
                data = file.read_bytes()
                hashlib.sha256(data).hexdigest()
                out.write(data)
        return len(files) // 2

    return work


def _resample(root: Path, rows: list[AlignedPair]) -> Callable[[], int]:
    def work() -> int:
        for row in rows:
            cv2.imread(str(root / row.rgb), cv2.IMREAD_UNCHANGED)
            tir = cv2.imread(str(root / row.tir), cv2.IMREAD_UNCHANGED)
            warped = cv2.warpPerspective(tir, np.reshape(row.homography, (3, 3)), row.rgb_size)
            _, data = cv2.imencode(".jpg", warped)
            cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        return len(rows)

    return work


if __name__ == "__main__":
    main()
