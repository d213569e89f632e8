"""Refit the score's three constants: ``python -m benchmarks.calibrate_score ROOT TRUTH.json [--skip set21]``.

Registers every warped pair of TRUTH.json (see ``align_accuracy.py``) and as many pictures of different places, and fits
P(corner error of at most 5 pixels) by logistic regression on ``quality.features``. Unrelated pairs
weigh a quarter: they are to be told apart, not to pull the probabilities of honest pairs down. Prints one JSON line:
the constants for ``pipeline/pairing/registration/quality.py`` and, with each scene held out in turn, the calibration
(score, share within 5 pixels, pairs) and the share of good pairs kept when 2 % of the unrelated ones pass.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from benchmarks.align_accuracy import corner_error
from pipeline import images
from pipeline.pairing.registration.quality import features
from pipeline.pairing.registration.register import register_pair

Array = NDArray[np.float64]
BINS = (0, 0.2, 0.5, 0.8, 0.9, 0.95, 1.001)
UNRELATED_WEIGHT = 0.25


def load(root: Path, row: dict[str, Any]) -> tuple[images.Rgb, images.Tir]:
    """Both pictures of a row of the truth file."""
    rgb, tir = (images.read_bytes(root / row[side]) for side in ("visible", "lwir"))
    return images.decode_rgb(rgb, row["visible"]), images.decode_tir(tir, row["lwir"])


def collect(root: Path, rows: list[dict[str, Any]]) -> tuple[Array, Array, NDArray[np.str_], Array]:
    """Features (n, 2), whether within 5 pixels (n,), scene (n,), and weight (n,) of related, then unrelated pairs."""
    table: list[tuple[tuple[float, float], float, str, float]] = []
    rng = random.Random(0)  # noqa: S311
    for row in rows:
        found = register_pair(*load(root, row))
        error = corner_error(found.homography, np.linalg.inv(np.array(row["H_rgb2tir"])), row["size"])
        table.append((features(found.scores), float(error <= 5), row["seq"], 1.0))
        other = rng.choice([each for each in rows if each["seq"] != row["seq"]])
        mixed = register_pair(load(root, row)[0], load(root, other)[1])
        table.append((features(mixed.scores), 0.0, row["seq"], UNRELATED_WEIGHT))
    x, y, scene, weight = zip(*table)
    return np.array(x), np.array(y), np.array(scene), np.array(weight)


def fit(x: Array, y: Array, weight: Array) -> Array:
    """Constant and two slopes (3,) of a lightly regularised logistic regression."""
    mean, spread = x.mean(axis=0), x.std(axis=0)
    design = np.c_[np.ones(len(x)), (x - mean) / spread]

    def loss(t: Array) -> float:
        return float(weight @ np.logaddexp(0, (1 - 2 * y) * (design @ t)) + 0.5 * t[1:] @ t[1:])

    t = minimize(loss, np.zeros(3)).x
    slopes = t[1:] / spread
    return np.asarray(np.r_[t[0] - slopes @ mean, slopes], dtype=np.float64)


def main() -> None:
    """Collect, fit, and check on scenes that the fit has not seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("root", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--skip", action="append", default=[])
    options = parser.parse_args()
    rows = json.loads(options.truth.read_text())["pairs"]
    rows = [r for r in rows if r["kind"][:2] != "d_" and not r["seq"].startswith(tuple(options.skip or ["\0"]))]
    x, y, scene, weight = collect(options.root, rows)
    held = np.zeros(len(y))
    for name in sorted(set(scene)):
        constant, *slopes = fit(x[scene != name], y[scene != name], weight[scene != name])
        held[scene == name] = expit(constant + x[scene == name] @ slopes)
    related = weight == 1
    cells = [related & (held >= low) & (held < high) for low, high in itertools.pairwise(BINS)]
    table = [[round(float(held[c].mean()), 3), round(float(y[c].mean()), 3), int(c.sum())] for c in cells if c.any()]
    limit = np.quantile(held[~related], 0.98)
    kept = float(np.mean(held[y > 0] > limit))
    constants = [round(float(value), 3) for value in fit(x, y, weight)]
    result = {"constants": constants, "calibration": table, "kept_at_2_percent_false": round(kept, 4)}
    print(json.dumps(result | {"limit": round(float(limit), 3), "pairs": int(related.sum())}))


if __name__ == "__main__":
    main()
