"""Template matching: where the first box's pixels are found again by normalised cross-correlation.

Lewis, "Fast Normalized Cross-Correlation", Vision Interface 1995; OpenCV's ``TM_CCOEFF_NORMED``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.images import Rgb
from trainer.trackers.engine import Follower, Outcome
from trainer.trackers.geometry import first_box

SEARCH = 5.0
"""Side of the square search window, in sides of the square that has the box's area; DiMP's and ATOM's."""
ALIKE = 1e-4
"""Answers that differ by less are equal: float32 and the Fourier transform leave that much of equal ones."""

Grey = NDArray[np.uint8]


class _Corner(NamedTuple):
    """Upper left pixel of the template in a frame."""

    row: int
    column: int


class Template(Follower):
    """Finds the first box's grey pixels, which never change, around where they were found last; the size is kept.

    The template is what of the first box, rounded to whole pixels, lies in the picture; found boxes are moved by whole
    pixels and keep the fraction of the first. The window is cut at the picture's edges, and is no narrower than the
    template. Of places that answer alike the nearest to the last is taken. The box stays, with the flag ``not_found``,
    where nothing answers above 0, as in a window without structure, and for a template without any.
    """

    def start(self, image: Rgb, box: ArrayLike) -> None:
        """Cut the template out of the first frame (H, W, 3) at its box x, y, w, h.

        Raises:
            ValueError: the box is not finite, has no area, or lies outside of the frame.
        """
        x, y, w, h = first_box(box)
        grey = _grey(image)
        rows, columns = _covered(y, h, grey.shape[0]), _covered(x, w, grey.shape[1])
        self._template = grey[rows, columns].copy()
        if not self._template.size:
            raise ValueError(f"first box {x:g},{y:g},{w:g},{h:g} is outside of its frame of {grey.shape[::-1]}")
        self._flat = bool((self._template == self._template[0, 0]).all())
        self._side = SEARCH * math.sqrt(w * h)
        self._corner = self._first = _Corner(rows.start, columns.start)
        self._box = np.array([x, y, w, h])

    def update(self, image: Rgb) -> Outcome:
        """Find the template in the next frame (H, W, 3); the score is its correlation coefficient, -1 to 1."""
        score = 0.0 if self._flat else self._search(_grey(image))
        moved = [self._corner.column - self._first.column, self._corner.row - self._first.row, 0, 0]
        return Outcome(self._box + moved, score, "normal" if score > ALIKE else "not_found")

    def _search(self, grey: Grey) -> float:
        """Go to the place of the window that answers best, if one does; returns the answer."""
        rows, columns = (
            _window(at, length, self._side, limit)
            for at, length, limit in zip(self._corner, self._template.shape, grey.shape)
        )
        answers = cv2.matchTemplate(grey[rows, columns], self._template, cv2.TM_CCOEFF_NORMED)
        best = float(answers.max())
        if best > ALIKE:
            places = np.argwhere(answers > best - ALIKE) + np.array([rows.start, columns.start])
            row, column = places[np.square(places - self._corner).sum(axis=1).argmin()]
            self._corner = _Corner(int(row), int(column))
        return best


def _grey(image: Rgb) -> Grey:
    """(H, W), of TIR its own values."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def _covered(start: float, length: float, limit: int) -> slice:
    """The whole pixels, at least one before the cut, that a box covers along an axis of ``limit`` pixels."""
    first = round(start)
    last = first + max(round(length), 1)
    return slice(min(max(first, 0), limit), min(max(last, 0), limit))


def _window(start: int, length: int, side: float, limit: int) -> slice:
    """The pixels of a window around a template, along an axis of ``limit`` pixels."""
    margin = max(round((side - length) / 2), 0)
    return slice(max(start - margin, 0), min(start + length + margin, limit))
