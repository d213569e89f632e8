"""Cost and memory of align and mine against the number of pairs: both must be flat.

Tiny pictures, linked from a few: what is measured is the work around a pair, planning, rows, files. Matrices are
only applied. Each stage runs in a process of its own on one core, whose peak memory it reports. Planning is a rerun of
what is finished.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import report
from pipeline import images

SIZES = (1_000, 10_000, 100_000)
FRAMES = 1_000
"""Frames of one sequence; every sequence has a camera of its own."""
DRAWN = 100
"""Different pictures, each linked to as often as needed; a file system limits the links to one file."""
PAIRS_TIMED = 3_000
"""A small size is run again until so many pairs are timed."""
STAGES = {
    "align": "align.run(align.AlignConfig(root=at / 'data', out=at / 'aligned', manifest='kaist', min_score=0, "
    "homographies=at / 'known.json'), report=False)",
    "mine": "mine.run(mine.MineConfig(aligned=at / 'aligned', out=at / 'shards', method='center', patch_size=32), "
    "report=False)",
    "verify": "verify.verify(at / 'shards')",
}
FLAT = ("align", "mine")
"""Stages whose processor time a pair and peak memory must not depend on the number of pairs."""
CODE = """
import json, resource, sys, time
from pathlib import Path
import cv2
from pipeline import align, mine
from pipeline.shards import verify
cv2.setNumThreads(1)
at, start, begun = Path(sys.argv[1]), time.perf_counter(), time.process_time()
{call}
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([time.perf_counter() - start, time.process_time() - begun, used.ru_maxrss / 1024]))
"""


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max", type=int, default=10_000, help="largest number of pairs")
    largest = parser.parse_args().max
    sizes = [size for size in SIZES if size <= largest]
    table = {size: _measure(size, max(1, PAIRS_TIMED // size)) for size in sizes}
    first, last = table[sizes[0]], table[sizes[-1]]
    growth = {key: last[key] / first[key] for key in first if key.startswith(FLAT) and not key.endswith("wall_ms")}
    report(
        "scale",
        pairs={str(size): {key: round(value, 4) for key, value in row.items()} for size, row in table.items()},
        growth={key: round(value, 3) for key, value in growth.items()},
        grows_by=max(growth.values()) - 1,
    )


def _measure(pairs: int, rounds: int) -> dict[str, float]:
    """Each stage at one size, medians of some rounds: milliseconds a pair of processor and of wall, peak megabytes."""
    seen: dict[str, list[float]] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            at = Path(folder)
            _link(at, pairs)
            for stage, again in (("align", False), ("align", True), ("mine", False), ("mine", True), ("verify", False)):
                key = f"plan_{stage}" if again else stage
                wall, cpu, peak = _run(stage, at)
                for name, value in (("cpu_ms", 1e3 * cpu / pairs), ("wall_ms", 1e3 * wall / pairs), ("peak_mb", peak)):
                    seen.setdefault(f"{key}_{name}", []).append(value)
    return {key: float(np.median(values)) for key, values in seen.items()}


def _run(stage: str, at: Path) -> list[float]:
    """Seconds of wall and of processor, and peak megabytes."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-c", CODE.format(call=STAGES[stage]), str(at)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    return [float(value) for value in json.loads(done.stdout.splitlines()[-1])]


def _link(at: Path, pairs: int) -> None:
    """A KAIST-style tree, and a known matrix for each of its cameras."""
    rng = np.random.default_rng(0)
    for number in range(DRAWN):
        for side, shape in (("visible", (48, 64, 3)), ("lwir", (48, 64))):
            (at / "drawn").mkdir(exist_ok=True)
            picture = rng.integers(0, 255, shape).astype(np.uint8)
            (at / "drawn" / f"{side}-{number}.jpg").write_bytes(images.encode(picture, ".jpg"))
    cameras = {}
    for number in range(pairs):
        sequence, frame = divmod(number, FRAMES)
        name = f"set00/V{sequence:03d}"
        for side in ("visible", "lwir"):
            folder = at / "data" / name / side
            if frame == 0:
                folder.mkdir(parents=True)
                cameras[name] = {"homography": [1, 0, 0, 0, 1, 0, 0, 0, 1], "model": "identity"}
            os.link(at / "drawn" / f"{side}-{number % DRAWN}.jpg", folder / f"I{frame:05d}.jpg")
    (at / "known.json").write_text(json.dumps({"cameras": cameras}))


if __name__ == "__main__":
    main()
