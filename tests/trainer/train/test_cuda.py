"""Training on a GPU: a step is the CPU's, a run goes on on either device, and bf16 is near float32."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from trainer.checkpoints.run_folder import METRICS
from trainer.data.loading import EpochSampler
from trainer.distillation.branches import set_modes
from trainer.train import loop, session

from ...on_gpu import gpu
from ..train_world import settings

pytestmark = [pytest.mark.cuda, pytest.mark.timeout(400), pytest.mark.usefixtures("small_training")]
ROWS: dict[str, dict[str, Any]] = {
    "d3": {"recipe": "d3"},
    "paper": {"recipe": "b1", "losses": "paper", "head_steps": 3},
    "pretrain": {"recipe": "pretrain", "batch_size": 8, "samples_per_epoch": 8},
    "nanotrack": {"tracker": "nanotrack_v2", "batch_size": 4, "samples_per_epoch": 4},
}
RATES = {"tcl": 1e-5}


def losses(out: Path) -> list[float]:
    """The loss of each row of a run's metrics."""
    return [json.loads(line)["loss"] for line in (out / METRICS).read_text().splitlines()]


def differentiated(world: Path, out: Path, device: str, row: dict[str, Any]) -> tuple[float, dict[str, Tensor]]:
    """The loss of a run's first batch, and its gradients, on the CPU."""
    training = session.Training(session.prepare(settings(world, out, device=device, **row)))
    set_modes(training.net, training.row)
    with loop.loader_of(training, EpochSampler(training.config.samples_per_epoch)) as loader:
        feed, _ = next(training.batches(loader))
    loss, _ = training.objective(feed)
    live = training.optimizer.live
    found = torch.autograd.grad(loss, list(live.values()), allow_unused=True)
    return loss.item(), {name: each.double().cpu() for name, each in zip(live, found) if each is not None}


@pytest.mark.parametrize("row", ROWS)
def test_a_step_is_the_cpu_s(world: Path, tmp_path: Path, row: str) -> None:
    wanted, slopes = differentiated(world, tmp_path / "cpu", "cpu", ROWS[row])
    loss, found = differentiated(world, tmp_path / "gpu", str(gpu()), ROWS[row])
    assert loss == pytest.approx(wanted, rel=1e-4)
    assert found.keys() == slopes.keys()
    largest = max(slope.norm().item() for slope in slopes.values())
    for name, slope in slopes.items():
        # A bias that feeds a batch-norm has no slope but what rounding leaves.
        assert (found[name] - slope).norm().item() <= 1e-2 * slope.norm().item() + 1e-5 * largest, name


@pytest.mark.parametrize("begun", ["cpu", "gpu"])
def test_a_run_goes_on_on_another_device(world: Path, tmp_path: Path, begun: str) -> None:
    devices = {"cpu": ("cpu", str(gpu())), "gpu": (str(gpu()), "cpu")}[begun]
    for epochs, device in enumerate(devices, start=1):
        loop.train_row(settings(world, tmp_path / "both", device=device, epochs=epochs, rates=RATES))
    loop.train_row(settings(world, tmp_path / "one", rates=RATES))
    assert len(losses(tmp_path / "both")) == 2
    assert losses(tmp_path / "both") == pytest.approx(losses(tmp_path / "one"), rel=1e-3)


def test_bf16_is_near_float32(world: Path, tmp_path: Path) -> None:
    for precision in ("float32", "bf16"):
        loop.train_row(settings(world, tmp_path / precision, device=str(gpu()), precision=precision, rates=RATES))
    exact, rough = losses(tmp_path / "float32"), losses(tmp_path / "bf16")
    assert rough == pytest.approx(exact, rel=0.1)
    assert rough != exact
