"""What every window of a picture can do, whichever tracker it is of."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Window(Protocol):
    """A part of a picture, seen at ``size`` x ``size`` pixels."""

    @property
    def size(self) -> int:
        """Pixels a side."""

    @property
    def coarseness(self) -> float:
        """Pixels of the picture that a pixel of the window is wide and high, at least."""

    def to_window(self, box: NDArray[np.float64]) -> NDArray[np.float64]:
        """A box x, y, w, h of the picture in pixels of the window."""

    def cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What it shows of an (H, W, 3) or (H, W) picture, (size, size, ...)."""

    def cut_mask(self, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What it shows of a mask (H, W) of a picture."""
