"""Pairs that are none: the TIR of another sequence beside an RGB picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline import images
from pipeline.errors import UsageError
from pipeline.shards.reader import ShardReader
from trainer.data.shards import Source
from trainer.data.split.side import key_of
from trainer.data.views.decoded import DecodedPictures
from trainer.data.views.pictures import Pictures, either, outside


class Partners:
    """For each pair, pairs of other sequences on the same side of the split.

    Args:
        source: the shards.
        pairs: indices of the pairs of one side.
        side: what to call it.
        cure: what to do where it has one sequence alone.

    Raises:
        UsageError: it has.
    """

    def __init__(self, source: Source, pairs: NDArray[np.int64], side: str = "", cure: str = "mine more") -> None:
        keys, number, counts = np.unique(
            [sequence_of(source, pair) for pair in pairs.tolist()], return_inverse=True, return_counts=True
        )
        if len(keys) < 2:
            name = " ".join(key.rpartition("|")[2] for key in keys)
            raise UsageError(
                f"setting pairs: shuffled takes TIR of another sequence, and there is only {name}{side}: {cure}"
            )
        self.pairs = pairs[np.argsort(number, kind="stable")]
        ends = np.cumsum(counts)
        self._blocks = {key: (int(end - count), int(end)) for key, end, count in zip(keys.tolist(), ends, counts)}
        self._source = source

    @classmethod
    def among(cls, source: Source, pairs: NDArray[np.int64]) -> Partners | None:
        """The partners of some pairs; None where those are of one sequence."""
        return cls(source, pairs) if len({sequence_of(source, pair) for pair in pairs.tolist()}) > 1 else None

    def draw(self, pair: int, rng: np.random.Generator) -> int:
        """One of the pairs that are not of this pair's sequence, each as likely."""
        first, end = self._blocks[sequence_of(self._source, pair)]
        place = int(rng.integers(len(self.pairs) - (end - first)))
        return int(self.pairs[place if place < first else place + end - first])


def sequence_of(source: Source, pair: int) -> str:
    """What the sequence of a pair is known by."""
    return key_of(*source.names[pair])


def footprint_beside(source: Source, partner: int, size: tuple[int, int]) -> NDArray[np.float64]:
    """What another pair's TIR sees of a picture of (width, height) that it is resized to, (4, 2)."""
    reader, row = source.stored(partner)
    return _resized(reader, row, images.picture_size(reader.encoded("tir", row), reader.name("tir", row)), size)


def swap_tir(pictures: Pictures, source: Source, partner: int, decoded: DecodedPictures) -> None:
    """Put another pair's TIR beside a picture, resized to it; what either TIR does not see is unseen.

    Args:
        pictures: with ``rgb``, and what the TIR of its own does not see; changed.
        source: the shards.
        partner: the other pair.
        decoded: keeps what is decoded.
    """
    reader, row = source.stored(partner)
    data, name = reader.encoded("tir", row), reader.name("tir", row)
    theirs, ours = images.picture_size(data, name), pictures.size
    tir = decoded.tir(reader, row, data, images.reduction(data, min(theirs[0] / ours[0], theirs[1] / ours[1])))
    if tir.shape[::-1] != ours:
        smaller = tir.size > ours[0] * ours[1]
        tir = np.asarray(cv2.resize(tir, ours, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR), np.uint8)
    pictures.fed["tir"] = tir
    pictures.unseen = either(pictures.unseen, outside(_resized(reader, row, theirs, ours), ours))


def _resized(reader: ShardReader, row: int, theirs: tuple[int, int], ours: tuple[int, int]) -> NDArray[np.float64]:
    """The footprint of a pair (4, 2) in pixels of pictures of another (width, height)."""
    return np.asarray(reader.valid(row) * (np.array(ours) / np.array(theirs)), np.float64)
