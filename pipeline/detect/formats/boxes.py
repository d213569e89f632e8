"""What every format of box files becomes: the boxes of one picture, checked and not yet placed in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.boxes import Boxes, as_boxes
from pipeline.config import Settings
from pipeline.detect.formats.track_ids import TrackId, shared, track_ids
from pipeline.errors import DataError, UsageError

LastColumn = Literal["score", "track-id"]
"""What stands behind the box in a line of YOLO text."""
Note = Literal["unusable", "ignored", "outlines", "shared"]
"""Boxes without width or height; regions that their makers want ignored; outlines whose bounding box is taken; boxes
of one picture with one track id."""
MOST_CLASS = np.iinfo(np.int16).max


class Columns(Settings):
    """What the columns of text labels mean, which only all files together tell.

    Attributes:
        last: what stands behind a box.
        tail: whether a line that holds a score ends with a track id.
    """

    last: LastColumn = "score"
    tail: bool = False


@dataclass(frozen=True, eq=False)
class PictureBoxes:
    """Boxes of one picture as a file has them.

    Attributes:
        boxes: (n, 4) x, y, w, h, pixel edges, in units of ``size``.
        scores: (n,) 0 to 1.
        classes: n numbers or names of classes as in the file, -1 for none.
        size: (width, height) of the picture they were drawn in; (1, 1) where they are relative to it, None where the
            file does not say, so that they are pixels of the pair's RGB picture.
        notes: what was left out or made simpler -> boxes.
        ids: n track ids as in the file, None for a box that has none; empty where none has.
    """

    boxes: Boxes
    scores: NDArray[np.float64]
    classes: tuple[int | str, ...]
    size: tuple[float, float] | None = None
    notes: Mapping[Note, int] = field(default_factory=dict)
    ids: tuple[TrackId | None, ...] = ()


class BoxFiles(Protocol):
    """A file or folder of boxes.

    Attributes:
        numbered: how class numbers without a name are meant: 0 to 79 by definition of the format, or not known.
    """

    numbered: Literal["index", "unknown"]

    @property
    def names(self) -> Collection[str]:
        """The pictures that it has an entry for, as it calls them."""
        ...

    def categories(self) -> Mapping[int, str]:
        """The names of class numbers, where it says."""
        ...

    def columns(self, names: Iterable[str], told: LastColumn | None) -> Columns:
        """What the columns mean in the entries of some pictures, and what the user says.

        Raises:
            DataError: they do not tell, and the user does not either.
            UsageError: the user does, and there is no such column.
        """
        ...

    def read(self, name: str, columns: Columns) -> PictureBoxes:
        """The boxes of one of the pictures.

        Raises:
            DataError: they cannot be read; the message names file and line or entry.
        """
        ...


def checked(
    where: str,
    boxes: ArrayLike,
    scores: Sequence[float],
    classes: Sequence[float | str],
    size: tuple[float, float] | None = None,
    notes: Mapping[Note, int] | None = None,
    ids: Sequence[object] = (),
) -> PictureBoxes:
    """Check one picture's boxes and leave out those without width or height.

    Args:
        where: file and line, for the message.
        boxes: (n, 4) x, y, w, h.
        scores: n values.
        classes: n numbers or names.
        size: as in :class:`PictureBoxes`.
        notes: likewise.
        ids: n track ids, or nothing; one that stands at several boxes is taken from them, and that is noted.

    Raises:
        DataError: a value is not finite, a score is not in 0 to 1, a class is neither a name nor an integer from -1 to
            32767, or a track id is neither a name nor an integer.
    """
    try:
        box, score = as_boxes(boxes), np.asarray(scores, np.float64)
    except ValueError as error:
        raise DataError(f"{where}: a box has NaN or infinity in it, or not 4 numbers: mend the file") from error
    if not ((score >= 0) & (score <= 1)).all():
        raise DataError(f"{where}: a score is not between 0 and 1: mend the file")
    kinds = tuple(each if isinstance(each, str) else _whole(where, each) for each in classes)
    usable = np.flatnonzero((box[:, 2:] > 0).all(axis=1))
    kept: dict[Note, int] = dict(notes or {})
    if len(usable) < len(box):
        kept["unusable"] = len(box) - len(usable)
    every = track_ids(where, ids)
    if twice := shared(every):
        kept["shared"] = sum(name in twice for name in every)
    own = tuple(None if every[i] in twice else every[i] for i in usable) if any(n is not None for n in every) else ()
    return PictureBoxes(box[usable], score[usable], tuple(kinds[i] for i in usable), size, kept, own)


def _whole(where: str, number: float) -> int:
    if not (number == np.rint(number) and -1 <= number <= MOST_CLASS):
        raise DataError(f"{where}: a class is not an integer from -1 to {MOST_CLASS}: mend the file")
    return int(number)


NO_BOXES = checked("", (), (), ())
"""Of a picture in which nothing was drawn."""


def no_columns(told: LastColumn | None, what: str) -> Columns:
    """The columns of a format that has none.

    Raises:
        UsageError: the user says what they mean.
    """
    if told:
        raise UsageError(f"--last-column {told}: {what} has no column behind the box: leave it out")
    return Columns()
