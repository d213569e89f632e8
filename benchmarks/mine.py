"""Mining against bare loops over the same files on one core, and what a run costs however few its pairs.

With tight patches: pairs/s over those of a loop that only decodes the two JPEGs; where the thermal picture is
resampled, also over one that decodes, warps and encodes, and decodes what it has written, as the patches need. Without
patches and with identity alignment nothing is decoded: over a loop that reads the files, hashes them, and writes them
to one file; and over the same loop when it waits, as mining does, until the disk has them. A few synthetic pairs are
linked to many times, so that what a run costs once is not what is measured; ``fixed_s`` is a run over one pair.
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

from benchmarks.measure import aligned_pairs, decode_all, decoded, in_turn, report
from pipeline import mine
from pipeline.files import sightings
from pipeline.files.json_text import write_json
from pipeline.files.sightings import SEEN, sighting
from pipeline.mine import MineConfig
from pipeline.records import AlignedPair, read_rows, write_rows

FRAMES = 12
"""Of each of the two synthetic sequences."""
CASES = (("homography", 100, 8), ("identity", 100, 8), ("identity", 0, 40))
"""Alignment, side of the tight patches, and how often each pair is linked to."""
METHODS = ("center", "random")
PAIRS_PER_SHARD = 200


def main() -> None:
    """Print one line a method and yardstick."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model, size, times in CASES:
            source = aligned_pairs(folder, FRAMES, model)
            aligned = _linked(source, folder / f"{model}-{size}", times)
            rows = list(read_rows(aligned / "aligned.jsonl", AlignedPair))
            one = _linked(source, folder / f"{model}-{size}-one", 1, 1)
            ours = {method: _ours(aligned, folder / "out", method, size) for method in METHODS}
            fixed = {f"{method} fixed": _ours(one, folder / "out", method, size) for method in METHODS}
            bare = _yardsticks(aligned / "data", rows, folder / "flat", model, size)
            rates = in_turn(ours | fixed | bare)
            for method, yardstick in itertools.product(METHODS, bare):
                report(
                    "mine",
                    method=method,
                    alignment=model,
                    patch_size=size,
                    yardstick=yardstick,
                    pairs_per_s=rates[method],
                    bare_pairs_per_s=rates[yardstick],
                    ratio=rates[method] / rates[yardstick],
                    fixed_s=1 / rates[f"{method} fixed"],
                )


def _yardsticks(
    root: Path, rows: list[AlignedPair], target: Path, model: str, size: int
) -> dict[str, Callable[[], int]]:
    """The bare loops that a case is held against."""
    files = [root / path for row in rows for path in (row.rgb, row.tir)]
    if not size:
        return {"copy": _copy(files, target, sync=False), "copy to disk": _copy(files, target, sync=True)}
    return {"decode": decode_all(files)} | ({"resample": _resample(root, rows)} if model == "homography" else {})


def _linked(aligned: Path, out: Path, times: int, first: int | None = None) -> Path:
    """The first aligned pairs, or all, each ``times`` times; their files are hard links in ``out``/data.

    A new link changes a file's state, so what ``align`` saw of it is noted anew.
    """
    source = aligned.parent / "data" / "pairs"
    rows, files = [], list[tuple[Path, str]]()
    for number, row in itertools.product(
        range(times), itertools.islice(read_rows(aligned / "aligned.jsonl", AlignedPair), first)
    ):
        for path, sha256 in ((row.rgb, row.rgb_sha256), (row.tir, row.tir_sha256)):
            link = out / "data" / str(number) / path
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(source / path, link)
            files += [(link, sha256)] if sha256 else []
        at = {"pair_id": f"{number}/{row.pair_id}", "rgb": f"{number}/{row.rgb}", "tir": f"{number}/{row.tir}"}
        rows.append(row.model_copy(update=at))
    write_rows(out / "aligned.jsonl", rows)
    sightings.save(out / SEEN, [sighting(link.stat(), sha256) for link, sha256 in files])
    write_json(out / "align.json", {"root": str(out / "data")})
    return out


def _ours(aligned: Path, out: Path, method: str, size: int) -> Callable[[], int]:
    settings = {"method": method, "patch_size": size, "pairs_per_shard": PAIRS_PER_SHARD, "on_existing": "overwrite"}
    config = MineConfig.model_validate({"aligned": aligned, "out": out} | settings)
    return lambda: mine.run(config, report=False).pairs


def _copy(files: list[Path], target: Path, *, sync: bool) -> Callable[[], int]:
    def work() -> int:
        # Not cut to nothing: what is written over the same file then, ext4 would bring to the disk at once.
        target.unlink(missing_ok=True)
        with target.open("wb", buffering=0) as out:
            for file in files:
                data = file.read_bytes()
                hashlib.sha256(data).hexdigest()
                out.write(data)
            if sync:
                os.fsync(out.fileno())
        return len(files) // 2

    return work


def _resample(root: Path, rows: list[AlignedPair]) -> Callable[[], int]:
    def work() -> int:
        for row in rows:
            decoded(root / row.rgb)
            tir = decoded(root / row.tir)
            warped = cv2.warpPerspective(tir, np.reshape(row.homography, (3, 3)), row.rgb_size)
            _, data = cv2.imencode(".jpg", warped)
            cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        return len(rows)

    return work


if __name__ == "__main__":
    main()
