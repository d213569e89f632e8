"""Several processes that train one student (torchrun): who takes which draws, and the mean of their gradients."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of one run.

    Attributes:
        rank: this process's number; 0 writes files and measures.
        world_size: how many there are.
        local_rank: number on this machine, which is that of its GPU.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def mean_(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors of equal shapes on all processes by their mean, in one message."""
        if self.world_size == 1 or not tensors:
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
        if self.world_size == 1:
            return values
        flat = torch.tensor(list(values.values()), dtype=torch.float64, device=device)
        self.mean_([flat])
        return dict(zip(values, flat.tolist()))

    def gather(self, value: Tensor) -> list[Tensor]:
        """Tensors of equal shape from all processes, in their order."""
        if self.world_size == 1:
            return [value]
        every = [torch.empty_like(value) for _ in range(self.world_size)]
        dist.all_gather(every, value)
        return every

    def all_fine(self, fine: bool, device: torch.device) -> bool:
        """Whether things are as they should be in every process."""
        return self.mean({"fine": float(fine)}, device)["fine"] == 1.0

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.world_size > 1:
            dist.barrier()

    def leave(self) -> None:
        """End the conversation."""
        if self.world_size > 1:
            dist.destroy_process_group()


def leads() -> bool:
    """Whether this process is the one that tells the result, as torchrun numbers them."""
    return int(os.environ.get("RANK", "0")) == 0


def join_group() -> ProcessGroup:
    """The processes that torchrun started this one among; alone without torchrun."""
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size == 1 or "RANK" not in os.environ:
        return ProcessGroup()
    if not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return ProcessGroup(dist.get_rank(), world_size, int(os.environ.get("LOCAL_RANK", "0")))
