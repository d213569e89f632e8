"""Steps/s of c1 on DiMP-18 at 160 px with a folder of features: filled while it runs, full, and none.

Forty steps of five synthetic pairs, loading left out. ``--tracker``, ``--recipe``, ``--window`` and ``--type`` measure
others.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import aligned_pairs, in_turn, report
from pipeline import mine
from pipeline.mine import MineConfig
from trainer.data.loading import EpochSampler, Sample, read_batches
from trainer.distillation.branches import set_modes
from trainer.features import FrozenBackbone
from trainer.recipes.settings import configure
from trainer.train.session import Training, prepare
from trainer.train.stepping import loader_of, step

STEPS = 40


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracker", default="dimp18")
    parser.add_argument("--window", type=int, default=160)
    parser.add_argument("--recipe", default="c1")
    parser.add_argument("--type", default="float16", choices=("float16", "float32"))
    parser.add_argument("--steps", type=int, default=STEPS)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mine.run(MineConfig(aligned=aligned_pairs(folder), out=folder / "shards", method="center", patch_size=0))
        settings: dict[str, Any] = {
            **{"recipe": given.recipe, "tracker": given.tracker, "shards": (folder / "shards",), "out": folder / "run"},
            **{"device": "cpu", "loader_workers": 0, "feature_type": given.type, "feature_cache": folder / "features"},
        }
        if given.tracker != "nanotrack_v2":
            settings["window"] = given.window
        cached, plain = (Training(prepare(configure(settings | more, ()))) for more in ({}, {"feature_gib": 0}))
        batches = _batches(cached, given.steps)
        rates = in_turn(
            {
                "cold": _steps(cached, batches, folder / "features"),
                "warm": _steps(cached, batches),
                "without": _steps(plain, batches),
            }
        )
        assert isinstance(cached.features, FrozenBackbone)  # noqa: S101
        sizes = [cached.features.layout(size, size).size for size in cached.row.spec.sizes]
        report(
            "feature_cache",
            tracker=given.tracker,
            recipe=given.recipe,
            windows=cached.row.spec.sizes,
            feature_type=given.type,
            pairs_a_step=cached.row.batch_size,
            cold_steps_per_s=rates["cold"],
            warm_steps_per_s=rates["warm"],
            steps_per_s=rates["without"],
            ratio=rates["warm"] / rates["without"],
            kb_a_window=sum(sizes) / len(sizes) / 1000,
        )


def _batches(training: Training, steps: int) -> list[Sample]:
    """The samples of the first steps, read before."""
    with loader_of(training, EpochSampler(training.config.samples_per_epoch)) as loader:
        return list(itertools.islice(read_batches(loader), steps))


def _steps(training: Training, batches: list[Sample], emptied: Path | None = None) -> Callable[[], int]:
    """Steps on these samples; ``emptied`` is a folder of features to be filled anew."""

    def work() -> int:
        if emptied:
            for entry in emptied.iterdir():
                shutil.rmtree(entry)
        set_modes(training.net, training.row)
        for feed, _ in training.batches(batches):
            step(training, feed)
        return len(batches)

    return work


if __name__ == "__main__":
    main()
