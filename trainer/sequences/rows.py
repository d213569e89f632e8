"""Rows of numbers in a text file, as annotation and result files hold them."""

from __future__ import annotations

import codecs
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DataError
from pipeline.files.plain import read_plain

MAX_BYTES = 16_000_000
"""Largest file accepted; the boxes of 100,000 frames take a third of it."""

MAX_ROW = 10_000
"""Longest row accepted, in characters; a real one is under two hundred."""

Boxes = NDArray[np.float64]
"""(n, 4): x, y, w, h in pixels."""

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SEPARATORS = str.maketrans(",;\t", "   ")


def read_rows(path: Path, columns: int) -> NDArray[np.float64]:
    """Read a table of numbers separated by commas, semicolons, tabs or spaces; empty lines are passed over.

    Boxes of frames, where an empty line is a frame, are read by :mod:`trainer.sequences.box_file`.

    Returns:
        (n, columns), n > 0; ``NaN`` and ``inf`` are numbers.

    Raises:
        DataError: unreadable, too large, not text, or a row that does not fit; the message names file and row.
    """
    return parse_rows(path, read_lines(path), columns)


def read_lines(path: Path) -> list[str]:
    """The lines of a table.

    Raises:
        DataError: as :func:`read_text`.
    """
    # What was written in text mode and copied in text mode once more has a second carriage return in each line.
    return read_text(path).replace("\r\r\n", "\n").splitlines()


def cells_of(line: str) -> list[str]:
    """What stands between the separators of a line."""
    return line.translate(_SEPARATORS).split()


def parse_rows(path: Path, lines: list[str], columns: int) -> NDArray[np.float64]:
    """The numbers (n, columns), n > 0, of lines that are not empty.

    Raises:
        DataError: as :func:`read_rows`.
    """
    if not any(map(cells_of, lines)):
        raise DataError(f"{path}: file is empty: write one row of {columns} numbers a frame")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_ROW:
            raise DataError(f"{path}:{number}: row is longer than {MAX_ROW} characters: write one row a frame")
    try:
        rows = np.loadtxt([line.translate(_SEPARATORS) for line in lines], ndmin=2, comments=None)
    except ValueError as error:
        raise DataError(_fault(path, lines, columns) or f"{path}: {error}") from error
    if rows.shape[1] != columns:
        raise DataError(_fault(path, lines, columns))
    return rows


def read_text(path: Path) -> str:
    """Read a UTF-8 file of bounded size, or a UTF-16 one that says so by its first bytes, as PowerShell writes them.

    Raises:
        DataError: unreadable, larger than :data:`MAX_BYTES`, or not such text.
    """
    try:
        data = read_plain(path, MAX_BYTES)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}: check the path") from error
    try:
        return data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.start} is not {error.encoding.upper()} text: not the file that belongs there"
        ) from error


def _fault(path: Path, lines: list[str], columns: int) -> str:
    """What is wrong with the first row that is not ``columns`` numbers; empty if none is."""
    for number, line in enumerate(lines, 1):
        cells = cells_of(line)
        for cell in cells:
            try:
                float(cell)
            except ValueError:
                return f"{path}:{number}: {cell[:40]!r} is not a number: mend that row"
        if cells and len(cells) != columns:
            return f"{path}:{number}: row has {len(cells)} numbers, expected {columns}: mend that row"
    return ""


def valid(truth: Boxes) -> NDArray[np.bool_]:
    """Frames whose ground truth counts: all of x, y, w, h above 0, so not a box that touches the left or top edge."""
    return np.asarray((truth > 0).all(axis=1))
