"""The training loop: one recipe, from shards to a student."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from torch.utils.data import DataLoader
from tqdm import tqdm

from pipeline.errors import DataError
from trainer.checkpoints.run_folder import MODEL, RunFolder
from trainer.data.dataset import EpochSampler, Sample
from trainer.data.feeds import Feed
from trainer.recipes.settings import TrainConfig
from trainer.train.record import REPORT, Record
from trainer.train.session import Training, start_worker

LOG_EVERY = 10
"""Steps between two rows of ``metrics.jsonl``."""


@dataclass(frozen=True)
class TrainedRow:
    """What training a row left.

    Attributes:
        recipe: the row.
        tracker: the base tracker.
        epochs: that are done.
        training_pairs: how many trained.
        validation_pairs: how many only measured.
        samples_per_second: of this call.
        seconds: that this call took.
        model: the student's weights.
        report: the run's page.
    """

    recipe: str
    tracker: str
    epochs: int
    training_pairs: int
    validation_pairs: int
    samples_per_second: float
    seconds: float
    model: Path
    report: Path

    def rows(self) -> list[tuple[object, ...]]:
        """What the command prints."""
        return [
            ("recipe", self.recipe),
            ("tracker", self.tracker),
            ("epochs", self.epochs),
            ("training pairs", self.training_pairs),
            ("held-out pairs", self.validation_pairs),
            ("samples/s", self.samples_per_second),
            ("seconds", self.seconds),
            ("model", self.model),
            ("report", self.report),
        ]


def train_row(config: TrainConfig) -> TrainedRow:
    """Train one recipe.

    Raises:
        UsageError: settings that do not fit one another, or a run folder that is taken.
        DataError: shards or weights that cannot be used, or a loss that is not finite.
    """
    training = Training(config)
    folder = training.folder or RunFolder(config.out, resume=config.resume)
    try:
        with folder.held() if training.group.leads else contextlib.nullcontext():
            return _train(training, folder)
    finally:
        training.group.leave()


def _train(training: Training, folder: RunFolder) -> TrainedRow:
    config, group = training.config, training.group
    sampler = EpochSampler(config.samples_per_epoch, group.rank, group.world_size)
    loader = loader_of(training, sampler)
    record = Record(training, folder)
    record.begin()
    begun, drawn = time.monotonic(), 0
    for epoch in range(training.epoch, config.epochs):
        sampler.epoch = epoch
        training.optimizer.set_scale(config.rate_scale(epoch))
        row: dict[str, float] = {}
        for row in _epoch(training, loader, epoch):
            record.log(row)
        drawn += len(sampler) * group.world_size
        training.epoch = epoch + 1
        record.after_epoch(epoch, row)
        group.wait()
    record.finish()
    seconds = time.monotonic() - begun
    return TrainedRow(
        recipe=training.row.recipe.name,
        tracker=config.tracker,
        epochs=training.epoch,
        training_pairs=len(training.data.training_pairs),
        validation_pairs=len(training.data.validation_pairs),
        samples_per_second=drawn / max(seconds, 1e-9),
        seconds=seconds,
        model=folder.path / MODEL,
        report=folder.path / REPORT,
    )


def loader_of(training: Training, sampler: EpochSampler) -> DataLoader[Sample]:
    """Batches of training samples, read ahead by the run's loader processes."""
    config = training.config
    return DataLoader(
        training.data.training_windows(),
        training.row.batch_size,
        sampler=sampler,
        num_workers=config.loader_workers,
        persistent_workers=config.loader_workers > 0,
        pin_memory=training.device.type == "cuda",
        worker_init_fn=start_worker,
    )


def step(training: Training, feed: Feed) -> dict[str, float]:
    """One step on one batch; returns the loss's parts, the mean over all processes."""
    loss, parts = training.objective(feed)
    parts = training.group.mean(parts, training.device)
    if math.isfinite(parts["loss"]):
        training.optimizer.step(loss)
    return parts


def _epoch(training: Training, loader: Iterable[Sample], epoch: int) -> Iterator[dict[str, float]]:
    """One pass: step on every batch, yield a metrics row every so often and at the end."""
    config, group = training.config, training.group
    samples = config.samples_per_epoch // group.world_size
    steps = math.ceil(samples / training.row.batch_size)
    label = f"{training.row.recipe.name} epoch {epoch + 1}/{config.epochs}"
    sums: dict[str, float] = {}
    count = 0
    training.net.train(training.trains_backbone)
    with tqdm(total=samples, desc=label, unit="sample", disable=None if group.leads else True) as bar:
        for number, (feed, pairs) in enumerate(training.batches(loader)):
            parts = step(training, feed)
            if not math.isfinite(parts["loss"]):
                names = ", ".join(training.data.source.names[int(pair)][1] for pair in pairs)
                raise DataError(f"loss is {parts['loss']} at epoch {epoch}, step {number}, pairs {names}: look at them")
            bar.update(len(pairs))
            bar.set_postfix({name: f"{value:.4g}" for name, value in parts.items()}, refresh=False)
            count += 1
            sums = {name: sums.get(name, 0.0) + value for name, value in parts.items()}
            if count == LOG_EVERY or number == steps - 1:
                means = {name: value / count for name, value in sums.items()}
                yield {"epoch": epoch, "step": epoch * steps + number, **means}
                sums, count = {}, 0
    training.net.eval()
