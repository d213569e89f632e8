"""Batch-norm statistics measured again on TIR, nothing trained: how much of a student is only that?"""

from __future__ import annotations

from typing import Any

import cv2
import torch
from torch import nn
from torch.utils.data import DataLoader

from pipeline.runtime.device import resolve_device
from pipeline.runtime.progress import ProgressBar
from pipeline.shards.index import load_index
from trainer.checkpoints.weights import digest
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding, assemble
from trainer.data.loading import Sample, read_batches
from trainer.data.shards import fingerprint, open_source
from trainer.data.split.apply import kinds_of, pairs_of
from trainer.data.split.record import Split
from trainer.distillation.responses import Responses
from trainer.net import BranchedNet
from trainer.recipes.geometry import geometry_of
from trainer.recipes.settings import TrainConfig

BATCH = 32
"""Windows of each branch at once, where nothing else is said: the IoU-net has batch-norms on 1x1 maps."""


def measure_on(net: BranchedNet, config: TrainConfig, split: Split) -> list[Any]:
    """Measure the statistics of a network on the TIR of a run's training side; how that became 8 bits is returned.

    Args:
        net: the network, on the CPU; changed.
        config: the run, whose shards were opened before.
        split: what of them trains.

    Raises:
        DataError: no pair is left to measure on.
    """
    source, spec = open_source(config.shards), geometry_of(config.tracker, config.window)
    pairs, _ = pairs_of(source, kinds_of(source, split), split.held_out)
    batch = config.batch_size or BATCH
    draws: dict[str, Any] = {"samples": config.bn_batches * batch, "seed": config.seed, "augment": False}
    tir = Feeding.alone("tir")
    windows = PairDataset(source, pairs, spec, tir, jitter=config.jitter == "tracker", **draws)
    # As in training: a pool of OpenCV threads would deadlock every forked loader process.
    cv2.setNumThreads(1)
    net.to(resolve_device(config.device))
    measure_statistics(net, windows, batch, config.loader_workers)
    net.to("cpu")
    return source.tir_ranges


def identity_of(net: BranchedNet, config: TrainConfig, split: Split) -> dict[str, Any]:
    """What decides the statistics that :func:`measure_on` would give: what is measured again must have them all."""
    asked = config.model_dump(mode="json", include={"recipe", "tracker", "bn_batches", "seed", "jitter"})
    asked |= {"batch_size": config.batch_size or BATCH, "window": config.other_window}
    asked |= {"shards": fingerprint(map(load_index, config.shards)), "split": split.digest()}
    return asked | {"start": digest(net.state_dict())}


def measure_statistics(net: BranchedNet, windows: PairDataset, batch: int, workers: int) -> None:
    """Replace the statistics of every batch-norm that sees TIR while tracking by those of TIR windows.

    All do but those of the backbone's fourth layer, which never runs: they stay, as does everything that is trained.
    The statistics are the means, over batches, of the mean and the variance within a batch (momentum None).

    Args:
        net: the network; changed, and left as it infers.
        windows: TIR windows of both branches.
        batch: windows of each branch at once.
        workers: processes that read windows; 0 reads in this one.
    """
    device = next(net.parameters()).device
    responses: Responses = windows.spec.family.part("responses")()
    norms = [module for module in net.eval().modules() if isinstance(module, nn.BatchNorm2d)]
    before = [({name: value.clone() for name, value in norm.state_dict().items()}, norm.momentum) for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    loader: DataLoader[Sample] = DataLoader(windows, batch, num_workers=workers, generator=torch.Generator())
    with torch.no_grad(), ProgressBar("statistics of TIR", len(windows), "windows") as bar:
        for each in read_batches(loader):
            feed = assemble(each, windows.feeding, device)
            responses.run(net, feed)
            bar.advance(len(feed.reference))
    for norm, (state, momentum) in zip(norms, before):
        norm.momentum = momentum
        if not norm.num_batches_tracked:
            norm.load_state_dict(state)
    net.eval()
