"""What every format of box files becomes: the boxes of one picture, checked and not yet placed in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import Boxes
from pipeline.errors import DataError


@dataclass(frozen=True, eq=False)
class PictureBoxes:
    """Boxes of one picture as a file has them, those without width or height left out.

    Attributes:
        boxes: (n, 4) x, y, w, h, pixel edges, in units of ``size``.
        scores: (n,) 0 to 1.
        classes: (n,) class numbers, -1 for none.
        size: (width, height) of the picture they were drawn in; (1, 1) where they are relative to it, None where the
            file does not say, so that they are pixels of the pair's RGB picture.
        unusable: boxes that were left out.
    """

    boxes: Boxes
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]
    size: tuple[float, float] | None = None
    unusable: int = 0


class BoxFiles(Protocol):
    """A file or folder of boxes."""

    @property
    def names(self) -> Collection[str]:
        """The pictures that it has an entry for, as it calls them."""
        ...

    def read(self, name: str) -> PictureBoxes:
        """The boxes of one of the pictures.

        Raises:
            DataError: they cannot be read; the message names file and line or entry.
        """
        ...


def checked(
    where: str,
    boxes: Boxes,
    scores: Sequence[float],
    classes: Sequence[float],
    size: tuple[float, float] | None = None,
) -> PictureBoxes:
    """Check one picture's boxes.

    Args:
        where: file and line, for the message.
        boxes: (n, 4) x, y, w, h.
        scores: n values.
        classes: n values.
        size: as in :class:`PictureBoxes`.

    Raises:
        DataError: a value is not finite, a score is not in 0 to 1, or a class is not an integer from -1 to 32767.
    """
    score, kind = np.asarray(scores, np.float64), np.asarray(classes, np.float64)
    if not np.isfinite(boxes).all():
        raise DataError(f"{where}: a box has NaN or infinity in it: mend the file")
    if not ((score >= 0) & (score <= 1)).all():
        raise DataError(f"{where}: a score is not between 0 and 1: mend the file")
    if not ((kind == np.rint(kind)) & (kind >= -1) & (kind <= np.iinfo(np.int16).max)).all():
        raise DataError(f"{where}: a class is not an integer from -1 to 32767: mend the file")
    usable = (boxes[:, 2:] > 0).all(axis=1)
    return PictureBoxes(boxes[usable], score[usable], kind[usable].astype(np.int64), size, int((~usable).sum()))


NO_BOXES = checked("", np.empty((0, 4)), (), ())
"""Of a picture in which nothing was drawn."""
