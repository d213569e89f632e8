"""Fit psi of Eq. 3 on RGB alone, with the teacher frozen, before any distillation.

psi starts at random: at the paper's rates it would never learn, and trained beside theta it would lower the loss
without teaching theta anything. So it is fitted first, until it stops gaining, and frozen.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding, assemble
from trainer.data.loading import Sample, read_batches
from trainer.data.training_data import TrainingData
from trainer.distillation.losses import bbe_loss
from trainer.distillation.responses import Responses, Sides
from trainer.distillation.state_head import StateHead
from trainer.features import Backbone
from trainer.net import BranchedNet

log = logging.getLogger(__name__)

RATE = 1e-3
BATCH = 16
CHECK = 50
"""Steps between two looks at whether psi still gains; it is stopped after two looks without."""
MIN_GAIN = 0.02


def fit_head(net: BranchedNet, backbone: Backbone, data: TrainingData, device: torch.device, workers: int) -> StateHead:
    """Fit psi on RGB reference and RGB test windows of the training pairs; the network is not touched.

    Args:
        net: the network that the run starts with.
        backbone: its backbone.
        data: what the run sees.
        device: where the network is.
        workers: processes that read windows; 0 reads in this one.

    Returns:
        The head, frozen, on ``device``.
    """
    samples = BATCH * data.settings.head_steps
    dataset, responses = data.training_windows(Feeding.alone("rgb"), samples), data.spec.family.part("responses")()
    states = torch.stack([torch.as_tensor(dataset[i]["state"]) for i in range(min(256, samples))])
    torch.manual_seed(data.settings.seed)
    head = StateHead(states.mean(0), states.std(0).clamp_min(1e-3), *responses.state_maps).to(device)
    optimizer = torch.optim.Adam(head.parameters(), RATE)
    history: list[float] = []
    best, idle = float("inf"), 0
    for maps, state in _windows(net, backbone, responses, dataset, workers, device):
        loss = bbe_loss(head(maps), head.standardise(state), (), 0.0)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        history.append(float(loss.detach()))
        if len(history) % CHECK == 0:
            recent = float(np.mean(history[-CHECK:]))
            idle = 0 if recent < best * (1 - MIN_GAIN) else idle + 1
            best = min(best, recent)
            if idle == 2:
                break
    first, last = float(np.mean(history[:CHECK])), float(np.mean(history[-CHECK:]))
    log.info("psi: fitted on RGB in %d steps, loss %.3f -> %.3f, now frozen", len(history), first, last)
    return head.requires_grad_(False).eval()


def _windows(
    net: BranchedNet,
    backbone: Backbone,
    responses: Responses,
    dataset: PairDataset,
    workers: int,
    device: torch.device,
) -> Iterator[tuple[Any, Tensor]]:
    """The frozen teacher's modulated test maps, and the states of the windows."""
    loader: DataLoader[Sample] = DataLoader(dataset, BATCH, num_workers=workers)
    for batch in read_batches(loader):
        feed = assemble(batch, dataset.feeding, device)
        with torch.no_grad():
            sides = Sides(net, net, backbone(feed.reference), backbone(feed.test))
            maps = responses.bbe(sides, feed)["modulated"]()
        yield maps, feed.state
