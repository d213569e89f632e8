"""The training loop: one recipe, from shards to a student."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader
from tqdm import tqdm

from pipeline.errors import DataError
from pipeline.files.writing import write_bytes, write_text
from pipeline.pages.html import png
from trainer.checkpoints.run_folder import METRICS, MODEL, RUN, RunFolder
from trainer.data.dataset import EpochSampler, Sample
from trainer.data.feeds import Feed
from trainer.pages import run_page
from trainer.pages.loss_curves import curves
from trainer.recipes.settings import TrainConfig
from trainer.train import validation
from trainer.train.metadata import describe, model_meta
from trainer.train.session import Training, start_worker

LOG_EVERY = 10
"""Steps between two rows of ``metrics.jsonl``."""

log = logging.getLogger(__name__)


def run(config: TrainConfig) -> dict[str, Any]:
    """Train one recipe; return a summary: epochs, pairs, samples/s, the model's path."""
    training = Training(config)
    try:
        return _run(training, training.folder or RunFolder(config.out, resume=config.resume))
    finally:
        training.team.leave()


def _run(training: Training, folder: RunFolder) -> dict[str, Any]:
    config, recipe, team = training.config, training.recipe, training.team
    sampler = EpochSampler(config.samples_per_epoch, team.rank, team.world)
    loader = loader_of(training, sampler)
    writer = None
    if team.leads:
        folder.write_json(RUN, describe(training))
        folder.keep_metrics(training.epoch)
        writer = _tensorboard(folder.path / "tb")
        if training.epoch == 0:
            validation.begin(training, folder)
    held: dict[str, float] = {}
    begun, done = time.monotonic(), 0
    for epoch in range(training.epoch, config.epochs):
        sampler.epoch = epoch
        training.optimizer.set_scale(config.gamma ** (epoch // config.step))
        row: dict[str, float] = {}
        for row in _epoch(training, loader, epoch):
            if team.leads:
                folder.log([row])
        done += len(sampler) * team.world
        training.epoch = epoch + 1
        if team.leads:
            held = validation.losses(training)
            if held:
                folder.log([{"epoch": epoch, "held_out": True, **held}])
            _show(writer, row, held)
            # The model, then the state: a kill between the two repeats an epoch, with the same result.
            folder.save_model(training.net.state_dict(), model_meta(training))
            folder.save_state(training.state())
        team.wait()
    if team.leads:
        if writer:
            writer.close()
        validation.finish(training, folder, held or validation.losses(training))
        drawn = curves(folder.path / METRICS, f"{recipe.name} on {config.tracker}")
        write_bytes(folder.path / "curves.png", png(drawn, 110))
        write_text(folder.path / "report.html", run_page.build(folder.path))
    seconds = time.monotonic() - begun
    return {
        "recipe": recipe.name,
        "tracker": config.tracker,
        "epochs": training.epoch,
        "training pairs": len(training.train_pairs),
        "held-out pairs": len(training.held_pairs),
        "samples/s": done / max(seconds, 1e-9),
        "seconds": seconds,
        "model": folder.path / MODEL,
        "report": folder.path / "report.html",
    }


def loader_of(training: Training, sampler: EpochSampler) -> DataLoader[Sample]:
    """Batches of training samples, read ahead by the run's loader processes."""
    config = training.config
    return DataLoader(
        training.dataset(training.train_pairs, config.samples_per_epoch),
        training.batch_size,
        sampler=sampler,
        num_workers=config.loader_workers,
        persistent_workers=config.loader_workers > 0,
        pin_memory=training.device.type == "cuda",
        worker_init_fn=start_worker,
    )


def step(training: Training, feed: Feed) -> dict[str, float]:
    """One step on one batch; returns the loss's parts, the mean over all processes."""
    loss, parts = training.objective(feed)
    parts = training.team.mean(parts, training.device)
    if math.isfinite(parts["loss"]):
        training.optimizer.step(loss)
    return parts


def _epoch(training: Training, loader: Iterable[Sample], epoch: int) -> Iterator[dict[str, float]]:
    """One pass: step on every batch, yield a metrics row every so often and at the end."""
    config, team = training.config, training.team
    samples = config.samples_per_epoch // team.world
    steps = math.ceil(samples / training.batch_size)
    label = f"{training.recipe.name} epoch {epoch + 1}/{config.epochs}"
    sums: dict[str, float] = {}
    count = 0
    training.net.train("backbone" in training.modules)
    with tqdm(total=samples, desc=label, unit="sample", disable=None if team.leads else True) as bar:
        for number, (feed, pairs) in enumerate(training.batches(loader)):
            parts = step(training, feed)
            if not math.isfinite(parts["loss"]):
                names = ", ".join(training.source.names[int(pair)][1] for pair in pairs)
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


def _show(writer: Any, row: dict[str, float], held: dict[str, float]) -> None:
    """Hand the epoch's last training losses and its held-out ones to TensorBoard."""
    if writer is None:
        return
    for group, values in (("train", row), ("held_out", held)):
        for name, value in values.items():
            writer.add_scalar(f"{group}/{name}", value, row["step"])


def _tensorboard(path: Path) -> Any:
    """A TensorBoard writer where TensorBoard is installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(path))
