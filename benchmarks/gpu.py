"""How fast training is on a GPU: steps/s with the data in memory, what the loader delivers, and a run with both.

Steps are those of d3 as ``cmd-train`` takes them, on synthetic pairs, from random weights, with windows that are drawn
anew, so that the backbone computes them all. Tracking is ``benchmarks.track``, which takes the GPU where there is one.

``python -m benchmarks.gpu [--device cuda] [--tracker superdimp] [--steps 50] [--workers N]``.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import mined_pairs, now, report
from trainer.data.loading import EpochSampler
from trainer.distillation.branches import set_modes
from trainer.recipes.settings import TrainConfig, configure
from trainer.train.loop import train_row
from trainer.train.session import Training, prepare
from trainer.train.stepping import loader_of, step

WARM = 5
"""Steps, and batches of the loader, before the clock starts."""


def main() -> None:
    """Print one line for float32 and one for bf16."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tracker", default="superdimp")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--workers", type=int, default=min(8, os.cpu_count() or 1))
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        shards = mined_pairs(Path(name))
        for precision in ("float32", "bf16"):
            settings: dict[str, Any] = {
                **{"recipe": "d3", "tracker": given.tracker, "shards": (shards,), "device": given.device},
                **{"epochs": 1, "loader_workers": given.workers, "held_out_samples": 0, "redraw": True},
                **{"precision": precision, "out": Path(name) / precision},
            }
            batch = prepare(configure(settings, ())).row.batch_size
            config = configure(settings | {"samples_per_epoch": batch * (WARM + given.steps)}, ())
            training = Training(prepare(config))
            steps, samples = _steps(training, given.steps), _samples(training, given.steps)
            memory = torch.cuda.max_memory_allocated() / 2**30 if training.device.type == "cuda" else None
            run = train_row(config)
            report(
                "gpu",
                device=str(training.device),
                tracker=given.tracker,
                precision=precision,
                batch=batch,
                loader_workers=given.workers,
                steps_per_s=steps,
                loader_samples_per_s=samples,
                run_steps_per_s=run.samples_per_second / batch,
                run_waiting=run.waited,
                memory_gib=memory,
            )


def _steps(training: Training, count: int) -> float:
    """Steps a second on one batch, which lies in memory."""
    set_modes(training.net, training.row)
    with loader_of(training, _sampler(training.config)) as loader:
        feed, _ = next(training.batches(loader))
    for _ in range(WARM):
        step(training, feed)
    begun = now(training.device)
    for _ in range(count):
        step(training, feed)
    return count / (now(training.device) - begun)


def _samples(training: Training, count: int) -> float:
    """Samples a second that the loader delivers while no step is taken."""
    with loader_of(training, _sampler(training.config)) as loader:
        batches = training.batches(loader)
        for _ in itertools.islice(batches, WARM):
            pass
        begun = time.perf_counter()
        delivered = sum(len(pairs) for _, pairs in itertools.islice(batches, count))
        return delivered / (time.perf_counter() - begun)


def _sampler(config: TrainConfig) -> EpochSampler:
    return EpochSampler(config.samples_per_epoch)


if __name__ == "__main__":
    main()
