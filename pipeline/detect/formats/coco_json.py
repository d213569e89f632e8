"""Boxes from COCO JSON: a data set's annotations, or a detector's results (Lin et al., ECCV 2014; cocodataset.org)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.boxes import as_boxes
from pipeline.detect.formats.boxes import NO_BOXES, Columns, LastColumn, Note, PictureBoxes, checked, no_columns
from pipeline.errors import DataError
from pipeline.files.json_text import parse_json
from pipeline.files.plain import read_plain

MAX_BYTES = 200_000_000
"""Largest file accepted: two million boxes, which take 2 GB of memory."""


class CocoJson:
    """Annotations, or results whose ``image_id`` is the picture's name.

    A picture is known by its ``file_name`` or, without one, by its id; one that is listed and has no boxes has an entry
    all the same. Crowd regions hold no one object and are left out. Results list no categories, so that their class
    numbers have no names.
    """

    numbered: Literal["index", "unknown"] = "unknown"

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            DataError: too large or not COCO JSON, or two images of one id or name; the message names entry or picture.
        """
        self.path = path
        try:
            content = parse_json(read_plain(path, MAX_BYTES), path)
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}: pass a COCO .json file") from error
        self._categories: dict[int, str] = {}
        self._sizes: dict[str, tuple[float, float]] = {}
        if isinstance(content, list):
            self._pictures = self._gathered(content, None)
            return
        if not isinstance(content, dict) or not isinstance(content.get("annotations"), list):
            raise DataError(
                f"{path}: not COCO JSON: expected an object with images and annotations, or a list of results"
            )
        try:
            listed = [(image["id"], str(image.get("file_name") or image["id"])) for image in content["images"]]
            kinds = [(int(each["id"]), str(each["name"])) for each in content.get("categories") or []]
            names, self._categories = _by_id(path, "images", listed), _by_id(path, "categories", kinds)
            _refuse_one_name(path, names)
            self._sizes = {names[image["id"]]: size for image in content["images"] if (size := self._declared(image))}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{path}: images need an id, categories an id and a name: {error!r}") from error
        self._pictures = self._gathered(content["annotations"], names)

    @property
    def names(self) -> Collection[str]:
        """The pictures, in the file's order."""
        return self._pictures.keys()

    def categories(self) -> Mapping[int, str]:
        """The file's categories by id."""
        return self._categories

    def columns(self, names: Iterable[str], told: LastColumn | None) -> Columns:
        """There are none.

        Raises:
            UsageError: ``told`` says something of them.
        """
        return no_columns(told, str(self.path))

    def read(self, name: str, columns: Columns) -> PictureBoxes:
        """One picture's boxes; none where it is not listed."""
        rows = self._pictures.get(name)
        if not rows:
            return NO_BOXES
        boxes, scores, classes, ids = zip(*(row for row in rows if row), strict=True) if any(rows) else ((),) * 4
        ignored = sum(not row for row in rows)
        try:
            arrays = as_boxes(boxes), scores, np.asarray(classes, np.float64).tolist()
            notes: dict[Note, int] = {"ignored": ignored} if ignored else {}
            return checked(f"{self.path}: {name}", *arrays, self._sizes.get(name), notes, ids)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f"{self.path}: {name}: bbox must be 4 finite numbers, score and category_id a number: {error}"
            ) from error

    def _declared(self, image: Mapping[str, Any]) -> tuple[float, float] | None:
        """The (width, height) that an image is said to have; None where neither is told.

        Raises:
            DataError: one of the two is told, so that nobody can say whether the picture is of another size.
        """
        width, height = (float(image.get(side) or 0) for side in ("width", "height"))
        if (width > 0) != (height > 0):
            told = f"image {image['id']} is declared as {width:g}x{height:g}"
            raise DataError(f"{self.path}: {told}: give both, or neither")
        return (width, height) if width > 0 else None

    def _gathered(self, annotations: list[Any], names: dict[Any, str] | None) -> dict[str, list[tuple[Any, ...]]]:
        """Box, score, class, track id of each picture's annotations, () for a crowd; ``names`` is None in results."""
        pictures: dict[str, list[tuple[Any, ...]]] = {name: [] for name in (names or {}).values()}
        for number, entry in enumerate(annotations):
            try:
                crowd = entry.get("iscrowd")
                name = str(entry["image_id"]) if names is None else names[entry["image_id"]]
                whose = entry.get("track_id", entry.get("instance_id"))
                row = () if crowd else (entry["bbox"], entry.get("score", 1.0), entry["category_id"], whose)
                pictures.setdefault(name, []).append(row)
            except (KeyError, TypeError, AttributeError) as error:
                raise DataError(
                    f"{self.path}: annotation {number}: needs bbox, category_id and the image_id of a listed image: "
                    f"{error!r}"
                ) from error
        return pictures


def _by_id(path: Path, what: str, listed: list[tuple[Any, str]]) -> dict[Any, str]:
    """Id -> name.

    Raises:
        DataError: two names have one id.
    """
    names: dict[Any, str] = {}
    for number, name in listed:
        if names.setdefault(number, name) != name:
            raise DataError(f"{path}: {what} {names[number]} and {name} both have the id {number}: number them anew")
    return names


def _refuse_one_name(path: Path, names: Mapping[Any, str]) -> None:
    """Refuse two images of one name, as of two sequences: nobody can tell whose boxes are whose.

    Raises:
        DataError: there are such.
    """
    ids: dict[str, Any] = {}
    for number, name in names.items():
        if ids.setdefault(name, number) != number:
            raise DataError(
                f"{path}: images {ids[name]} and {number} are both called {name}: make file_name a path, or keep one"
            )
