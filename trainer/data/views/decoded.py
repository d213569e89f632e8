"""Pictures of shards that stay decoded: of a small data set each is decoded once, however often it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import images
from pipeline.shards.reader import ShardReader

LIMIT = 256 * 2**20
"""Bytes that a process keeps: some two hundred pairs of 640 x 512."""

Picture = NDArray[np.uint8]
_Key = tuple[Path, int, str, int]
"""Shard, row, modality, and by how much it was decoded smaller."""


class DecodedPictures:
    """Decodes pictures, and keeps as many as fit; what is given out is not to be written to.

    What came first stays: pairs are drawn at random, so that none is more worth keeping than another.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._left = limit
        self._kept: dict[_Key, Picture] = {}

    def rgb(self, reader: ShardReader, row: int, data: bytes, reduce: int) -> Picture:
        """The visible picture of a pair, (H, W, 3) R, G, B.

        Args:
            reader: of its shard.
            row: of the pair there.
            data: what is stored.
            reduce: see :func:`pipeline.images.reduction`.
        """
        name = reader.name("rgb", row)
        return self._get((reader.path, row, "rgb", reduce), lambda: images.decode_rgb(data, name, reduce))

    def tir(self, reader: ShardReader, row: int, data: bytes, reduce: int) -> Picture:
        """The thermal picture of a pair, (H, W); arguments as of :meth:`rgb`."""
        name = reader.name("tir", row)
        return self._get((reader.path, row, "tir", reduce), lambda: images.decode_tir(data, name, reduce=reduce))

    def _get(self, key: _Key, decode: Callable[[], Picture]) -> Picture:
        if (kept := self._kept.get(key)) is not None:
            return kept
        picture = decode()
        if picture.nbytes <= self._left:
            self._left -= picture.nbytes
            picture.flags.writeable = False
            self._kept[key] = picture
        return picture
