"""A batch that is the same at every call, and what mixed precision must leave of it."""

from __future__ import annotations

import pytest
import torch

from trainer.data.feeds import Feed, assemble
from trainer.train.session import Training


def repeated(run: Training, pairs: int) -> Feed:
    """One batch, the same at every call, whose features a frozen backbone computes once."""
    dataset = run.data.training_windows(samples=pairs)
    batch = torch.utils.data.default_collate([dataset[index] for index in range(pairs)])
    return assemble(batch, run.data.feeding, run.device, again=True)


def rounded_and_exact(run: Training, feed: Feed) -> tuple[dict[str, float], dict[str, float]]:
    """The loss's parts in bfloat16 and in float32, near each other; every gradient is there in bfloat16."""
    loss, rounded = run.objective(feed)
    gradients = torch.autograd.grad(loss, list(run.optimizer.live.values()))
    assert all(gradient.isfinite().all() and gradient.abs().max() for gradient in gradients)
    run.objective.settings = run.config.model_copy(update={"amp": False})
    exact = run.objective(feed)[1]
    for name, value in rounded.items():
        assert value == pytest.approx(exact[name], rel=0.05), name
    return rounded, exact
