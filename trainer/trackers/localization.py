"""Where the target is in a score map, and how far that can be trusted (pytracking's tracker.dimp).

Positions are (row, column). Arithmetic is float32, as in the reference.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trainer.trackers.parameters.params import DimpParams, OnlineParams
from trainer.trackers.patch import Vector

Flag = Literal["normal", "hard_negative", "uncertain", "not_found"]
Scores = NDArray[np.float32]


class Peak(NamedTuple):
    """What a search of the score maps found."""

    map: int
    """Which of the maps (one a window size) holds it."""
    offset: Vector
    """(2,) cells from the map's centre."""
    score: float
    """The best of that map; before the window where distractors are sought there."""
    flag: Flag


class Layout(NamedTuple):
    """What one cell of a score map is."""

    centre: Vector
    """(2,) the cell in the middle of the window."""
    neighbourhood: Vector
    """(2,) rows and columns around a peak that belong to it."""
    previous: Vector
    """(2,) cells from the centre to the target's last position."""


def highest(scores: Scores) -> tuple[np.float32, Vector]:
    """The best score of a map (h, w) and its cell (2,); of equal ones the first column's first row."""
    rows = scores.argmax(axis=0)
    column = int(scores.max(axis=0).argmax())
    row = int(rows[column])
    return scores[row, column], np.array([row, column], np.float32)


def search(scores: Scores, layouts: list[Layout], params: OnlineParams, window: Scores | None = None) -> Peak:
    """Find the target in score maps.

    Args:
        scores: (S, h, w), one map a window size.
        layouts: of each of them.
        params: thresholds.
        window: (h, w) factor on the scores.
    """
    plain = scores
    if window is not None:
        scores = scores * window
        plain = plain if params.perform_hn_without_windowing else scores
    peaks = [highest(each) for each in scores]
    best = int(np.argmax([score for score, _ in peaks]))
    (score, cell), layout = peaks[best], layouts[best]
    flag: Flag = "normal"
    if params.advanced_localization:
        cell, flag = _judge(plain[best], score, cell, layout, params)
    return Peak(best, cell - layout.centre, float(plain[best].max()), flag)


def _judge(
    scores: Scores, score: np.float32, cell: Vector, layout: Layout, params: OnlineParams
) -> tuple[Vector, Flag]:
    """The cell to go to and what is thought of it, given the best one."""
    if float(score) < params.target_not_found_threshold:
        return cell, "not_found"
    if isinstance(params, DimpParams):
        if float(score) < params.uncertain_threshold:
            return cell, "uncertain"
        if float(score) < params.hard_sample_threshold:
            return cell, "hard_negative"
    second, other = highest(_blanked(scores, cell, layout.neighbourhood))
    if second > np.float32(params.distractor_threshold) * score:
        return _choose(scores.shape, cell, other, layout, params)
    if second > np.float32(params.hard_negative_threshold) * score and second > params.target_not_found_threshold:
        return cell, "hard_negative"
    return cell, "normal"


def _blanked(scores: Scores, cell: Vector, size: Vector) -> Scores:
    """The scores with 0 around a cell."""
    rest = scores.copy()
    (top, left), (bottom, right) = (
        [round(float(at) + side * float(extent) / 2 + (side > 0)) for at, extent in zip(cell, size)] for side in (-1, 1)
    )
    rest[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 0
    return rest


def _choose(
    shape: tuple[int, ...], cell: Vector, other: Vector, layout: Layout, params: OnlineParams
) -> tuple[Vector, Flag]:
    """Of two peaks alike, the one that is plausible from where the target was; the better one where that tells none."""
    reach = params.dispalcement_scale * math.sqrt(shape[0] * shape[1]) / 2
    first, second = (float(np.sqrt(((each - layout.centre - layout.previous) ** 2).sum())) for each in (cell, other))
    if first < reach < second:
        return cell, "hard_negative"
    if second < reach < first:
        return other, "hard_negative"
    return cell, "uncertain"


def localize(
    scores: ArrayLike,
    pos: ArrayLike,
    sample_pos: ArrayLike,
    sample_scale: float,
    target_sz: ArrayLike,
    *,
    sample_sz: ArrayLike = (288, 288),
    kernel_size: int = 4,
    params: OnlineParams | None = None,
) -> tuple[Vector, Flag]:
    """DiMP's localisation in one score map.

    Args:
        scores: (h, w).
        pos: (2,) the target's last position in the frame.
        sample_pos: (2,) centre of the search window in the frame.
        sample_scale: frame pixels a window pixel.
        target_sz: (2,) rows and columns of the target in the frame.
        sample_sz: (2,) rows and columns of the search window in window pixels.
        kernel_size: side of the filter; an even one gives a score more than there are cells.
        params: thresholds, by default DiMP-50's.

    Returns:
        (2,) frame pixels from the window's centre to the target, and the flag.
    """
    maps = np.asarray(scores, np.float32)[None]
    grid = Grid.of(maps.shape[1:], np.asarray(sample_sz, np.float32), kernel_size)
    settings, scale = params or DimpParams(), np.float32(sample_scale)
    offset = np.asarray(pos, np.float32) - np.asarray(sample_pos, np.float32)
    peak = search(maps, [grid.layout(scale, np.asarray(target_sz, np.float32), offset, settings)], settings)
    return peak.offset * grid.pitch * scale, peak.flag


class Grid(NamedTuple):
    """DiMP's score map over its search window."""

    shape: Vector
    """(2,) rows and columns."""
    pitch: Vector
    """(2,) window pixels between two cells."""
    density: Vector
    """(2,) cells a window pixel."""

    @classmethod
    def of(cls, shape: tuple[int, ...], sample_sz: Vector, kernel_size: int) -> Grid:
        """The grid of a map of ``shape`` over a window of ``sample_sz`` pixels."""
        rows = np.array(shape, np.float32)
        cells = rows - np.float32((kernel_size + 1) % 2)
        return cls(rows, sample_sz / cells, cells / sample_sz)

    def layout(self, scale: np.float32, target_sz: Vector, offset: Vector, params: OnlineParams) -> Layout:
        """The layout of the map.

        Args:
            scale: frame pixels a window pixel.
            target_sz: (2,) in frame pixels.
            offset: (2,) frame pixels from the window's centre to the target's last position.
            params: for the neighbourhood.
        """
        neighbourhood = np.float32(params.target_neighborhood_scale) * (target_sz / scale) * self.density
        return Layout(np.asarray((self.shape - 1) / 2, np.float32), neighbourhood, offset / (self.pitch * scale))


def cosine_window(size: tuple[int, int], centred: bool = True) -> Scores:
    """A window (h, w) that falls from 1 in the middle towards the borders.

    Args:
        size: rows and columns.
        centred: the middle is between the borders, else on cell size // 2.
    """

    def axis(cells: int) -> NDArray[np.float64]:
        if centred:
            phase = 2 * np.pi / (cells + 1) * (np.arange(cells) - (cells - 1) / 2)
        else:
            phase = 2 * np.pi / (cells + 2) * (np.arange(cells) - cells // 2)
        return np.asarray(0.5 * (1 + np.cos(phase)))

    return np.asarray(np.outer(axis(size[0]), axis(size[1])), np.float32)
