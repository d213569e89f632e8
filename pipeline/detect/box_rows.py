"""What the readers of box files share: one picture's row, and finding a pair's row by the names people give files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Generic, TypeVar

import numpy as np

from pipeline.boxes import Boxes
from pipeline.detect.base import Detections
from pipeline.errors import DataError

T = TypeVar("T")

_MODALITY = frozenset({"visible", "vis", "vi", "rgb", "color"})
_AFFIX = re.compile(r"_(visible|vis|rgb)$", re.IGNORECASE)


def file_row(where: str, boxes: Boxes, scores: Iterable[float], classes: Iterable[float]) -> Detections:
    """Check one picture's boxes from a file; those without width or height hold nothing and are dropped.

    Args:
        where: file and line, for the message.
        boxes: (n, 4) x, y, w, h, in pixels or relative.
        scores: n values.
        classes: n values.

    Raises:
        DataError: a value is not finite, a score is not in 0 to 1, or a class is not an integer from -1 to 32767.
    """
    score, kind = np.asarray(list(scores), np.float64), np.asarray(list(classes), np.float64)
    if not np.isfinite(boxes).all():
        raise DataError(f"{where}: a box has NaN or infinity in it: mend the file")
    if not ((score >= 0) & (score <= 1)).all():
        raise DataError(f"{where}: a score is not between 0 and 1: mend the file")
    if not ((kind == np.rint(kind)) & (kind >= -1) & (kind <= np.iinfo(np.int16).max)).all():
        raise DataError(f"{where}: a class is not an integer from -1 to 32767: mend the file")
    row = Detections(boxes, score.astype(np.float32), kind.astype(np.int16))
    return row.take(np.flatnonzero((boxes[:, 2:] > 0).all(axis=1)))


class PairIndex(Generic[T]):
    """Finds what belongs to a pair among files named in one of the usual ways.

    ``set00/V000/I00000.jpg``, the same with a folder for the modality or with folders in front, and the flat
    ``set00_V000_I00000.jpg`` all belong to the pair ``set00/V000/I00000``; so does ``I00000.jpg``, if to no other pair.
    """

    def __init__(self, source: str, items: Iterable[tuple[str, T]]) -> None:
        """Index items by their path or name.

        Args:
            source: what holds them, for messages.
            items: (path, item).

        Raises:
            DataError: one name is there twice.
        """
        self.source = source
        self._whole: dict[str, T] = {}
        self._tails: dict[str, list[T]] = {}
        self._claims: dict[str, str] = {}
        for path, item in items:
            parts = _parts(path)
            whole = "_".join(parts)
            if whole in self._whole:
                raise DataError(f"{source}: two entries for {path}: keep one")
            self._whole[whole] = item
            for start in range(1, len(parts)):
                self._tails.setdefault("_".join(parts[start:]), []).append(item)

    def find(self, pair_id: str) -> T | None:
        """The item whose path is the pair's, ends with it, or is its end; None if there is none.

        Raises:
            DataError: several paths end with it, or a path is the end of another pair asked for, too.
        """
        parts = pair_id.split("/")
        key = "_".join(parts)
        if key in self._whole:
            return self._whole[key]
        items = self._tails.get(key, [])
        if len(items) > 1:
            raise DataError(f"{self.source}: {len(items)} entries could be pair {pair_id}: keep whole paths in it")
        if items:
            return items[0]
        for start in range(1, len(parts)):
            tail = "_".join(parts[start:])
            if tail in self._whole:
                if (other := self._claims.setdefault(tail, pair_id)) != pair_id:
                    raise DataError(f"{self.source}: entry {tail} could be pair {other} or {pair_id}: use whole paths")
                return self._whole[tail]
        return None


def _parts(path: str) -> list[str]:
    """Parts of a path without the modality's folder or affix and without a picture's suffix."""
    *folders, name = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    stem = _AFFIX.sub("", re.sub(r"\.(jpe?g|png|tiff?|bmp|txt)$", "", name, flags=re.IGNORECASE))
    return [*(folder for folder in folders if folder.lower() not in _MODALITY), stem]
