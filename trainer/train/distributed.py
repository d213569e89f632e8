"""Several processes that train one student (torchrun): where each runs, who takes which draws, and mean gradients."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist

from pipeline.errors import UsageError
from pipeline.runtime.device import resolve_device


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of one run.

    Attributes:
        rank: this process's number; 0 writes files and measures.
        world_size: how many there are.
        joined: whether they talk to one another; one that torchrun started alone talks to itself.
    """

    rank: int = 0
    world_size: int = 1
    joined: bool = False

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def mean_(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors of equal shapes on all processes by their mean, in one message."""
        if not self.joined or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.world_size
        start = 0
        for tensor in tensors:
            tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
            start += tensor.numel()

    def mean(self, values: dict[str, float], device: torch.device) -> dict[str, float]:
        """The mean over processes of numbers that all of them have."""
        if not self.joined:
            return values
        flat = torch.tensor(list(values.values()), dtype=torch.float64, device=device)
        self.mean_([flat])
        return dict(zip(values, flat.tolist()))

    def gather(self, value: Tensor) -> list[Tensor]:
        """Tensors of equal shape from all processes, in their order."""
        if not self.joined:
            return [value]
        every = [torch.empty_like(value) for _ in range(self.world_size)]
        dist.all_gather(every, value)
        return every

    def all_fine(self, fine: bool, device: torch.device) -> bool:
        """Whether things are as they should be in every process."""
        return self.mean({"fine": float(fine)}, device)["fine"] == 1.0

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.joined:
            dist.barrier()

    def leave(self) -> None:
        """End the conversation."""
        if self.joined:
            dist.destroy_process_group()


def leads() -> bool:
    """Whether this process is the one that tells the result, as torchrun numbers them."""
    return int(os.environ.get("RANK", "0")) == 0


def device_of(name: str) -> torch.device:
    """The device of this process: of several on one machine, each takes the GPU that has its number there.

    Args:
        name: a device, or ``auto``, as ``--device`` has it.

    Raises:
        UsageError: the device is not there, or processes would share a GPU.
    """
    own, beside = (int(os.environ.get(key, alone)) for key, alone in (("LOCAL_RANK", "0"), ("LOCAL_WORLD_SIZE", "1")))
    if beside > 1 and name.startswith("cuda:"):
        raise UsageError(f"--device {name}: {beside} processes would share it: give cuda, and each has one of its own")
    if name in ("auto", "cuda") and torch.cuda.is_available():
        if beside > (there := torch.cuda.device_count()):
            raise UsageError(f"--device {name}: {beside} processes for {there} GPUs: --nproc-per-node {there} at most")
        name = f"cuda:{own}"
    return resolve_device(name)


def join_group(device: torch.device) -> ProcessGroup:
    """The processes that torchrun started this one among; alone without torchrun.

    Args:
        device: of this process, by which they talk: NCCL between GPUs, gloo else.
    """
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if "RANK" not in os.environ or (world_size == 1 and not dist.is_torchelastic_launched()):
        return ProcessGroup()
    if not dist.is_initialized():
        nccl = device.type == "cuda"
        dist.init_process_group("nccl" if nccl else "gloo", device_id=device if nccl else None)
    return ProcessGroup(dist.get_rank(), world_size, joined=True)
