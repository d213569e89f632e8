"""Frames as the tracker sees them: (H, W, 3) uint8, whatever the camera gave."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb, to_tir
from pipeline.manifests import Percentiles

Frame = NDArray[np.uint8] | NDArray[np.uint16]
Range = tuple[float, float]


class FrameReader:
    """Maps the frames of one sequence; a range of 16-bit values, once found, is held.

    Args:
        tir_range: 16-bit values that become 0 and 255; None takes percentiles of the first frame.
    """

    def __init__(self, tir_range: Range | None = None) -> None:
        self.tir_range = tir_range
        self._size: tuple[int, ...] | None = None

    def read(self, frame: Frame) -> Rgb:
        """A frame as (H, W, 3) uint8.

        Args:
            frame: (H, W, 3) R, G, B or (H, W) uint8, or 16-bit TIR of one channel or of equal ones.

        Raises:
            ValueError: another type, shape, or size than the frames before.
        """
        if frame.dtype not in (np.uint8, np.uint16) or frame.ndim not in (2, 3) or frame.shape[2:] not in ((), (3,)):
            raise ValueError(
                f"frame is {frame.dtype} {frame.shape}: give (H, W, 3) R, G, B or (H, W) of uint8, or uint16 TIR"
            )
        if self._size not in (None, frame.shape[:2]):
            raise ValueError(f"frame is {frame.shape[:2]} after frames of {self._size}: a sequence has one size")
        self._size = frame.shape[:2]
        if frame.dtype == np.uint16:
            if self.tir_range is None:
                self.tir_range = _percentiles(frame)
            frame = to_tir(frame, "frame", self.tir_range)
        if frame.ndim == 3:
            return frame.astype(np.uint8, copy=False)
        return cv2.cvtColor(frame, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)


def _percentiles(frame: Frame) -> Range:
    """The range that the preparation of pairs takes by default, of one frame."""
    low, high = np.percentile(frame, Percentiles().percentiles)
    return float(low), float(max(high, low + 1))
