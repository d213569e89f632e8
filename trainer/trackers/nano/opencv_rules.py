"""NanoTrack's rules as OpenCV's TrackerNano has them (modules/video/src/tracking/tracker_nano.cpp), faults included.

Reckoned in float32 and cut to whole numbers where it does so: the tracker feeds itself, and a pixel's difference grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb
from trainer.net.nano.grid import CENTRE, SEARCH_SIZE, TEMPLATE_SIZE
from trainer.trackers.nano.rules import Array, Fill, Rules, Square, State, hull, template_scale


class OpenCvRules(Rules):
    """The numbers are those of its ``trackerConfig``."""

    number = np.float32
    blue_first = False
    """Its pictures are B, G, R, and it swaps them, though the network learnt from B, G, R."""
    origin = CENTRE
    program = "onnxruntime"
    penalty_k, window_influence, lr = 0.055, 0.455, 0.37

    def start(self, box: Sequence[float]) -> State:
        """See :meth:`Rules.start`; a ``cv::Rect`` has whole numbers."""
        x, y = (round(at) for at in box[:2])
        size = np.array([max(round(side), 1) for side in box[2:]], np.float32)
        return State(np.array([x, y], np.float32) + size / 2, size)

    def template_square(self, state: State) -> Square:
        """See :meth:`Rules.template_square`."""
        return _square(state.centre, self.window_side(state.size, state.size.sum()))

    def search_square(self, state: State) -> tuple[Square, Any]:
        """See :meth:`Rules.search_square`.

        Width plus height is cut to a whole number, and so is 255/127 to 2, though the crop is then taken to be
        255/127 templates wide.
        """
        side = self.window_side(state.size, int(state.size.sum()))
        return _square(state.centre, side * (SEARCH_SIZE // TEMPLATE_SIZE)), template_scale(side)

    def fill(self, first: Rgb) -> Fill:
        """Each frame's own mean, which ``copyMakeBorder`` rounds."""
        return cv2.mean

    def cosine_window(self, cells: int) -> Array:
        """See :meth:`Rules.cosine_window`: ``createHanningWindow`` takes the root of the product."""
        return np.sqrt(np.outer(np.hanning(cells), np.hanning(cells)))

    def reference_hull(self, state: State, scale: Any) -> Any:
        """The hull of the target's *position*, frame pixels, where its size in crop pixels is meant: OpenCV's fault.

        In the frame's corner it is nothing, and every box is infinitely too large.
        """
        return np.maximum(hull(*np.maximum(state.centre, 0)), np.float32(1e-30))

    def score(self, probability: Any, total: Any) -> float:
        """The value with penalty and window."""
        return float(total)

    def box(self, state: State) -> NDArray[np.float64]:
        """See :meth:`Rules.box`; a ``cv::Rect`` cuts to whole numbers, the state stays as it is."""
        return np.concatenate([state.centre - state.size / 2, state.size]).astype(np.int64).astype(np.float64)


def _square(centre: Array, side: Any) -> Square:
    pixels = max(int(side), 1)
    left, top = (int(at) - (pixels + 1) // 2 for at in centre)
    return Square(left, top, pixels)
