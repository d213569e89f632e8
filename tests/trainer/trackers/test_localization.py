"""Localisation by constructed score maps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.trackers import localize
from trainer.trackers.localization import Grid, cosine_window, search
from trainer.trackers.parameters.params import DimpParams

PARAMS = DimpParams()


def peaks(*where: tuple[int, int, float]) -> NDArray[np.float32]:
    scores = np.zeros((19, 19), np.float32)
    for row, column, score in where:
        scores[row, column] = score
    return scores


def at(
    scores: NDArray[np.float32], params: DimpParams = PARAMS, pos: tuple[float, float] = (100, 100)
) -> tuple[list[float], str]:
    """Offset in cells and flag, the target being 3 x 4 cells large."""
    move, flag = localize(scores, pos, (100, 100), 2.0, (96, 128), params=params)
    return [float(each) for each in move / 32], flag


@pytest.mark.parametrize(
    ("where", "offset", "flag"),
    [
        (((9, 11, 0.9),), [0, 2], "normal"),
        (((9, 11, 0.2),), [0, 2], "not_found"),
        (((9, 11, 0.9), (10, 12, 0.85)), [0, 2], "normal"),
        (((9, 11, 0.9), (9, 3, 0.5)), [0, 2], "hard_negative"),
        (((9, 11, 0.3), (9, 3, 0.2)), [0, 2], "normal"),
        (((9, 11, 0.9), (9, 3, 0.8)), [0, 2], "uncertain"),
        (((9, 11, 0.9), (1, 1, 0.8)), [0, 2], "hard_negative"),
        (((1, 1, 0.9), (9, 11, 0.8)), [0, 2], "hard_negative"),
        (((1, 1, 0.9), (17, 17, 0.8)), [-8, -8], "uncertain"),
    ],
    ids=[
        "one",
        "faint",
        "own slope",
        "faint other",
        "too faint to matter",
        "near twin",
        "far twin",
        "far best",
        "both far",
    ],
)
def test_each_case(where: tuple[tuple[int, int, float], ...], offset: list[float], flag: str) -> None:
    assert at(peaks(*where)) == (offset, flag)


def test_distance_is_measured_from_the_last_position() -> None:
    scores = peaks((9, 9, 0.9), (9, 17, 0.8))
    assert at(scores)[1] == "hard_negative"
    assert at(scores, pos=(100, 100 + 4 * 32)) == ([0, 0], "uncertain")


def test_of_equal_peaks_the_first_column_wins() -> None:
    assert at(peaks((12, 3, 0.9), (3, 4, 0.9)), replace(PARAMS, advanced_localization=False)) == ([3, -6], "normal")


def test_thresholds_on_the_best_score() -> None:
    scores = peaks((9, 9, 0.4))
    assert at(scores, replace(PARAMS, uncertain_threshold=0.5))[1] == "uncertain"
    assert at(scores, replace(PARAMS, hard_sample_threshold=0.5))[1] == "hard_negative"


def test_the_best_of_several_maps_is_taken() -> None:
    grid = Grid.of((19, 19), np.full(2, 288, np.float32), 4)
    layout = grid.layout(np.float32(1), np.full(2, 30, np.float32), np.zeros(2, np.float32), PARAMS)
    found = search(np.stack([peaks((9, 9, 0.5)), peaks((8, 9, 0.7))]), [layout, layout], PARAMS)
    assert (found.map, found.score, found.flag) == (1, np.float32(0.7), "normal")


def test_the_window_moves_the_choice_but_not_the_score() -> None:
    params = replace(PARAMS, perform_hn_without_windowing=True)
    grid = Grid.of((19, 19), np.full(2, 288, np.float32), 4)
    layout = grid.layout(np.float32(1), np.full(2, 30, np.float32), np.zeros(2, np.float32), params)
    found = search(peaks((9, 9, 0.7), (1, 1, 0.9))[None], [layout], params, cosine_window((19, 19)))
    assert found.offset.tolist() == [0, 0]
    assert found.score == np.float32(0.9)


@pytest.mark.parametrize(("cells", "centred", "middle"), [(19, True, 9), (19, False, 9), (18, False, 9)])
def test_cosine_windows_are_highest_in_the_middle(cells: int, centred: bool, middle: int) -> None:
    window = cosine_window((cells, cells), centred)
    assert window[middle, middle] == 1
    assert np.unravel_index(window.argmax(), window.shape) == (middle, middle)
    assert window.min() >= 0
