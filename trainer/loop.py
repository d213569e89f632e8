"""The training loop: one recipe, from shards to a student."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from pipeline.errors import DataError, UsageError
from trainer import branches
from trainer.checkpoint import load_into, load_weights
from trainer.curves import draw_curves
from trainer.data import EpochSampler, PairDataset, Sample, Source, open_source, read_batches, split_pairs
from trainer.head_fit import fit_head
from trainer.masters import MasterAdam
from trainer.net import AtomNet, DimpNet, build_network
from trainer.objective import Objective
from trainer.recipe import Recipe, TrainConfig, load_recipe
from trainer.run_folder import METRICS, MODEL, RUN, RunFolder
from trainer.start import start_weights
from trainer.state_head import StateHead
from trainer.trackers import TRACKERS

log = logging.getLogger(__name__)

LOG_EVERY = 10
"""Steps between two rows of ``metrics.jsonl``."""


class Training:
    """Everything one run holds: data, network, optimiser, folder.

    Raises:
        UsageError: settings that do not fit one another, or a run folder that is taken.
        DataError: shards or weights that cannot be used.
    """

    def __init__(self, config: TrainConfig) -> None:
        # Before the first picture is decoded: a pool of OpenCV threads would deadlock every forked loader process.
        _start_worker(0)
        self.config, self.recipe, self.spec = config, load_recipe(config.recipe), TRACKERS[config.tracker]
        if "tcl" in self.recipe.trains and not self.spec.classifier:
            raise UsageError(f"recipe {self.recipe.name} trains a classifier, {config.tracker} has none: use its rows")
        idle = [module for module in config.rates.model_fields_set if module not in self.recipe.trains]
        if idle:
            raise UsageError(f"setting rates.{idle[0]}: recipe {self.recipe.name} does not train it")
        self.device = _device(config.device)
        self.source = open_source(config.shards)
        _check_methods(self.source, self.recipe)
        if config.jitter == "none":
            log.warning("jitter is off: every window is centred on its box, and a bias alone can learn the targets")
        self.train_pairs, self.held_pairs = split_pairs(self.source, config.held_out, config.split_seed)
        self.folder = RunFolder(config.out, resume=config.resume)
        self.identity = config.decisive() | {"shards": _fingerprint(self.source)}
        state = self.folder.load_state(self.identity) if config.resume else None
        torch.manual_seed(config.seed)
        self.net: DimpNet | AtomNet = build_network(config.tracker)
        if state is None:
            start_weights(self.net, config, self.recipe)
        else:
            # What is frozen comes from here, whatever --init says now; what is trained is overwritten by its masters.
            model = self.folder.path / MODEL
            load_into(self.net, load_weights(model), str(model))
        # eval(): every row keeps all batch-norm statistics, the backbone's first one included.
        self.net.eval().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        names = branches.trained_names(self.net, self.recipe, config.losses)
        rates: dict[str, float] = {m: getattr(config.rates, m) or rate for m, rate in self.recipe.rates.items()}
        self.optimizer = MasterAdam(self.net, names, rates)
        self.head: StateHead | None = None
        self.epoch = 0
        if state is not None:
            self._restore(state)
        elif config.losses == "paper" and "bbe" in self.recipe.trains:
            self.head = fit_head(self.net, self.source, self.train_pairs, self.spec, config, self.device)
        shrunk = [p for n, p in self.optimizer.live.items() if n.startswith("bb_regressor.") and p.dim() > 1]
        self.objective = Objective(self.net, tuple(self.recipe.trains), config, self.head, shrunk)

    def _restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch = int(state["epoch"])
        if state["head"] is not None:
            head = StateHead(torch.zeros(4), torch.ones(4))
            head.load_state_dict(state["head"])
            self.head = head.to(self.device).requires_grad_(False).eval()

    def dataset(self, pairs: Any, samples: int, *, held_out: bool = False) -> PairDataset:
        """Samples of some pairs; held-out windows come from a seed of their own and are not augmented."""
        feeds = (self.recipe.reference, self.recipe.test)
        jitter = self.config.jitter == "tracker"
        seed = self.config.split_seed + 1_000_003 if held_out else self.config.seed
        return PairDataset(
            self.source, pairs, self.spec, feeds, samples=samples, seed=seed, jitter=jitter, augment=not held_out
        )

    def batches(self, loader: Iterable[Sample]) -> Iterator[tuple[branches.Feed, Any]]:
        """Feeds of a loader, each with the pair numbers in it."""
        for batch in read_batches(loader):
            yield branches.assemble(batch, self.recipe.reference, self.recipe.test, self.device), batch["pair"]


def run(config: TrainConfig) -> dict[str, Any]:
    """Train one recipe; return a summary: epochs, steps, loss before and after, samples/s, the model's path."""
    training = Training(config)
    folder, recipe = training.folder, training.recipe
    folder.write_json(RUN, describe(training))
    folder.keep_metrics(training.epoch)
    sampler = EpochSampler(config.samples_per_epoch)
    loader: DataLoader[Sample] = DataLoader(
        training.dataset(training.train_pairs, config.samples_per_epoch),
        config.batch_size,
        sampler=sampler,
        num_workers=config.loader_workers,
        persistent_workers=config.loader_workers > 0,
        pin_memory=training.device.type == "cuda",
        worker_init_fn=_start_worker,
    )
    if training.epoch == 0 and len(training.held_pairs) and config.held_out_samples:
        folder.log([{"epoch": -1, "held_out": True, **measure(training)}])
    writer = _tensorboard(folder.path / "tb")
    start, done = time.monotonic(), 0
    for epoch in range(training.epoch, config.epochs):
        sampler.epoch = epoch
        training.optimizer.set_scale(config.gamma ** (epoch // config.step))
        label = f"{recipe.name} epoch {epoch + 1}/{config.epochs}"
        row: dict[str, float] = {}
        for row in _epoch(training, loader, epoch, label):
            folder.log([row])
        done += config.samples_per_epoch
        training.epoch = epoch + 1
        held = measure(training) if len(training.held_pairs) and config.held_out_samples else {}
        if held:
            folder.log([{"epoch": epoch, "held_out": True, **held}])
        if writer:
            for name, value in row.items():
                writer.add_scalar(f"train/{name}", value, row["step"])
            for name, value in held.items():
                writer.add_scalar(f"held_out/{name}", value, row["step"])
        _save(training)
    if writer:
        writer.close()
    draw_curves(folder.path / METRICS, folder.path / "curves.png", f"{recipe.name} on {config.tracker}")
    seconds = time.monotonic() - start
    return {
        "recipe": recipe.name,
        "tracker": config.tracker,
        "epochs": training.epoch,
        "training pairs": len(training.train_pairs),
        "held-out pairs": len(training.held_pairs),
        "samples/s": done / max(seconds, 1e-9),
        "seconds": seconds,
        "model": folder.path / MODEL,
    }


def _epoch(training: Training, loader: Iterable[Sample], epoch: int, label: str) -> Iterator[dict[str, float]]:
    """One pass: step on every batch, yield a metrics row every so often and at the end."""
    config = training.config
    steps = math.ceil(config.samples_per_epoch / config.batch_size)
    sums: dict[str, float] = {}
    count = 0
    with tqdm(total=config.samples_per_epoch, desc=label, unit="sample", disable=None) as bar:
        for step, (feed, pairs) in enumerate(training.batches(loader)):
            loss, parts = training.objective(feed)
            if not math.isfinite(parts["loss"]):
                names = ", ".join(training.source.names[int(pair)][1] for pair in pairs)
                raise DataError(f"loss is {parts['loss']} at epoch {epoch}, step {step}, pairs {names}: look at them")
            training.optimizer.step(loss)
            bar.update(len(pairs))
            bar.set_postfix({name: f"{value:.4g}" for name, value in parts.items()}, refresh=False)
            count += 1
            sums = {name: sums.get(name, 0.0) + value for name, value in parts.items()}
            if count == LOG_EVERY or step == steps - 1:
                means = {name: value / count for name, value in sums.items()}
                yield {"epoch": epoch, "step": epoch * steps + step, **means}
                sums, count = {}, 0


def measure(training: Training) -> dict[str, float]:
    """Mean losses on held-out sequences: the same windows every time, so that epochs can be compared."""
    config = training.config
    dataset = training.dataset(training.held_pairs, config.held_out_samples, held_out=True)
    loader: DataLoader[Sample] = DataLoader(dataset, config.batch_size)
    totals: dict[str, float] = {}
    with torch.no_grad():
        for feed, pairs in training.batches(loader):
            for name, value in training.objective(feed)[1].items():
                totals[name] = totals.get(name, 0.0) + value * len(pairs)
    return {name: value / config.held_out_samples for name, value in totals.items()}


def describe(training: Training) -> dict[str, Any]:
    """Content of ``run.json``: what this run is, resolved."""
    config = training.config
    return {
        "settings": config.model_dump(mode="json"),
        "recipe": training.recipe.model_dump(mode="json"),
        "shards": _fingerprint(training.source),
        "methods": [index.method for index in training.source.indexes],
        "rates": training.optimizer.rates,
        "trained": {name: list(p.shape) for name, p in training.optimizer.live.items()},
        "pairs": {"training": len(training.train_pairs), "held_out": len(training.held_pairs)},
        "device": str(training.device),
        "versions": {"cmd-tir": version("cmd-tir"), "torch": torch.__version__, "numpy": np.__version__},
    }


def _save(training: Training) -> None:
    """Write the model, then the state: a kill between the two repeats an epoch, with the same result."""
    config = training.config
    meta = {"tracker": config.tracker, "recipe": training.recipe.name, "epoch": training.epoch}
    meta["shards"] = _fingerprint(training.source)
    training.folder.save_model(training.net.state_dict(), meta)
    training.folder.save_state(
        {
            "epoch": training.epoch,
            "identity": training.identity,
            "optimizer": training.optimizer.state_dict(),
            "head": training.head.state_dict() if training.head else None,
        }
    )


def _fingerprint(source: Source) -> str:
    """One hash over the hashes of all shards."""
    digest = hashlib.sha256()
    for index in source.indexes:
        for entry in index.shards:
            digest.update(entry.sha256.encode())
    return digest.hexdigest()


def _check_methods(source: Source, recipe: Recipe) -> None:
    methods = sorted({index.method for index in source.indexes})
    if methods != [recipe.patches]:
        log.warning("recipe %s wants %s patches, these shards hold %s", recipe.name, recipe.patches, ", ".join(methods))


def _device(name: str) -> torch.device:
    """Resolve ``auto``.

    Raises:
        UsageError: torch does not know the device, or it is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"--device {name}: not available here: use cpu, cuda or cuda:N") from error
    return torch.device(name)


def _start_worker(_: int) -> None:
    """A loader process is the parallelism; OpenCV's own threads would only fight the trainer's."""
    cv2.setNumThreads(1)


def _tensorboard(path: Path) -> Any:
    """A TensorBoard writer where TensorBoard is installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(path))
