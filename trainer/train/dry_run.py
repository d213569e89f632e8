"""``--dry-run``: check everything, take a few steps in memory, and say what a run would take."""

from __future__ import annotations

import itertools
import resource
import statistics
import time
from dataclasses import dataclass

import torch

from pipeline.runtime.progress import duration
from trainer.checkpoints.run_folder import RunFolder
from trainer.data import giveaways
from trainer.data.loading import EpochSampler
from trainer.distillation.branches import set_modes
from trainer.features import FrozenBackbone
from trainer.recipes.settings import TrainConfig
from trainer.train.loop import loader_of, step
from trainer.train.session import Training, part, prepare

STEPS = 3
"""That are timed, after one that warms up."""


@dataclass(frozen=True)
class DryRun:
    """What a run would be.

    Attributes:
        losses: of the last step that was taken in memory, by name.
        seconds_per_step: the median of those steps.
        steps_per_epoch: how many an epoch has.
        epochs: how many there would be.
        facts: all of it, and more, as people read it.
    """

    losses: dict[str, float]
    seconds_per_step: float
    steps_per_epoch: int
    epochs: int
    facts: tuple[tuple[str, str], ...]

    def rows(self) -> list[tuple[object, ...]]:
        """What the command prints."""
        return list(self.facts)


def dry_run(config: TrainConfig) -> DryRun:
    """Take a few steps in memory and tell the plan of one run; nothing is written.

    Raises:
        UsageError: settings that do not fit.
        DataError: shards or weights that cannot be used.
    """
    prepared = prepare(config)
    with part(prepared.row, prepared.group, "loading weights"):
        training = Training(prepared)
    set_modes(training.net, training.row)
    parts: dict[str, float] = {}
    taken: list[float] = []
    with loader_of(training, EpochSampler(config.samples_per_epoch)) as loader:
        for feed, _ in itertools.islice(training.batches(loader), 1 + STEPS):
            begun = time.perf_counter()
            parts = step(training, feed)
            taken.append(time.perf_counter() - begun)
    seconds = statistics.median(taken[1:] or taken)
    steps = training.prepared.steps
    facts = _facts(config, training, parts, seconds, steps)
    return DryRun(parts, seconds, steps, config.epochs, facts)


def _facts(
    config: TrainConfig, training: Training, parts: dict[str, float], seconds: float, steps: int
) -> tuple[tuple[str, str], ...]:
    trained, recipe, data = training.optimizer.live, training.row.recipe, training.data
    frozen = training.features
    return (
        ("recipe", f"{recipe.name} on {config.tracker}, {training.device}"),
        (
            "trains",
            ", ".join(f"{m} {recipe.branch} at {r:g}" for m, r in training.optimizer.rates.items()),
        ),
        ("trained", f"{len(trained)} tensors, {sum(p.numel() for p in trained.values()):,} numbers"),
        ("losses", ", ".join(f"{name} {value:.4g}" for name, value in parts.items())),
        (
            "pairs",
            f"{len(data.training_pairs):,} to train on, {len(data.validation_pairs):,} held out",
        ),
        *((("features", frozen.told(data.spec.sizes)),) if isinstance(frozen, FrozenBackbone) else ()),
        ("images a branch", f"{data.images}, of {data.instants} instant{'s' * (data.instants == 'two')}"),
        ("shards", f"{len(data.source.readers)}, sound"),
        *((f"{branch} targets", giveaways.tell(found)) for branch, found in giveaways.check(data).items()),
        ("a step", f"{training.row.batch_size} pairs in {seconds:.2f} s"),
        (
            "the run",
            f"{config.epochs} x {steps:,} steps, about {duration(seconds * steps * config.epochs)} of stepping",
        ),
        ("memory", f"{_peak_memory(training.device) / 2**30:.1f} GiB at most"),
        ("writes", _summary(config)),
    )


def _peak_memory(device: torch.device) -> int:
    """Bytes that were held at most: of the GPU, or of this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _summary(config: TrainConfig) -> str:
    if not RunFolder(config.out).existing():
        return str(config.out)
    existing = {"resume": "is gone on with", "overwrite": "is overwritten", "fail": "is refused"}
    return f"{config.out} (the earlier run there {existing[config.on_existing]})"
