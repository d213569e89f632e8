"""Pictures for people: where lines, labels and seams fall."""

from __future__ import annotations

import numpy as np

from pipeline.labels import centred_label
from pipeline.pages import drawing

from ...conftest import SIZE, draw_pair

RGB, TIR = draw_pair(5)


def test_the_checkerboard_shows_each_modality_on_half_the_squares() -> None:
    board = drawing.checkerboard(RGB, TIR)
    side = SIZE[0] // 8
    assert np.array_equal(board[:side, :side], RGB[:side, :side])
    assert np.array_equal(board[:side, side : 2 * side], drawing.thermal(TIR)[:side, side : 2 * side])
    assert np.array_equal(board[side : 2 * side, side : 2 * side], RGB[side : 2 * side, side : 2 * side])


def test_edges_of_both_meet_in_white_and_alone_have_their_own_colour() -> None:
    left, right = np.zeros((60, 80), np.uint8), np.zeros((60, 80), np.uint8)
    left[:, 40:], right[:, 20:] = 200, 200
    colour = drawing.edges(np.dstack([left] * 3), right)
    cyan, orange = colour[30, 39].astype(int), colour[30, 19].astype(int)
    assert cyan[2] > 150 > 60 > cyan[0]
    assert orange[0] > 150 > 60 > orange[2]
    assert drawing.edges(np.dstack([left] * 3), left)[30, 39].min() > 150


def test_an_outline_runs_along_pixel_edges_and_leaves_the_picture_it_was_given() -> None:
    before = RGB.copy()
    drawn = drawing.outline(np.zeros_like(RGB), [[20, 30], [100, 30], [100, 90], [20, 90]], (0, 255, 0))
    assert np.array_equal(RGB, before)
    rows, columns = np.nonzero(drawn[..., 1] > 100)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (29, 90, 19, 100)
    assert drawn[60, 60].sum() == 0


def test_the_label_glows_at_the_centre_of_its_box_and_fades_over_the_window() -> None:
    black = np.zeros((128, 160, 3), np.uint8)
    glow = drawing.label_heat(black, (60, 40, 20, 20), centred_label(1)[0], 5)[..., 0].astype(float)
    rows, columns = np.mgrid[:128, :160] + 0.5
    assert np.isclose((glow * columns).sum() / glow.sum(), 70, atol=0.1)
    assert np.isclose((glow * rows).sum() / glow.sum(), 50, atol=0.1)
    spread = np.sqrt((glow * (columns - 70) ** 2).sum() / glow.sum())
    assert np.isclose(spread, 0.9 * 100 / 18, rtol=0.15), "0.9 cells of a window of 5 box sides"


def test_thermal_pictures_are_stretched_and_large_ones_scaled_down() -> None:
    dim = (np.arange(160, dtype=np.uint8)[None, :].repeat(128, 0) // 20) + 100
    shown = drawing.thermal(dim)
    assert shown[0, -1].sum() - int(shown[0, 0].sum()) > 300
    assert drawing.thermal(np.full((5, 5), 9, np.uint8)).shape == (5, 5, 3)
    assert drawing.fit_width(RGB, 80).shape == (64, 80, 3)
    assert drawing.fit_width(RGB, 400) is RGB
