"""Around a loader of torch: the draws that are an epoch go in, batches of their samples come out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from torch.utils.data import Sampler

from pipeline.errors import DataError

Sample = dict[str, Any]
"""What a draw gives by name (:class:`trainer.data.dataset.PairDataset`), or a batch of them, collated."""


class EpochSampler(Sampler[int]):
    """The draw numbers of one epoch, this process's share of them.

    The loop sets ``epoch``, and ``first``: how many of the share to pass over, which were drawn before an interruption.
    Every process gets as many, or one would wait for the others' last step: up to ``world_size - 1`` draws are left
    out.
    """

    def __init__(self, samples: int, rank: int = 0, world_size: int = 1) -> None:
        self.samples, self.rank, self.world_size = samples, rank, world_size
        self.epoch = self.first = 0

    def __iter__(self) -> Iterator[int]:
        start = self.epoch * self.samples
        end = start + self.samples // self.world_size * self.world_size
        yield from range(start + self.rank + self.first * self.world_size, end, self.world_size)

    def __len__(self) -> int:
        return self.samples // self.world_size - self.first


def read_batches(loader: Iterable[Sample]) -> Iterator[Sample]:
    """Batches of a loader; bad data found by a loader process is told as if this one had found it.

    Raises:
        DataError: a picture or a shard cannot be read; the message names it.
    """
    try:
        yield from loader
    except DataError as error:
        # Across the process border torch sends the whole traceback as the message, "module.Class: message" last.
        *before, last = str(error).strip().splitlines()
        raise DataError(last.partition(": ")[2] if before else last) from error
