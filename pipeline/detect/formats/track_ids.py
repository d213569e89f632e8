"""Whose a box is, as files say it, and the number that shards have for it.

An object is told by its sequence and its id. Whole numbers stay; any other name becomes a hash of itself, so that no
worker, no shard and no order of reading has a say in it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from pipeline.errors import DataError

TrackId = int | str
MOST = int(np.iinfo(np.int32).max)
UNKNOWN = (None, "", -1)
_WHOLE = re.compile(r"-1|0|[1-9]\d{0,9}", re.ASCII)
"""A number written as text, of as many digits as :data:`MOST` has."""


def track_ids(where: str, values: Sequence[object]) -> tuple[TrackId | None, ...]:
    """The ids of one picture's boxes, as far as each is the only box of its object.

    Args:
        where: file and line, for the message.
        values: n whole numbers or names; -1, an empty name or None where nobody knows.

    Raises:
        DataError: a value is neither.
    """
    return tuple(None if value in UNKNOWN else value for value in (_track_id(where, value) for value in values))


def shared(ids: Sequence[TrackId | None]) -> set[TrackId]:
    """The ids that stand at several boxes of one picture: nobody can tell which of them is the object."""
    return {name for name, count in Counter(ids).items() if name is not None and count > 1}


def _track_id(where: str, value: object) -> TrackId | None:
    if isinstance(value, str):
        name = value.strip()
        return int(name) if _WHOLE.fullmatch(name) else name
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise DataError(f"{where}: track id {value!r:.40} is neither a whole number nor a name: mend it")


def track_number(name: TrackId | None) -> int:
    """The int32 that a shard has for an id: itself where that fits, else 31 bits of its text's hash; -1 for none."""
    if name is None:
        return -1
    if isinstance(name, int) and 0 <= name <= MOST:
        return name
    return int.from_bytes(hashlib.sha256(str(name).encode(errors="surrogatepass")).digest()[:4], "little") & MOST


class Objects:
    """The objects of a run, gathered picture by picture.

    Attributes:
        boxes: that belong to one.
    """

    def __init__(self) -> None:
        self.boxes = 0
        self._names: dict[tuple[str, int], str] = {}

    def __len__(self) -> int:
        return len(self._names)

    def add(self, where: object, pair_id: str, ids: Sequence[TrackId | None]) -> None:
        """Take in the ids of the boxes of a pair.

        Raises:
            DataError: two names in one sequence have one number.
        """
        sequence = pair_id.rpartition("/")[0]
        for name in ids:
            if name is None:
                continue
            self.boxes += 1
            other = self._names.setdefault((sequence, track_number(name)), str(name))
            if other != str(name):
                raise DataError(
                    f"{where}: sequence {sequence}: the track ids {other} and {name} have one number: rename one"
                )
