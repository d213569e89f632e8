"""Boxes from a folder of YOLO text files: a line a box, ``class cx cy w h [confidence]``, relative to the picture."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import numpy as np

from pipeline.detect.formats.boxes import NO_BOXES, PictureBoxes, checked
from pipeline.errors import DataError
from pipeline.files.plain import read_plain

RELATIVE_LIMIT = 10.0
"""A centre or size beyond this many picture sizes is a pixel value, not a careless relative one."""
MAX_BYTES = 1_000_000
"""Largest file accepted: 20,000 boxes of one picture."""


class YoloFolder:
    """A folder of text files, one a picture, at any depth."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def names(self) -> Collection[str]:
        """The files' paths below the folder, as they are now.

        Raises:
            DataError: there are none, or a symbolic link leads out of the folder.
        """
        files = sorted(path for path in self.folder.rglob("*.txt") if path.name != "classes.txt")
        if not files:
            raise DataError(f"{self.folder}: no .txt files below it: pass the folder of YOLO labels")
        inside = os.path.realpath(self.folder)
        for path in files:
            # Not Path.resolve, which fails on a link to itself: reading that file, if ever it is wanted, names it.
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside):
                raise DataError(f"{path}: symbolic link leads out of {self.folder}: copy or hard-link the file")
        return [path.relative_to(self.folder).as_posix() for path in files]

    def read(self, name: str) -> PictureBoxes:
        """One file's boxes; a line without a confidence scores 1.

        Raises:
            DataError: unreadable, too large, or a line is not 5 or 6 numbers; the message names file and line.
        """
        path = self.folder / name
        try:
            lines = read_plain(path, MAX_BYTES).decode("utf-8").splitlines()
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}: restore or remove it") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: not a UTF-8 text file") from error
        rows = [_numbers(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
        if not rows:
            return NO_BOXES
        kind, x, y, w, h, score = np.array(rows).T
        return checked(str(path), np.stack([x - w / 2, y - h / 2, w, h], axis=1), score, kind, (1, 1))


def _numbers(line: str, where: str) -> list[float]:
    """Class, cx, cy, w, h, confidence of one line."""
    try:
        values = [float(word) for word in line.split()]
    except ValueError as error:
        raise DataError(f"{where}: not a number: {error}") from error
    if len(values) not in (5, 6):
        raise DataError(f"{where}: {len(values)} numbers, expected class cx cy w h and perhaps a confidence")
    if not np.isfinite(values).all() or max(abs(value) for value in values[1:5]) > RELATIVE_LIMIT:
        raise DataError(f"{where}: cx cy w h must be relative to the picture, 0 to 1, not pixels")
    return [*values, 1.0][:6]
