"""Frames as the tracker sees them: (H, W, 3) uint8, whatever the camera gave."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.images import Raw, Rgb, to_tir
from pipeline.manifests import LEAST_SPAN, Percentiles

Frame = Raw
Range = tuple[float, float]
_DEPTHS = (np.uint8, np.uint16, np.int16, np.float32)


class FrameReader:
    """Maps the frames of one sequence; a range of 16-bit values, once found, is held.

    Args:
        tir_range: raw values that become 0 and 255; None takes percentiles of the first frame that shows anything, or
            of the first until one does.

    Attributes:
        blank: how many frames show something, of which nothing lies within the range, so that they come out flat.
    """

    def __init__(self, tir_range: Range | None = None) -> None:
        self.tir_range = tir_range
        self._first: Range | None = None
        self._size: tuple[int, ...] | None = None
        self.blank = 0

    def read(self, frame: Frame) -> Rgb:
        """A frame as (H, W, 3) uint8.

        Args:
            frame: (H, W, 3) R, G, B or (H, W) uint8, or 16-bit TIR of one channel or of equal ones.

        Raises:
            ValueError: another type, shape, or size than the frames before.
        """
        if frame.dtype not in _DEPTHS or frame.ndim not in (2, 3) or frame.shape[2:] not in ((), (3,)):
            raise ValueError(
                f"frame is {frame.dtype} {frame.shape}: give (H, W, 3) R, G, B or (H, W) of uint8, "
                "or uint16 TIR, or int16 or float32"
            )
        if self._size not in (None, frame.shape[:2]):
            raise ValueError(f"frame is {frame.shape[:2]} after frames of {self._size}: a sequence has one size")
        self._size = frame.shape[:2]
        if frame.dtype != np.uint8:
            raw, frame = frame, to_tir(frame, "frame", self._range(frame))
            self.blank += bool(frame.min() == frame.max()) and _shows(_percentiles(raw))
        if frame.ndim == 3:
            return frame.astype(np.uint8, copy=False)
        return cv2.cvtColor(frame, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)

    def _range(self, frame: Frame) -> Range:
        """The range that is held, or for now that of a first frame which shows nothing."""
        if self.tir_range is None:
            if frame.dtype == np.float32:
                raise ValueError("frame is float32 and no range is given: give --tir-range LOW,HIGH")
            found = _percentiles(frame)
            if not _shows(found):
                self._first = self._first or found
                return self._first
            self.tir_range = found
        return self.tir_range


def _percentiles(frame: Frame) -> Range:
    """The range that the preparation of pairs takes by default, of one frame."""
    low, high = np.percentile(frame, Percentiles().percentiles)
    return float(low), float(max(high, low + 1))


def _shows(found: Range) -> bool:
    """Whether a frame of that range shows anything: a closed shutter does not."""
    return found[1] - found[0] >= LEAST_SPAN
