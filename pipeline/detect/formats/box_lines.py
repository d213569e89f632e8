"""Boxes in JSON Lines, our own format: a line a pair."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.detect.formats.boxes import NO_BOXES, Columns, LastColumn, PictureBoxes, checked, no_columns
from pipeline.errors import DataError
from pipeline.records import Row, read_rows


class BoxesRow(Row):
    """One line; a missing score is 1, a missing class -1.

    Attributes:
        pair_id: the pair, as in ``aligned.jsonl``.
        boxes: x, y, w, h in RGB pixels, pixel edges.
        scores: one a box, 0 to 1.
        classes: one a box, kept as they are.
        id: one a box: of the object, the same in all pictures of its sequence; null or -1 where nobody knows.
    """

    pair_id: str
    boxes: tuple[tuple[float, float, float, float], ...]
    scores: tuple[Annotated[float, Field(ge=0, le=1)], ...] | None = None
    classes: tuple[Annotated[int, Field(ge=-1, le=32767)], ...] | None = None
    id: tuple[int | str | None, ...] | None = None

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        for name, values in (("scores", self.scores), ("classes", self.classes), ("id", self.id)):
            if values is not None and len(values) != len(self.boxes):
                raise ValueError(f"{len(self.boxes)} boxes but {len(values)} {name}")
        return self


class BoxLines:
    """A file of such lines; its class numbers are those of shards."""

    numbered: Literal["index", "unknown"] = "index"

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            DataError: it cannot be read, a line does not fit, or two are of one pair.
        """
        self.path = path
        self._rows: dict[str, BoxesRow] = {}
        for row in read_rows(path, BoxesRow):
            if row.pair_id in self._rows:
                raise DataError(f"{path}: two rows for pair {row.pair_id}: keep one")
            self._rows[row.pair_id] = row

    @property
    def names(self) -> Collection[str]:
        """The pairs, in the file's order."""
        return self._rows.keys()

    def categories(self) -> Mapping[int, str]:
        """No names: the numbers are COCO's."""
        return {}

    def columns(self, names: Iterable[str], told: LastColumn | None) -> Columns:
        """There are none.

        Raises:
            UsageError: ``told`` says something of them.
        """
        return no_columns(told, str(self.path))

    def read(self, name: str, columns: Columns) -> PictureBoxes:
        """One pair's boxes; none where there is no line of it."""
        row = self._rows.get(name)
        if row is None:
            return NO_BOXES
        scores = row.scores if row.scores is not None else (1.0,) * len(row.boxes)
        classes = row.classes if row.classes is not None else (-1,) * len(row.boxes)
        return checked(f"{self.path}: {name}", row.boxes, scores, classes, ids=row.id or ())
