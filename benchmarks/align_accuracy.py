"""Accuracy of ``cmd-prep align`` on pairs with a known warp: ``align_accuracy.py ROOT TRUTH.json [--skip set21]``.

ROOT holds one KAIST-style tree a kind of warp; TRUTH.json lists pairs with ``kind``, ``seq``, ``visible``, ``size`` and
``H_rgb2tir`` (RGB pixel -> TIR pixel), and for rigs ``H_rig``. Errors are the mean distance of the four corners in RGB
pixels. Repeatability compares the estimate on a warped pair with that on its ``none`` twin joined with the known warp,
so that the imperfection of the nominal truth drops out. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrices = dict[str, NDArray[np.float64]]
Truth = list[dict[str, Any]]


def align(root: Path, estimate: str, model: str) -> tuple[Matrices, float]:
    """TIR -> RGB matrices of the pairs under a tree, by visible file, and the seconds it took (one worker)."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "from pipeline.cli import main; main()", "align", "--root", str(root)]
        command += ["--out", folder, "--manifest", "kaist", "--estimate", estimate, "--model", model]
        command += ["--min-score", "0", "--workers", "1"]
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        rows = [json.loads(line) for line in (Path(folder) / "aligned.jsonl").read_text().splitlines()]
    return {row["rgb"]: np.reshape(row["homography"], (3, 3)) for row in rows}, seconds


def corner_error(found: NDArray[np.float64], truth: NDArray[np.float64], size: tuple[int, int]) -> float:
    """Mean distance in pixels between where two matrices take the corner pixels of a (width, height) picture."""
    right, bottom = size[0] - 1, size[1] - 1
    corners = np.array([[0, 0, 1], [right, 0, 1], [right, bottom, 1], [0, bottom, 1.0]])
    first, second = (corners @ matrix.T for matrix in (found, truth))
    return float(np.linalg.norm(first[:, :2] / first[:, 2:] - second[:, :2] / second[:, 2:], axis=1).mean())


def summary(errors: list[float]) -> dict[str, float | int]:
    """Median, 95th percentile, worst and share over 5 pixels; a pair without an estimate counts as infinitely wrong."""
    values = np.array(errors)
    ranked = np.sort(values)
    finite = {"median": ranked[len(ranked) // 2], "p95": ranked[int(0.95 * (len(ranked) - 1))], "worst": ranked[-1]}
    shown = {name: round(float(min(value, 9999)), 3) for name, value in finite.items()}
    return {"pairs": len(values), **shown, "over_5px": round(float(np.mean(values > 5)), 4)}


def score(pairs: Truth, found: Matrices, still: Matrices, warp: str) -> dict[str, Any]:
    """Errors against the truth, and repeatability against the estimates on the unwarped twins."""
    errors: list[float] = []
    repeats: list[float] = []
    for pair in pairs:
        key = pair["visible"].split("/", 1)[1]
        truth = np.linalg.inv(np.array(pair[warp], dtype=np.float64))
        errors.append(corner_error(found[key], truth, pair["size"]) if key in found else np.inf)
        if key in still:
            repeats.append(corner_error(found[key], still[key] @ truth, pair["size"]) if key in found else np.inf)
    return {"error": summary(errors), "repeatability": summary(repeats)}


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("root", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--skip", action="append", default=[], help="sequences left out, by prefix (set21)")
    parser.add_argument("--model", default="auto")
    options = parser.parse_args()
    pairs = json.loads(options.truth.read_text())["pairs"]
    pairs = [pair for pair in pairs if not pair["seq"].startswith(tuple(options.skip or ["\0"]))]
    kinds = sorted({pair["kind"] for pair in pairs})
    result: dict[str, Any] = {}
    still = {how: align(options.root / "none", how, options.model)[0] for how in ("pair", "sequence")}
    for kind in kinds:
        rig = kind.startswith("d_")
        how = "sequence" if rig else "pair"
        found, seconds = align(options.root / kind, how, options.model)
        chosen = [pair for pair in pairs if pair["kind"] == kind]
        result[kind] = score(chosen, found, still[how], "H_rig" if rig else "H_rgb2tir")
        result[kind]["pairs_per_second"] = round(len(found) / seconds, 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
