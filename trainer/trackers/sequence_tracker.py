"""One target through one sequence, whatever follows it: frames of any depth in, boxes out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from trainer.sequences.thermal import Frame, FrameReader, Range
from trainer.trackers.engine import Follower
from trainer.trackers.localization import Flag


class SequenceTracker:
    """Follows one target through one sequence at a time.

    Args:
        follower: what follows it.
        tir_range: 16-bit values that become 0 and 255; None takes percentiles of each sequence's first frame.
    """

    def __init__(self, follower: Follower, tir_range: Range | None = None) -> None:
        self._follower, self._fixed_range = follower, tir_range
        self._reader: FrameReader | None = None
        self.flag: Flag = "normal"

    @property
    def tir_range(self) -> Range | None:
        """Raw 16-bit values that become 0 and 255 in this sequence; None where its frames have 8 bits."""
        return self._reader.tir_range if self._reader else self._fixed_range

    @property
    def blank(self) -> int:
        """Frames of this sequence whose raw values all lie outside of the range, though they show something."""
        return self._reader.blank if self._reader else 0

    @torch.inference_mode()
    def start(self, frame: Frame, box: ArrayLike) -> None:
        """Begin a sequence.

        Args:
            frame: (H, W, 3) R, G, B or (H, W), uint8, or uint16 TIR.
            box: x, y, w, h of the target.

        Raises:
            ValueError: the frame or the box is none.
        """
        self._reader = FrameReader(self._fixed_range)
        self.flag = "normal"
        self._follower.start(self._reader.read(frame), box)

    @torch.inference_mode()
    def update(self, frame: Frame) -> tuple[NDArray[np.float64], float]:
        """Find the target in the next frame.

        Returns:
            (4,) x, y, w, h, and a score, a tracker's best classification. What that is worth is in :attr:`flag`:
            ``normal``, ``hard_negative`` (a distractor was seen), ``uncertain`` (it may be one) or ``not_found`` (the
            box stays).

        Raises:
            ValueError: called before :meth:`start`, or the frame is none of the sequence.
        """
        if self._reader is None:
            raise ValueError("update needs a first box: call start(frame, box) before")
        box, score, self.flag = self._follower.update(self._reader.read(frame))
        return box, score
