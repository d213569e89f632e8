"""Batch-norm statistics measured again on TIR, nothing trained: how much of a student is only that?"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from trainer.data.dataset import PairDataset, Sample, read_batches
from trainer.data.feeds import assemble
from trainer.distillation.responses import Responses
from trainer.net import BranchedNet

BATCH = 32
"""Windows of each branch at once, where nothing else is said: the IoU-net has batch-norms on 1x1 maps."""


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
    with torch.no_grad(), tqdm(total=len(windows), desc="statistics of TIR", unit="window") as bar:
        for each in read_batches(loader):
            feed = assemble(each, windows.feeding, device)
            responses.run(net, feed)
            bar.update(len(feed.reference))
    for norm, (state, momentum) in zip(norms, before):
        norm.momentum = momentum
        if not norm.num_batches_tracked:
            norm.load_state_dict(state)
    net.eval()
