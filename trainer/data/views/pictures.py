"""The pictures of a pair, ready for windows to be cut: as small as will do, joined, with what TIR does not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.shards.reader import ShardReader
from trainer.data.views.decoded import DecodedPictures
from trainer.data.views.side_by_side import flip, flip_box, join

Box = NDArray[np.float64]


@dataclass
class Pictures:
    """Pictures of one size, and the target in them.

    Attributes:
        fed: by the name of what a branch is fed (``rgb``, ``tir``, ``gray``, ``rgb-tir``), (H, W, 3) or, thermal and
            gray, (H, W).
        box: (4,) x, y, w, h in their pixels.
        unseen: (H, W), 255 where the TIR camera does not see; None where it sees everything.
    """

    fed: dict[str, NDArray[np.uint8]]
    box: Box
    unseen: NDArray[np.uint8] | None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        height, width = next(iter(self.fed.values())).shape[:2]
        return width, height

    def drain(self) -> None:
        """Take the colour out of the visible picture."""
        if "rgb" in self.fed:
            self.fed["rgb"] = np.repeat(_gray(self.fed["rgb"])[..., None], 3, axis=2)

    def without_colour(self) -> Pictures:
        """The visible picture as ``gray``, and nothing else."""
        return replace(self, fed={"gray": _gray(self.fed["rgb"])})

    def negative(self) -> Pictures:
        """The same with dark for bright."""
        return replace(self, fed={name: np.bitwise_not(picture) for name, picture in self.fed.items()})


def _gray(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def decode_pictures(
    decoded: DecodedPictures, reader: ShardReader, row: int, encoded: Mapping[str, bytes], box: Box, reduce: int
) -> Pictures:
    """The pictures of a pair as they are fed one by one.

    Args:
        decoded: keeps what is decoded.
        reader: of the pair's shard.
        row: its place in the shard.
        encoded: what of it is needed, by modality, ``rgb`` and ``tir``.
        box: (4,) in pixels of the stored pictures.
        reduce: by how much they are decoded smaller, see :func:`pipeline.images.reduction`.
    """
    fed: dict[str, NDArray[np.uint8]] = {}
    if "rgb" in encoded:
        fed["rgb"] = decoded.rgb(reader, row, encoded["rgb"], reduce)
    if "tir" in encoded:
        fed["tir"] = decoded.tir(reader, row, encoded["tir"], reduce)
    height, width = next(iter(fed.values())).shape[:2]
    return Pictures(fed, box / reduce, outside(reader.valid(row) / reduce, (width, height)))


def side_by_side(pictures: Pictures, mirrored: bool) -> Pictures:
    """RGB left of TIR, TIR left of RGB, and the box of the joined target, which is the same in both.

    Args:
        pictures: both pictures of a pair.
        mirrored: whether each is flipped, which happens before, or RGB and TIR would change sides.
    """
    layers = {"rgb": pictures.fed["rgb"], "tir": np.repeat(pictures.fed["tir"][..., None], 3, axis=2)}
    if pictures.unseen is not None:
        layers["unseen"] = pictures.unseen
    box = pictures.box
    if mirrored:
        box = flip_box(box, pictures.size[0])
        layers = {name: flip(layer) for name, layer in layers.items()}
    first, both = join(layers["rgb"], layers["tir"], box)
    second, _ = join(layers["tir"], layers["rgb"], box)
    unseen = join(layers["unseen"], layers["unseen"], box)[0] if "unseen" in layers else None
    return Pictures({"rgb-tir": first, "tir-rgb": second}, both, unseen)


def outside(quad: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.uint8] | None:
    """255 outside the TIR footprint (4, 2), (H, W) of a picture of (width, height); None where that sees everything."""
    width, height = size
    whole = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    if np.abs(quad - whole).max() <= 0.5:
        return None
    unseen = np.full((height, width), 255, np.uint8)
    cv2.fillConvexPoly(unseen, np.round((quad - 0.5) * 16).astype(np.int32), 0, cv2.LINE_8, 4)
    return unseen


def either(one: NDArray[np.uint8] | None, other: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
    """What is unseen in one mask or the other; None sees everything."""
    if one is None or other is None:
        return other if one is None else one
    return np.maximum(one, other)
