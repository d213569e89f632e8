"""A text file of boxes, one row a frame: blank rows and polygons are understood, and told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.errors import DataError, some
from trainer.sequences.rows import Boxes, cells_of, parse_rows, read_lines

_SIDES, _CORNERS = 4, 8
_MARK = re.compile(r"[012](\.0+)?")
"""Of VOT: no box was asked for, the tracker was started, it has failed."""
_SEPARATOR = re.compile(r"[,;\s]+")
_DOUBLE_SPACED = 3
"""Blank rows, one after every other row, from which on they are taken for spacing and not for frames."""


@dataclass(frozen=True, eq=False)
class BoxFile:
    """What a file holds.

    Attributes:
        boxes: (T, 4), x, y, w, h in pixels.
        blank: how many of its rows are blank: frames without a target, NaN in ``boxes``.
        polygons: whether it holds polygons, whose bounding boxes ``boxes`` are.
    """

    boxes: Boxes
    blank: int = 0
    polygons: bool = False


def read_boxes(path: Path) -> BoxFile:
    """Read x, y, w, h of each frame, or x1, y1, ..., x4, y4 of a polygon's corners (VOT, OTB's oriented boxes).

    A row without numbers before the last box is a frame without a target, as annotation tools leave it; after it, it is
    nothing.

    Raises:
        DataError: unreadable, not such rows, or every second row is blank; the message names file and row.
    """
    return _parsed(path, read_lines(path))


def read_tracked(path: Path) -> BoxFile:
    """Read a tracker's boxes as :func:`read_boxes`; VOT's mark of the start, 1 in place of the first box, is NaN.

    Raises:
        DataError: as there, or the tracker was started again after failures, as in VOT's supervised experiment.
    """
    lines = read_lines(path)
    marks = [number for number, line in enumerate(lines, 1) if _MARK.fullmatch(line.strip())]
    if not marks or marks[0] > 1:
        return _parsed(path, lines)
    if len(marks) > 1:
        told = f"{lines[marks[1] - 1].strip()} in place of a box: the tracker failed or was started again"
        raise DataError(f"{path}:{marks[1]}: {told}: run it once through, as VOT's unsupervised experiment does")
    if not any(map(cells_of, lines[1:])):
        return BoxFile(np.full((1, _SIDES), np.nan))
    rest = _parsed(path, ["", *lines[1:]])
    return replace(rest, blank=rest.blank - 1)


def _parsed(path: Path, lines: list[str]) -> BoxFile:
    cells = [cells_of(line) for line in lines]
    filled = np.array([bool(row) for row in cells], dtype=bool)
    columns = len(next(filter(None, cells), []))
    rows = parse_rows(path, lines, _CORNERS if columns == _CORNERS else _SIDES)
    if columns == _CORNERS:
        _refuse_decimal_commas(path, lines)
    filled = filled[: int(np.flatnonzero(filled)[-1]) + 1]
    blank = int((~filled).sum())
    if blank >= _DOUBLE_SPACED and not filled[1::2].any() and filled[::2].all():
        raise DataError(f"{path}:2: every second row is blank: remove these, or write NaN,NaN,NaN,NaN into them")
    boxes = np.full((len(filled), _SIDES), np.nan)
    boxes[filled] = _bounding_boxes(rows) if columns == _CORNERS else rows
    return BoxFile(boxes, blank, columns == _CORNERS)


def oddities(files: Mapping[str, BoxFile], whose: str) -> list[str]:
    """What a reader must know of files that were read, by sequence: one line a kind."""
    blank = {name: file.blank for name, file in files.items() if file.blank}
    polygons = [name for name, file in files.items() if file.polygons]
    lines: list[str] = []
    if blank:
        counts = some([f"{name} {count}" for name, count in blank.items()])
        rows = f"{sum(blank.values())} blank rows taken as frames without a target"
        lines.append(f"{whose}: {rows}, in {len(blank)} sequences ({counts})")
    if polygons:
        lines.append(
            f"{whose}: polygons taken as their bounding boxes, in {len(polygons)} sequences ({some(polygons)})"
        )
    return lines


def _refuse_decimal_commas(path: Path, lines: list[str]) -> None:
    """``1,5;2,0;3,5;4,0`` is a box, not a polygon: its commas are not what separates the numbers."""
    for number, line in enumerate(lines, 1):
        if len({mark.strip(" ") for mark in _SEPARATOR.findall(line.strip())}) > 1:
            raise DataError(
                f"{path}:{number}: {_CORNERS} numbers apart by signs of two kinds: write decimal points, one separator"
            )


def _bounding_boxes(corners: Boxes) -> Boxes:
    """The bounding boxes (n, 4) of polygons (n, 8)."""
    points = corners.reshape(-1, _CORNERS // 2, 2)
    low, high = points.min(axis=1), points.max(axis=1)
    with np.errstate(invalid="ignore"):
        return np.concatenate([low, high - low], axis=1)
