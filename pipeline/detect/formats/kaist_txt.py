"""KAIST's text annotations, ``% bbGt version=3`` of Dollár's toolbox: a line a box, ``name x y w h ...``, pixels."""

from __future__ import annotations

from pipeline.detect.formats.boxes import PictureBoxes, checked
from pipeline.errors import DataError

MARK = "% bbGt version="
IGNORE = 10
"""The column of the flag for a region that is to be ignored; version 3 has it, with or without the angle behind it."""


def parse(path: object, text: str) -> PictureBoxes:
    """One file's boxes, those left out that are to be ignored.

    Raises:
        DataError: another version, or a line that is no box; the message names file and line.
    """
    head, *lines = text.splitlines()
    if head.strip() != f"{MARK}3":
        raise DataError(f"{path}:1: {head.strip()}: only version 3 is read: save it as that with bbGt.m")
    boxes: list[list[float]] = []
    names: list[str] = []
    ignored = 0
    for number, line in enumerate(lines, 2):
        words = line.split()
        if not words:
            continue
        if len(words) <= IGNORE:
            raise DataError(f"{path}:{number}: {len(words)} words, expected name x y w h and the flags of version 3")
        try:
            box = [float(word) for word in words[1:5]]
        except ValueError as error:
            raise DataError(f"{path}:{number}: not a number: {error}") from error
        if words[IGNORE] not in ("0", "1"):
            raise DataError(f"{path}:{number}: the flag to ignore a box is {words[IGNORE]}, expected 0 or 1")
        if words[IGNORE] == "1":
            ignored += 1
        else:
            boxes.append(box)
            names.append(words[0])
    return checked(str(path), boxes, [1.0] * len(boxes), names, notes={"ignored": ignored} if ignored else {})
