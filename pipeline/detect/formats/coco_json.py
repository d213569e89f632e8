"""Boxes from COCO JSON: a data set's annotations, or a detector's results (Lin et al., ECCV 2014; cocodataset.org)."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from pipeline.boxes import as_boxes
from pipeline.detect.classes import COCO_CLASS, COCO_NAMES
from pipeline.detect.formats.boxes import NO_BOXES, PictureBoxes, checked
from pipeline.errors import DataError
from pipeline.files.json_text import parse_json
from pipeline.files.plain import read_plain

MAX_BYTES = 200_000_000
"""Largest file accepted: two million boxes, which take 2 GB of memory."""


class CocoJson:
    """Annotations, or results whose ``image_id`` is the picture's name.

    A picture is known by its ``file_name`` or, without one, by its id; one that is listed and has no boxes has an entry
    all the same. Crowd regions hold no one object and are left out. Category ids become classes 0 to 79 if the file
    lists its categories and each bears COCO's id and name; otherwise, and in results, which list none, they stay as
    they are.
    """

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            DataError: too large or not COCO JSON; the message names the entry or the picture.
        """
        self.path = path
        try:
            content = parse_json(read_plain(path, MAX_BYTES), path)
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}: pass a COCO .json file") from error
        if isinstance(content, list):
            self._pictures = self._gathered(content, None, {})
            return
        if not isinstance(content, dict) or not isinstance(content.get("annotations"), list):
            raise DataError(
                f"{path}: not COCO JSON: expected an object with images and annotations, or a list of results"
            )
        try:
            names = {image["id"]: str(image.get("file_name") or image["id"]) for image in content["images"]}
            class_of = _classes({category["id"]: category["name"] for category in content.get("categories", [])})
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path}: images need an id, categories an id and a name: {error!r}") from error
        self._pictures = self._gathered(content["annotations"], names, class_of)

    @property
    def names(self) -> Collection[str]:
        """The pictures, in the file's order."""
        return self._pictures.keys()

    def read(self, name: str) -> PictureBoxes:
        """One picture's boxes; none where it is not listed."""
        rows = self._pictures.get(name)
        if not rows:
            return NO_BOXES
        boxes, scores, classes = zip(*rows, strict=True)
        try:
            return checked(f"{self.path}: {name}", as_boxes(boxes), scores, classes)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(f"{self.path}: {name}: each bbox must be 4 finite numbers: {error}") from error

    def _gathered(
        self, annotations: list[Any], names: dict[Any, str] | None, class_of: dict[int, int]
    ) -> dict[str, list[tuple[Any, Any, Any]]]:
        """Box, score and class of each picture's annotations; ``names`` is None in results."""
        pictures: dict[str, list[tuple[Any, Any, Any]]] = {name: [] for name in (names or {}).values()}
        for number, entry in enumerate(annotations):
            try:
                if not entry.get("iscrowd"):
                    name = str(entry["image_id"]) if names is None else names[entry["image_id"]]
                    category = entry["category_id"]
                    row = (entry["bbox"], entry.get("score", 1.0), class_of.get(category, category))
                    pictures.setdefault(name, []).append(row)
            except (KeyError, TypeError, AttributeError) as error:
                raise DataError(
                    f"{self.path}: annotation {number}: needs bbox, category_id and the image_id of a listed image: "
                    f"{error!r}"
                ) from error
        return pictures


def _classes(categories: dict[int, str]) -> dict[int, int]:
    """Category id -> class where the file's categories are COCO's own, or some of them; else nothing."""
    coco = {category: COCO_NAMES[index] for category, index in COCO_CLASS.items()}
    return COCO_CLASS if categories.items() <= coco.items() else {}
