"""Block-wise correlation: how well every block of the TIR picture fits the RGB one at each small displacement."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from pipeline.pairing.registration.features import Channels, Plane, at_least

Index = NDArray[np.int64]

STRIDE = 0.67
TAPS = 2
"""Displacements beyond those wanted that :func:`doubled` needs."""
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


def _box_sum(plane: Plane, block: int) -> Plane:
    """Sum over the block that begins at each pixel (H, W) or (H, W, C); what lies outside counts as zero."""
    total = cv2.boxFilter(
        plane, cv2.CV_32F, (block, block), anchor=(0, 0), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return total.astype(np.float32, copy=False)


def _at(planes: NDArray[np.float32], side: int, top: Index, left: Index) -> NDArray[np.float32]:
    """(..., n, side, side) squares of planes (..., H, W) that begin at n pixels."""
    squares = np.lib.stride_tricks.sliding_window_view(planes, (side, side), axis=(-2, -1))
    return np.asarray(squares[..., top, left, :, :])


@dataclass(frozen=True)
class Windows:
    """The RGB side of the correlation: all that does not depend on the TIR picture's place.

    Attributes:
        block: side of a block.
        reach: largest displacement looked at.
        top: (n,) first row of each block; ``left``: first column.
        spectra: (3, n, s, s/2 + 1) Fourier transforms of the windows of ``block + 2 reach`` pixels around the blocks.
        energy: (n, 2r+1, 2r+1) sum of squared deviations from the mean, over channels, of the block at each place.
    """

    block: int
    reach: int
    top: Index
    left: Index
    spectra: NDArray[np.complex64]
    energy: NDArray[np.float32]

    def only(self, blocks: Index) -> Windows:
        """The windows of some of the n blocks."""
        kept = self.top[blocks], self.left[blocks], self.spectra[:, blocks], self.energy[blocks]
        return Windows(self.block, self.reach, *kept)


def windows(rgb: Channels, block: int, reach: int) -> Windows:
    """Cover the channels (3, H, W) of an RGB picture by windows around overlapping blocks."""
    height, width = rgb.shape[1:]
    block = min(block, height, width)
    top, left = (grid.ravel() for grid in np.meshgrid(_starts(height, block), _starts(width, block), indexing="ij"))
    padded = np.pad(rgb, ((0, 0), (reach, reach), (reach, reach)))
    side = _side(block, reach)
    spectra = fft.rfft2(_at(padded, block + 2 * reach, top, left), (side, side))
    # Sums of three channels side by side are made at once, in half the time.
    layered = np.ascontiguousarray(padded.transpose(1, 2, 0))
    total, squares = _box_sum(layered, block), _box_sum(layered * layered, block)
    deviations: NDArray[np.float32] = at_least(squares - total * total / np.float32(block * block), 0)
    energy: Plane = deviations[..., 0] + deviations[..., 1] + deviations[..., 2]
    return Windows(block, reach, top, left, spectra, _at(energy, 2 * reach + 1, top, left))


def _side(block: int, reach: int) -> int:
    """Side of the Fourier transforms: the wanted displacements do not wrap around in it."""
    return int(fft.next_fast_len(block + 2 * reach, True))


def correlate(rgb: Windows, tir: Channels, inside: Plane) -> Surfaces:
    """Zero-mean normalised correlation of all channels at once, block by block, by FFT.

    Args:
        rgb: windows of the RGB picture.
        tir: (3, H, W) channels of the TIR picture, brought near the RGB frame.
        inside: (H, W) 1 inside the TIR picture, 0 outside.
    """
    block, side, lags = rgb.block, _side(rgb.block, rgb.reach), 2 * rgb.reach + 1
    share = _box_sum(inside, block)[rgb.top, rgb.left] / np.float32(block * block)
    seen = np.flatnonzero(share >= _LEAST_INSIDE)
    if not len(seen):
        return Surfaces(np.zeros((0, 2)), np.zeros((0, lags, lags), np.float32), np.zeros(0))
    if len(seen) < len(share):
        rgb = rgb.only(seen)
        share = share[seen]
    spectrum = np.zeros((len(seen), side, side // 2 + 1), np.complex64)
    energy = np.zeros(len(seen), np.float32)
    templates = _at(tir, block, rgb.top, rgb.left)
    templates -= templates.mean(axis=(2, 3), keepdims=True)
    for fixed, template in zip(rgb.spectra, templates):
        energy += np.einsum("nij,nij->n", template, template)
        moving = fft.rfft2(template, (side, side))
        spectrum += np.multiply(fixed, np.conj(moving, out=moving), out=moving)
    # Only the wanted rows go through the second half of the inverse transform.
    product = fft.irfft(fft.ifft(spectrum, axis=1)[:, :lags], side, axis=2)[:, :, :lags]
    floor = _ENERGY_FLOOR * block * block
    values = product / np.sqrt(np.maximum(energy, floor)[:, None, None] * np.maximum(rgb.energy, floor))
    centres = np.c_[rgb.left, rgb.top] + (block - 1) / 2
    return Surfaces(centres, values.astype(np.float32, copy=False), share.astype(np.float64))


def doubled(surfaces: Surfaces) -> Surfaces:
    """The surfaces of n blocks in pixels half as large, by a windowed sinc (Lanczos of three lobes).

    What was reached by r is reached by 2 (r - :data:`TAPS`).
    """
    between = _between(surfaces.reach)
    values = np.asarray(between @ surfaces.values @ between.T, dtype=np.float32)
    return Surfaces((surfaces.centres + 0.5) * 2 - 0.5, values, surfaces.weights)


@cache
def _between(reach: int) -> NDArray[np.float32]:
    """(4 (r - 2) + 1, 2r + 1) weights of samples -r to r in values at every half."""
    wanted = np.arange(-2 * (reach - TAPS), 2 * (reach - TAPS) + 1) / 2
    apart = wanted[:, None] - np.arange(-reach, reach + 1)
    weights = np.where(np.abs(apart) < TAPS + 1, np.sinc(apart) * np.sinc(apart / (TAPS + 1)), 0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)
