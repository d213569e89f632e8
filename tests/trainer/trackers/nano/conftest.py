"""Seeded random networks of NanoTrack, and the sequence that the reference boxes are of."""

from __future__ import annotations

import functools

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.net import build_network

from ....conftest import shared

Frame = NDArray[np.uint8]


@functools.cache
def random_net() -> dict[str, Tensor]:
    """Weights under which answers differ from cell to cell, and boxes have some tens of pixels."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        net = build_network("nanotrack_v2")
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.endswith(("cls_pred.0.weight", "bbox_pred.0.weight")):
                parameter.mul_(20)
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0
        pictures = torch.rand(4, 3, 255, 255, generator=torch.Generator().manual_seed(0)) * 255
        net(pictures[:, :, :127, :127], pictures)
    return net.eval().state_dict()


def airplane(count: int | None = None) -> tuple[list[Frame], NDArray[np.float64]]:
    """Frames (H, W, 3) R, G, B of the sequence ``airplane``, and its true boxes."""
    folder = shared("samples/tir_sequences/airplane")
    files = sorted((folder / "img").iterdir())[:count]
    frames = [cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB) for file in files]
    return frames, np.loadtxt(folder / "groundtruth_rect.txt", delimiter=",")[:count]


@pytest.fixture
def weights() -> dict[str, Tensor]:
    return random_net()
