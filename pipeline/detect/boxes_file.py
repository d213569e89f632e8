"""Pseudo boxes from files, such as a data set's labels or detections that others hand out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from pipeline.boxes import as_boxes
from pipeline.detect.base import Detections, DetectorSpec
from pipeline.detect.coco_json import read_coco
from pipeline.detect.yolo_txt import find_files, read_file
from pipeline.errors import DataError, UsageError
from pipeline.images import Rgb
from pipeline.records import Row, read_rows

Lookup = Callable[[str, int, int], Detections]
"""Pair id, width and height of its RGB picture in pixels -> its row, not clipped yet."""


class BoxesRow(Row):
    """One line of our JSON Lines format; a missing score is 1, a missing class -1.

    Attributes:
        pair_id: the pair, as in ``aligned.jsonl``.
        boxes: x, y, w, h in RGB pixels, pixel edges.
        scores: one a box, 0 to 1.
        classes: one a box, kept as they are.
    """

    pair_id: str
    boxes: tuple[tuple[float, float, float, float], ...]
    scores: tuple[Annotated[float, Field(ge=0, le=1)], ...] | None = None
    classes: tuple[Annotated[int, Field(ge=-1, le=32767)], ...] | None = None

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        for name, values in (("scores", self.scores), ("classes", self.classes)):
            if values is not None and len(values) != len(self.boxes):
                raise ValueError(f"{len(self.boxes)} boxes but {len(values)} {name}")
        return self


class BoxesDetector:
    """Looks a pair's boxes up; a pair that the files do not mention has none."""

    weights_sha256 = ""
    batch_size = 1

    def __init__(self, lookup: Lookup, confidence: float) -> None:
        """Wrap a reader.

        Args:
            lookup: finds a pair's row.
            confidence: boxes that score lower are dropped; those without a score stay.
        """
        self.lookup = lookup
        self.confidence = confidence

    def detect(self, images: Sequence[Rgb], pair_ids: Sequence[str]) -> list[Detections]:
        """Boxes of each pair, in order; of the pictures only the sizes are used."""
        return [self._detect(image, pair_id) for image, pair_id in zip(images, pair_ids, strict=True)]

    def _detect(self, image: Rgb, pair_id: str) -> Detections:
        height, width = image.shape[:2]
        row = self.lookup(pair_id, width, height)
        row = row.take(np.flatnonzero(row.scores >= self.confidence))
        return Detections.clipped(row.boxes, row.scores, row.classes, width, height)


def build(spec: DetectorSpec) -> BoxesDetector:
    """Build the detector from ``spec.detections``: a ``.jsonl`` file, a ``.json`` file (COCO), or a folder (YOLO).

    Raises:
        UsageError: nothing given, nothing there, or a file of another kind.
        DataError: a malformed file; the message names the file and the line or entry.
    """
    return BoxesDetector(_lookup(spec.detections), spec.confidence)


def _lookup(path: Path | None) -> Lookup:
    if path is None:
        raise UsageError(
            "--detector boxes needs --detections FILE|DIR: a .jsonl, a COCO .json or a folder of YOLO .txt"
        )
    if not path.exists():
        raise UsageError(f"no such file or folder: {path}: pass --detections FILE|DIR")
    if path.is_dir():
        files = find_files(path)
        return lambda pair_id, width, height: (
            read_file(file, width, height) if (file := files.find(pair_id)) else Detections.empty()
        )
    if path.suffix == ".json":
        pictures = read_coco(path)
        return lambda pair_id, _width, _height: pictures.find(pair_id) or Detections.empty()
    if path.suffix == ".jsonl":
        rows = _read_jsonl(path)
        return lambda pair_id, _width, _height: _detections(rows.get(pair_id))
    raise UsageError(f"{path}: expected a .jsonl file, a COCO .json file or a folder of YOLO .txt files")


def _read_jsonl(path: Path) -> dict[str, BoxesRow]:
    """Rows by pair id."""
    rows: dict[str, BoxesRow] = {}
    for row in read_rows(path, BoxesRow):
        if row.pair_id in rows:
            raise DataError(f"{path}: two rows for pair {row.pair_id}: keep one")
        rows[row.pair_id] = row
    return rows


def _detections(row: BoxesRow | None) -> Detections:
    """A row as arrays; boxes without width or height hold nothing and go when they are clipped."""
    if row is None:
        return Detections.empty()
    count = len(row.boxes)
    scores = np.ones(count, np.float32) if row.scores is None else np.array(row.scores, np.float32)
    classes = np.full(count, -1, np.int16) if row.classes is None else np.array(row.classes, np.int16)
    return Detections(as_boxes(row.boxes), scores, classes)
