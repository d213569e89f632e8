"""Where each of several processes runs, and by what they talk. GPUs that are not there are only counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import distributed as dist

from pipeline.errors import UsageError
from trainer.train import distributed
from trainer.train.distributed import ProcessGroup, device_of, join_group

Among = Callable[..., None]


@pytest.fixture
def among(monkeypatch: pytest.MonkeyPatch) -> Among:
    """``among(3, rank=1, gpus=4)``: torchrun started this process beside others, on a machine with some GPUs."""
    monkeypatch.setattr(distributed, "resolve_device", torch.device)

    def settle(processes: int, rank: int, gpus: int) -> None:
        for prefix in ("", "LOCAL_"):
            monkeypatch.setenv(f"{prefix}WORLD_SIZE", str(processes))
            monkeypatch.setenv(f"{prefix}RANK", str(rank))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)

    return settle


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_each_process_takes_a_gpu_of_its_own(among: Among, name: str) -> None:
    among(3, rank=2, gpus=4)
    assert device_of(name) == torch.device("cuda:2")


def test_a_cpu_that_is_asked_for_is_shared(among: Among) -> None:
    among(3, rank=2, gpus=1)
    assert device_of("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_more_processes_than_gpus_are_one_line(among: Among, name: str) -> None:
    among(3, rank=0, gpus=2)
    with pytest.raises(UsageError, match=f"--device {name}: 3 processes for 2 GPUs: --nproc-per-node 2 at most"):
        device_of(name)


def test_one_gpu_named_for_several_processes_is_one_line(among: Among) -> None:
    among(2, rank=1, gpus=2)
    with pytest.raises(UsageError, match="--device cuda:0: 2 processes would share it: give cuda"):
        device_of("cuda:0")


def test_alone_any_gpu_may_be_named() -> None:
    with pytest.raises(UsageError, match="--device cuda:99: not available here"):
        device_of("cuda:99")


@pytest.mark.parametrize(("name", "by"), [("cpu", ("gloo", None)), ("cuda", ("nccl", torch.device("cuda:1")))])
def test_processes_talk_by_what_their_device_has(
    among: Among, monkeypatch: pytest.MonkeyPatch, name: str, by: tuple[str, torch.device | None]
) -> None:
    """Not by what the machine has: NCCL carries no tensor of a CPU."""
    begun: list[tuple[str, Any]] = []
    among(2, rank=1, gpus=2)
    monkeypatch.setattr(dist, "init_process_group", lambda how, device_id: begun.append((how, device_id)))
    monkeypatch.setattr(dist, "get_rank", lambda: 1)
    assert join_group(device_of(name)) == ProcessGroup(1, 2, joined=True)
    assert begun == [by]


def test_without_torchrun_one_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where something else numbers processes, as the scheduler of a cluster does."""
    for name, value in (("RANK", "0"), ("WORLD_SIZE", "1")):
        monkeypatch.setenv(name, value)
    assert join_group(torch.device("cpu")) == ProcessGroup()
