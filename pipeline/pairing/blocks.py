"""Block-wise correlation: how well every block of the TIR picture fits the RGB one at each small displacement."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from pipeline.pairing.features import Channels, Plane

STRIDE = 0.67
_LEAST_INSIDE = 0.6
_ENERGY_FLOOR = 0.02


@dataclass(frozen=True)
class Surfaces:
    """Correlation surfaces of n blocks.

    Attributes:
        centres: (n, 2) block centres x, y, pixels of the level they were taken at.
        values: (n, 2r+1, 2r+1) correlation, -1 to 1, of the block's content with the RGB picture moved on by
            (dy - r, dx - r).
        weights: (n,) share of the block that lies inside the TIR picture.
    """

    centres: NDArray[np.float64]
    values: NDArray[np.float32]
    weights: NDArray[np.float64]

    @property
    def reach(self) -> int:
        """Largest displacement r."""
        return int(self.values.shape[1]) // 2

    def checkered(self) -> tuple[Surfaces, Surfaces]:
        """The surfaces in two halves, every other block along each row."""
        halves = (slice(0, None, 2), slice(1, None, 2))
        first, second = (Surfaces(self.centres[h], self.values[h], self.weights[h]) for h in halves)
        return first, second


def _starts(length: int, block: int) -> NDArray[np.int64]:
    """First pixels of blocks that overlap by about a half and cover a side exactly."""
    count = max(1, round((length - block) / (STRIDE * block)) + 1) if length > block else 1
    return np.rint(np.linspace(0, max(0, length - block), count)).astype(np.int64)


def _variance(channels: Channels, block: int) -> Plane:
    """Sum of squared deviations from the block mean, over channels, of the block that begins at each pixel."""
    total = np.zeros(channels.shape[1:], np.float32)
    for plane in channels:
        mean = cv2.blur(plane, (block, block), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
        square = cv2.blur(plane * plane, (block, block), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
        total += np.maximum(square - mean * mean, 0)
    return total * np.float32(block * block)


def correlate(rgb: Channels, tir: Channels, inside: Plane, block: int, reach: int) -> Surfaces:
    """Zero-mean normalised correlation of all channels at once, block by block, by FFT.

    Args:
        rgb: (3, H, W) channels of the RGB picture.
        tir: (3, H, W) channels of the TIR picture, brought near the RGB frame.
        inside: (H, W) 1 inside the TIR picture, 0 outside.
        block: side of a block, pixels.
        reach: largest displacement looked at, pixels.
    """
    height, width = inside.shape
    block = min(block, height, width)
    size = block + 2 * reach
    top, left = (grid.ravel() for grid in np.meshgrid(_starts(height, block), _starts(width, block), indexing="ij"))
    share = cv2.blur(inside, (block, block), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)[top, left]
    enough = share >= _LEAST_INSIDE
    top, left, share = top[enough], left[enough], share[enough]
    lags = 2 * reach + 1
    if not len(top):
        return Surfaces(np.zeros((0, 2)), np.zeros((0, lags, lags), np.float32), np.zeros(0))
    padded = np.pad(rgb, ((0, 0), (reach, reach), (reach, reach)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    templates = np.lib.stride_tricks.sliding_window_view(tir, (block, block), axis=(1, 2))[:, top, left]
    templates = templates - templates.mean(axis=(2, 3), keepdims=True)
    shape = (fft.next_fast_len(size, True),) * 2
    spectrum = np.zeros((len(top), shape[0], shape[1] // 2 + 1), np.complex64)
    for fixed, moving in zip(windows, templates):
        spectrum += fft.rfft2(fixed[top, left], shape) * fft.rfft2(moving, shape).conj()
    product = fft.irfft2(spectrum, shape)[:, :lags, :lags]
    energy = np.sum(templates * templates, axis=(0, 2, 3))
    there = np.lib.stride_tricks.sliding_window_view(_variance(padded, block), (lags, lags))[top, left]
    floor = _ENERGY_FLOOR * block * block
    values = product / np.sqrt(np.maximum(energy, floor)[:, None, None] * np.maximum(there, floor))
    middle = (block - 1) / 2
    return Surfaces(np.c_[left + middle, top + middle], values.astype(np.float32), share.astype(np.float64))
