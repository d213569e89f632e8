"""Pictures for people: where lines, labels and seams fall."""

from __future__ import annotations

import cv2
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


def test_an_edged_line_is_seen_on_black_and_on_white() -> None:
    for ground in (0, 255):
        canvas = np.full((80, 80, 3), ground, np.uint8)
        row = drawing.outline(canvas, [[20, 20], [60, 20], [60, 60], [20, 60]], (0, 255, 0), edged=True)[40]
        dark, green = row.max(axis=1) < 60, (row[:, 1] > 200) & (row[:, 0] < 60)
        (line,) = np.nonzero(green[:40])
        assert 3 <= len(line) <= 6
        assert abs(line.mean() - 19.5) <= 1
        assert dark[line.min() - 2]
        assert dark[line.max() + 2]


def test_the_label_is_drawn_cell_by_cell_and_rises_in_grey() -> None:
    label = centred_label(1)[0]
    drawn = drawing.label_map(label, 180)
    grey = cv2.cvtColor(drawn, cv2.COLOR_RGB2GRAY).astype(int)
    cells = np.round((np.arange(180) + 0.5) / 10).astype(int)
    assert drawn.shape == (180, 180, 3)
    assert len(np.unique(drawn[cells == 9][:, cells == 9].reshape(-1, 3), axis=0)) == 1, "a cell has one colour"
    assert grey[90, 90] == grey.max()
    along = grey[90, [90, 100, 110]]
    assert (np.diff(along) < -10).all()
    tilted = drawing.label_map(np.linspace(0, 1, 19 * 19, dtype=np.float32).reshape(19, 19), 38)
    assert (np.diff(cv2.cvtColor(tilted, cv2.COLOR_RGB2GRAY)[:, 20].astype(int)) >= 0).all()


def test_thermal_pictures_are_stretched_and_large_ones_scaled_down() -> None:
    dim = (np.arange(160, dtype=np.uint8)[None, :].repeat(128, 0) // 20) + 100
    shown = drawing.thermal(dim)
    assert shown[0, -1].sum() - int(shown[0, 0].sum()) > 300
    assert drawing.thermal(np.full((5, 5), 9, np.uint8)).shape == (5, 5, 3)
    assert drawing.fit_width(RGB, 80).shape == (64, 80, 3)
    assert drawing.fit_width(RGB, 400) is RGB


def test_what_lies_at_the_corners_of_a_quadrangle_is_cut_out_inwards() -> None:
    rows, columns = np.mgrid[:100, :120]
    picture = np.dstack([columns, rows, np.zeros_like(rows)]).astype(np.uint8)
    drawn = drawing.at_corners(picture, [[10, 5], [130, -7], [110, 95], [-20, 90]], 20)
    assert drawn.shape == (42, 42, 3)
    assert (drawn[20:22] == 255).all()
    assert (drawn[:, 20:22] == 255).all()
    starts = {(0, 0): (10, 5), (22, 0): (100, 0), (22, 22): (90, 75), (0, 22): (0, 70)}
    for (right, below), (left, top) in starts.items():
        assert np.array_equal(drawn[below : below + 20, right : right + 20], picture[top : top + 20, left : left + 20])
    assert drawing.at_corners(picture, [[0, 0], [120, 0], [120, 100], [0, 100]], 80).shape == (102, 102, 3)
