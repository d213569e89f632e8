"""What is cut out of the pictures of a pair for one window: planes by modality, and the box in them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.data.views.pictures import Pictures
from trainer.data.views.search_windows import Box, mirrored_in_window
from trainer.data.views.window import Window

MEAN_COLOUR = (124, 116, 104)
"""ImageNet's mean, R, G, B of 255: what lies outside the TIR footprint becomes zero after normalisation."""


def cut_planes(
    pictures: Pictures, gains: Mapping[str, float], window: Window, mirrored: bool
) -> dict[str, NDArray[np.uint8]]:
    """One window of several pictures of a pair, (3, S, S) by the name of each.

    Args:
        pictures: of the pair.
        gains: names of those that are cut -> by what the brightness of each is multiplied.
        window: the window.
        mirrored: whether it is seen in a mirror.
    """
    blank = None if pictures.unseen is None else window.cut_mask(pictures.unseen)
    found: dict[str, NDArray[np.uint8]] = {}
    for name, gain in gains.items():
        cut = window.cut(pictures.fed[name])
        if gain != 1:
            cut = cv2.convertScaleAbs(cut, alpha=gain).astype(np.uint8, copy=False)
        if cut.ndim == 2:
            cut = cv2.cvtColor(cut, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
        if blank is not None:
            # After the colours were changed, so that both modalities end up alike.
            cv2.copyTo(_mean_picture(window.size), blank, cut)
        planes = np.empty((3, window.size, window.size), np.uint8)
        cv2.split(cut, list(planes))
        found[name] = np.ascontiguousarray(planes[..., ::-1]) if mirrored else planes
    return found


def box_in(window: Window, box: Box, mirrored: bool) -> Box:
    """A box (4,) of a picture in pixels of a window, which may be seen in a mirror."""
    seen = window.to_window(box)
    return mirrored_in_window(seen, window.size) if mirrored else seen


@cache
def _mean_picture(size: int) -> NDArray[np.uint8]:
    return np.full((size, size, 3), MEAN_COLOUR, np.uint8)
