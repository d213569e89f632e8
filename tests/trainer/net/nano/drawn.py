"""A NanoTrack whose weights are drawn from their names: the same numbers on every machine."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.net.nano import NanoNet, nanotrack_v2


def uniform(name: str, shape: tuple[int, ...], low: float, high: float) -> NDArray[np.float32]:
    """Numbers that depend on the name alone."""
    return np.random.default_rng(zlib.crc32(name.encode())).uniform(low, high, shape).astype(np.float32)


def _entry(name: str, like: Tensor) -> Tensor:
    shape = tuple(like.shape)
    if name.endswith("num_batches_tracked"):
        return torch.zeros_like(like)
    if name.endswith(("running_var", "1.weight", "2.weight", "4.weight", "5.weight", "8.weight")) and like.ndim == 1:
        return torch.from_numpy(uniform(name, shape, 0.6, 1.6))
    if like.ndim == 1 and "bbox_pred" not in name:
        return torch.from_numpy(uniform(name, shape, -0.3, 0.3))
    bound = (4 / like[0].numel()) ** 0.5 if like.ndim > 1 else 2.0
    bound /= 40 if name == "backbone.features.0.0.weight" else 1
    return torch.from_numpy(uniform(name, shape, -bound, bound))


def drawn_network() -> NanoNet:
    """It, in eval mode; its batch-norms have statistics of their own."""
    net = nanotrack_v2().eval()
    net.load_state_dict({name: _entry(name, value) for name, value in net.state_dict().items()})
    return net


def drawn_crops(count: int = 1) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Templates (N, 127, 127, 3) and search crops (N, 255, 255, 3) with a structure, B, G, R."""
    made = []
    for side in (127, 255):
        coarse = uniform(f"crop {side}", (count, side // 8 + 1, side // 8 + 1, 3), 0, 255)
        fine = uniform(f"noise {side}", (count, side, side, 3), -20, 20)
        crops = coarse.repeat(8, axis=1).repeat(8, axis=2)[:, :side, :side] + fine
        made.append(np.clip(np.rint(crops), 0, 255).astype(np.uint8))
    return made[0], made[1]


def planes(crops: NDArray[np.uint8]) -> Tensor:
    """Crops (N, H, W, 3) as the network takes them."""
    return torch.from_numpy(crops.astype(np.float32)).permute(0, 3, 1, 2)
