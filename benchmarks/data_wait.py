"""Share of the time of NanoTrack's training steps in which they wait for data, by row and number of loader processes.

Each run is one of ``cmd-train`` as it comes, on synthetic pairs: once with a folder of features that it fills, and once
more with that folder full, whose steps need their data sooner. ``--recipe``, ``--workers``, ``--steps`` choose others,
``--shards`` shards of one's own.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import mined_pairs, report
from trainer.recipes.settings import configure
from trainer.train.loop import train_row


def main() -> None:
    """Print one line for each row and number of processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", action="append")
    parser.add_argument("--workers", type=int, action="append")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--shards", type=Path, action="append")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shards = given.shards or [mined_pairs(folder)]
        for recipe in given.recipe or ("c1", "d3"):
            for workers in given.workers or (0, 1, 2):
                out = folder / f"{recipe}-{workers}"
                settings: dict[str, Any] = {
                    **{"recipe": recipe, "tracker": "nanotrack_v2", "shards": tuple(shards), "device": "cpu"},
                    **{"epochs": 1, "samples_per_epoch": 32 * given.steps, "loader_workers": workers},
                    **{"held_out_samples": 0, "feature_cache": out / "features"},
                }
                filling, full = (train_row(configure(settings | {"out": out / run}, ())) for run in ("filling", "full"))
                report(
                    "data_wait",
                    recipe=recipe,
                    loader_workers=workers,
                    threads=torch.get_num_threads(),
                    waiting_while_filling=filling.waited,
                    waiting_when_full=full.waited,
                    steps_per_s_while_filling=filling.samples_per_second / 32,
                    steps_per_s_when_full=full.samples_per_second / 32,
                )


if __name__ == "__main__":
    main()
