"""The classes of shards as other programs number them: as COCO does, with those that it does not have behind."""

from __future__ import annotations

from pipeline.detect.classes import COCO_CLASS, COCO_NAMES, class_name, class_number, plain_name
from pipeline.errors import UsageError
from pipeline.shards.index import ShardIndex

_PUBLISHED = {number: category for category, number in COCO_CLASS.items()}
_BEHIND = max(COCO_CLASS) - len(COCO_NAMES) + 1


def coco_id(number: int) -> int:
    """The category id of a class of shards: COCO's published 1 to 90, and from 91 on what it does not have."""
    return _PUBLISHED.get(number, number + _BEHIND)


class Categories:
    """What the classes of a folder of shards are called, and what becomes of boxes without one.

    Attributes:
        unclassed: the class that they get; None leaves them out.
    """

    def __init__(self, index: ShardIndex, unclassed: str | None) -> None:
        self._names = dict(index.class_names)
        self.unclassed = None if unclassed is None else self._number(plain_name(unclassed), index)
        if self.unclassed is not None:
            self._names.setdefault(self.unclassed, plain_name(unclassed or ""))

    def _number(self, name: str, index: ShardIndex) -> int:
        known = {own: number for number, own in self._names.items()}
        found = class_number(name)
        if found is None:
            found = known.get(name)
        return max([len(COCO_NAMES) - 1, *known.values(), *_counts(index)]) + 1 if found is None else found

    def name(self, number: int) -> str:
        """The name of a class."""
        return class_name(number, self._names)


def refuse_classless(where: object, index: ShardIndex) -> None:
    """Refuse an export that would hold no box, as none has a class.

    Raises:
        UsageError: none has.
    """
    counts = _counts(index)
    if counts and max(counts) < 0:
        total = sum(counts.values())
        raise UsageError(f"{where}: none of its {total} boxes has a class: name one for them with --unclassed NAME")


def _counts(index: ShardIndex) -> dict[int, int]:
    """Class -> boxes, as the index has them."""
    return {int(number): int(count) for number, count in index.totals.get("classes", {}).items()}
