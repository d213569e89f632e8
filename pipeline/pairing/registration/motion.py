"""Time skew seen in the pictures: what changes in a sequence must change in both modalities at the same frame.

Each frame is described by its oriented-gradient channels, small, less their mean over the sequence: what never changes
drops out, and what is left (bodies that move, a camera that moves) is compared between every thermal and every visible
frame. The right partner is the one that fits best. A static scene leaves noise, which fits nothing and flags nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb, Tir
from pipeline.pairing.registration import features, workframe

Array = NDArray[np.float64]

WIDTH = 160
"""Pictures are compared at this width: a body of 20 pixels at 640 is still five wide."""
LEAST = 10
"""Frames below which neither a common offset nor an outlier is looked for."""
FARTHEST = 3
"""Largest common offset looked for, in frames."""
_PRESENT, _GAIN, _CERTAIN, _SHARE = 0.05, 0.02, 3.5, 0.75
_OUTLIER, _DEVIATIONS = 0.08, 6.0


@dataclass(frozen=True)
class Skew:
    """What the motion says.

    Attributes:
        offset: thermal frame t shows the instant of visible frame t + offset, throughout; 0 where nothing says so.
        wrong: names of single frames whose thermal picture fits another visible frame far better than its own.
    """

    offset: int = 0
    wrong: tuple[str, ...] = ()


@dataclass
class Film:
    """The frames of a sequence in order, as described; under 100 kB a pair."""

    names: list[str] = field(default_factory=list)
    _rgb: list[NDArray[np.float32]] = field(default_factory=list)
    _tir: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, name: str, rgb: Rgb, tir: Tir, homography: Array) -> None:
        """Describe one pair.

        Args:
            name: what to call it in the answer.
            rgb: (H, W, 3) uint8, or its luminance (H, W); a pair of another shape than the first is passed over.
            tir: (h, w) uint8.
            homography: (3, 3) TIR -> RGB, of the camera.
        """
        scale = WIDTH / rgb.shape[1]
        size = (WIDTH, max(32, int(rgb.shape[0] * scale) // 2 * 2))
        small = cv2.resize(features.luminance(rgb), size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        to_small = workframe.scaling(scale, size[1] / rgb.shape[0])
        moving, inside = workframe.tir_channels(tir, to_small @ homography, size)
        if self.names and moving.size != self._tir[0].size:
            return
        self.names.append(name)
        self._rgb.append((features.oriented_channels(small) * inside).ravel())
        self._tir.append(moving.ravel())

    def similarity(self) -> Array:
        """(n, n) correlation of what changes, of thermal frame (row) and visible frame (column)."""
        rgb, tir = (_changes(np.stack(rows)) for rows in (self._rgb, self._tir))
        return np.asarray(tir @ rgb.T, dtype=np.float64)

    def skew(self) -> Skew:
        """The common offset and the outliers; names are those given to :meth:`add`."""
        if len(self.names) < LEAST:
            return Skew()
        table = self.similarity()
        offset = _offset(table)
        return Skew(offset, tuple(self.names[i] for i in _outliers(table, offset)))


def _changes(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows (n, d) less their mean, each of unit length."""
    rows -= rows.mean(axis=0)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), dtype=np.float32)


def _offset(table: Array) -> int:
    """The shift of columns against rows that fits best, if it does so throughout and not by chance; else 0."""
    best, found = 0.0, 0
    own = np.diagonal(table)
    for k in (k for k in range(-FARTHEST, FARTHEST + 1) if k):
        other = np.diagonal(table, k)
        gain = other - own[max(0, -k) : len(own) - max(0, k)]
        mean, error = float(gain.mean()), float(gain.std()) / len(gain) ** 0.5
        certain = mean > max(_GAIN, _CERTAIN * error) and np.mean(gain > 0) >= _SHARE
        if certain and other.mean() > _PRESENT and mean > best:
            best, found = mean, k
    return found


def _outliers(table: Array, offset: int) -> NDArray[np.int64]:
    """Rows whose partner under the offset fits far worse than another column does, by the standards of the rest."""
    count = len(table)
    partner = np.arange(count) + offset
    inside = (partner >= 0) & (partner < count)
    deficit = np.where(inside, table.max(axis=1) - table[np.arange(count), np.clip(partner, 0, count - 1)], 0.0)
    middle = np.median(deficit)
    usual = middle + _DEVIATIONS * 1.4826 * np.median(np.abs(deficit - middle))
    return np.flatnonzero(deficit > max(_OUTLIER, float(usual)))
