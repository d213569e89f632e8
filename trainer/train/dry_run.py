"""What a run will take: its plan in one line, and all of it by ``--dry-run``, which writes nothing."""

from __future__ import annotations

import resource
from dataclasses import dataclass

import torch

from pipeline.runtime.progress import duration
from trainer.checkpoints.run_folder import MODEL, RunFolder
from trainer.data import giveaways
from trainer.features import FrozenBackbone
from trainer.recipes.settings import TrainConfig
from trainer.train.session import Training, part, prepare
from trainer.train.stepping import Rehearsal, rehearse

LONG_S, FIRST_LOOK = 86400.0, "--epochs 1 --samples-per-epoch 500"
"""Seconds of stepping from which on the options of a short run are told, and these."""


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
    seen = rehearse(training)
    facts = _facts(training, seen)
    return DryRun(seen.losses, seen.seconds_per_step, prepared.steps, config.epochs, facts)


def plan_of(training: Training, seen: Rehearsal | None) -> str:
    """One line on what a run will do, and how long that takes where it was rehearsed."""
    recipe, data, config = training.row.recipe, training.data, training.config
    progress = training.progress
    done = f"goes on after {steps_done(training)}; " if progress.epoch or progress.step else ""
    return (
        f"plan: {recipe.name} on {config.tracker}, {training.device}; {len(data.training_pairs):,} pairs to train on, "
        f"{len(data.validation_pairs):,} held out; {_stepping(training, seen)}; {done}writes {config.out / MODEL}"
    )


def steps_done(training: Training) -> str:
    """How many of a run's steps are done."""
    progress, steps = training.progress, training.prepared.steps
    return f"{progress.epoch * steps + progress.step:,} of {training.config.epochs * steps:,} steps"


def _stepping(training: Training, seen: Rehearsal | None) -> str:
    """How many steps there are, and how long they take."""
    epochs, steps, batch = training.config.epochs, training.prepared.steps, training.row.batch_size
    told = f"{epochs:,} x {steps:,} steps of {batch} pairs"
    if not seen:
        return told
    seconds = seen.seconds_per_step
    whole = seconds * steps * epochs
    look = f" (for a first look: {FIRST_LOOK})" if whole > LONG_S else ""
    return f"{told} in {seconds:.2f} s, about {duration(whole)} of stepping{look}"


def _facts(training: Training, seen: Rehearsal) -> tuple[tuple[str, str], ...]:
    trained, recipe, data = training.optimizer.live, training.row.recipe, training.data
    config = training.config
    frozen = training.features
    return (
        ("recipe", f"{recipe.name} on {config.tracker}, {training.device}"),
        (
            "trains",
            ", ".join(f"{m} {recipe.branch} at {r:g}" for m, r in training.optimizer.rates.items()),
        ),
        ("trained", f"{len(trained)} tensors, {sum(p.numel() for p in trained.values()):,} numbers"),
        ("losses", ", ".join(f"{name} {value:.4g}" for name, value in seen.losses.items())),
        (
            "pairs",
            f"{len(data.training_pairs):,} to train on, {len(data.validation_pairs):,} held out",
        ),
        *((("features", frozen.told(data.spec.sizes)),) if isinstance(frozen, FrozenBackbone) else ()),
        ("images a branch", f"{data.images}, of {data.instants} instant{'s' * (data.instants == 'two')}"),
        ("shards", f"{len(data.source.readers)}, sound"),
        *((f"{branch} targets", giveaways.tell(found)) for branch, found in giveaways.check(data).items()),
        ("the run", _stepping(training, seen)),
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
