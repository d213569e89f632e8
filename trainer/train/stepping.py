"""Steps of a run: the batches that they are taken on, one step, and a few that leave no trace."""

from __future__ import annotations

import contextlib
import itertools
import math
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.utils.data import DataLoader
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from trainer.data.feeds import Feed
from trainer.data.loading import EpochSampler, Sample
from trainer.distillation.branches import set_modes
from trainer.train.session import Training, start_worker

STEPS = 3
"""That are timed in a rehearsal, after one that warms up."""


@dataclass(frozen=True)
class Rehearsal:
    """What a few steps of a run were like.

    Attributes:
        losses: of the last one, by name.
        seconds_per_step: the median, without waiting for data.
    """

    losses: dict[str, float]
    seconds_per_step: float


def rehearse(training: Training) -> Rehearsal:
    """Take a few steps in memory; the run goes on as if nobody had, to the last bit."""
    parts: dict[str, float] = {}
    taken: list[float] = []
    with training.unchanged(), loader_of(training, EpochSampler(training.config.samples_per_epoch)) as loader:
        set_modes(training.net, training.row)
        for feed, _ in itertools.islice(training.batches(loader), 1 + STEPS):
            begun = time.perf_counter()
            parts = step(training, feed)
            taken.append(time.perf_counter() - begun)
    return Rehearsal(parts, statistics.median(taken[1:] or taken))


@contextlib.contextmanager
def loader_of(training: Training, sampler: EpochSampler) -> Iterator[DataLoader[Sample]]:
    """Batches of training samples, read ahead by the run's loader processes, which end with the context."""
    config = training.config
    loader: DataLoader[Sample] = DataLoader(
        training.data.training_windows(),
        training.row.batch_size,
        sampler=sampler,
        num_workers=config.loader_workers,
        persistent_workers=config.loader_workers > 0,
        drop_last=training.row.learns_statistics,
        # Of its own: reading must not change the random numbers of the steps, which a state holds.
        generator=torch.Generator(),
        pin_memory=training.device.type == "cuda",
        worker_init_fn=start_worker,
    )
    try:
        yield loader
    finally:
        # They ignore the signal by which Python ends what is left of them at its own end: it would wait for ever.
        if isinstance(iterator := loader._iterator, _MultiProcessingDataLoaderIter):
            iterator._shutdown_workers()


def step(training: Training, feed: Feed) -> dict[str, float]:
    """One step on one batch; returns the loss's parts, the mean over all processes."""
    loss, parts = training.objective(feed)
    parts = training.group.mean(parts, training.device)
    if math.isfinite(parts["loss"]):
        training.optimizer.step(loss)
    return parts
