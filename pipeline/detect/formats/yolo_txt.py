"""A YOLO text file: a line a box, ``class cx cy w h [score [track id]]``, relative to the picture.

Outlines (``class x y x y x y ...``, oriented boxes and polygons) are understood too; their bounding box is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from pipeline.detect.formats.boxes import NO_BOXES, Columns, LastColumn, Note, PictureBoxes, checked
from pipeline.errors import DataError, UsageError

RELATIVE_LIMIT = 10.0
"""A centre or size beyond this many picture sizes is a pixel value, not a careless relative one."""
OUTLINE_LIMIT = 1.5
"""The same for a corner of an outline, which lies in the picture or just beside it."""
_WHOLE = re.compile(r"\d+", re.ASCII)
BOX, SCORED, TRACKED = 5, 6, 7
"""Words of a line that holds a box, a box and its score, and a track id as well."""

Lines = list[tuple[str, list[str]]]
"""Where a line is, and its words."""


def words_of(path: object, text: str) -> Lines:
    """The lines of a file that are not blank."""
    return [(f"{path}:{number}", line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def parse(path: object, text: str, columns: Columns) -> PictureBoxes:
    """One file's boxes; a line without a score scores 1.

    Raises:
        DataError: a line is none of these; the message names file and line.
    """
    rows = [_box(where, words, columns) for where, words in words_of(path, text)]
    if not rows:
        return NO_BOXES
    kinds, boxes, scores, outlines, ids = zip(*rows, strict=True)
    notes: dict[Note, int] = {"outlines": sum(outlines)} if any(outlines) else {}
    return checked(str(path), boxes, scores, kinds, (1, 1), notes, ids)


def columns_of(folder: object, files: Iterable[Lines], told: LastColumn | None) -> tuple[Columns, str]:
    """What the columns behind the box mean, from all files of a folder.

    Returns:
        The columns, and what there is to tell of them.

    Raises:
        DataError: whole numbers could be scores or track ids; or there are key points.
        UsageError: ``told`` is of a column that is not there.
    """
    lines = [line for file in files for line in file]
    tail = _ends_with_track_ids([words for _, words in lines if len(words) >= TRACKED and len(words) % 2])
    if tail and told:
        raise UsageError(f"--last-column {told}: the lines of {folder} hold both a score and a track id: leave it out")
    _refuse_key_points(lines)
    last = [(where, words[-1]) for where, words in lines if len(words) >= SCORED and len(words) % 2 == 0]
    values = {_number(where, word) for where, word in last}
    if told and not values:
        raise UsageError(f"--last-column {told}: no line of {folder} has a number behind its box: leave it out")
    if told or not values or any(value % 1 for value in values):
        return Columns(last=told or "score", tail=tail), ""
    if values == {1.0}:
        return Columns(tail=tail), "the number behind every box is 1 and taken as its score"
    for where, words in lines:
        # Of another format, first of all.
        _box(where, words, Columns())
    where = next(where for where, word in last if float(word) != 1)
    shown = ", ".join(f"{value:g}" for value in sorted(values)[:4])
    raise DataError(
        f"{where}: the numbers behind the boxes of all files are whole ({shown}): say --last-column track-id, or score "
        "if they are scores of 0 and 1"
    )


def _ends_with_track_ids(lines: list[list[str]]) -> bool:
    """Whether lines of odd length end with a track id behind the score, and not with the corner of an outline."""
    return all(_WHOLE.fullmatch(words[-1]) for words in lines) and any("." in words[-2] for words in lines)


def _refuse_key_points(lines: Lines) -> None:
    """Refuse boxes that key points follow, as x, y and 0, 1 or 2: they would pass for outlines.

    Raises:
        DataError: every long line is one.
    """
    long = [(where, words) for where, words in lines if len(words) > TRACKED]
    if long and all((len(words) - BOX) % 3 == 0 and {*words[BOX + 2 :: 3]} <= _SEEN for _, words in long):
        raise DataError(
            f"{long[0][0]}: key points follow the box: keep the first {BOX} numbers of each line, class cx cy w h"
        )


_SEEN = {f"{number}{zeros}" for number in (0, 1, 2) for zeros in ("", ".0", ".000000")}
"""How visible a key point is, as it is written."""


def _number(where: str, word: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise DataError(f"{where}: not a number: {error}") from error


def _box(where: str, words: list[str], columns: Columns) -> tuple[float, tuple[float, ...], float, bool, float | None]:
    """Class, x y w h, score of one line, whether it is an outline, and its track id."""
    kind, *values = [_number(where, word) for word in words]
    tracked = columns.tail and len(words) >= TRACKED and len(words) % 2
    whose = values.pop() if tracked else None
    scored = len(values) % 2 == 1
    if len(values) < 4:
        raise DataError(f"{where}: {len(words)} numbers, expected class cx cy w h and perhaps a score, or an outline")
    score = values.pop() if scored else 1.0
    outline = len(values) > 4
    if not np.isfinite(values).all() or max(map(abs, values)) > (OUTLINE_LIMIT if outline else RELATIVE_LIMIT):
        raise DataError(f"{where}: cx cy w h must be relative to the picture, 0 to 1, not pixels")
    if columns.last == "track-id":
        score, whose = 1.0, score if scored else None
    if outline:
        x, y = values[::2], values[1::2]
        return kind, (min(x), min(y), max(x) - min(x), max(y) - min(y)), score, True, whose
    cx, cy, w, h = values
    return kind, (cx - w / 2, cy - h / 2, w, h), score, False, whose
