"""Alignment, pairs/s of one core by model, against a loop that only decodes the same pictures."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2

from benchmarks.measure import aligned_pairs, decode_all, in_turn, report
from pipeline import align
from pipeline.align import AlignConfig
from pipeline.files.json_text import read_json, write_json
from pipeline.pairing.registration.register import Model
from pipeline.records import AlignedPair, read_rows

FITTED: tuple[Model, ...] = ("auto", "identity", "translation", "similarity", "affine", "homography")


def main() -> None:
    """Print one line a model, one for a matrix that is scored, and one for a matrix that is only applied."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = list(read_rows(aligned_pairs(folder) / "aligned.jsonl", AlignedPair))
        root = folder / "data" / "pairs"
        files = [root / path for row in rows for path in (row.rgb, row.tir)]
        known = folder / "known.json"
        write_json(known, _homographies(root, folder / "rigs"))
        base = {"root": root, "workers": 1}
        runs = {f"fit {model}": AlignConfig(out=folder, model=model, estimate="pair", **base) for model in FITTED}
        rig = base | {"homographies": known}
        runs["score a known matrix"] = AlignConfig(out=folder, **rig)
        runs["apply a known matrix"] = AlignConfig(out=folder, min_score=0, **rig)
        for what, config in runs.items():
            rates = in_turn({"ours": _ours(config, folder), "decode": decode_all(files)})
            report(
                "align",
                what=what,
                pairs_per_s=rates["ours"],
                decoded_pairs_per_s=rates["decode"],
                share_decoding=min(1.0, rates["ours"] / rates["decode"]),
            )


def _homographies(root: Path, out: Path) -> dict[str, object]:
    """The matrices of the cameras, as ``cmd-prep align`` writes them."""
    align.run(AlignConfig(root=root, out=out, estimate="sequence", workers=1), report=False)
    return dict(read_json(out / "homographies.json"))


def _ours(config: AlignConfig, folder: Path) -> Callable[[], int]:
    counter = itertools.count()

    def work() -> int:
        out = folder / f"out-{next(counter)}"
        return align.run(config.model_copy(update={"out": out, "on_existing": "overwrite"}), report=False).pairs_in

    return work


if __name__ == "__main__":
    main()
