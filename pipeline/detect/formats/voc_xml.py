"""Pascal VOC annotations: an XML a picture with the corners of its boxes in pixels (Everingham et al., IJCV 2010).

Corners are taken as pixel edges, as labelImg and most converters do. The oriented boxes that DroneVehicle and
others put into the same format (``polygon`` with x1, y1, ... x4, y4) are taken by their bounding box. An object may
have a ``trackid``, as in ImageNet's videos, or a ``track_id``.
"""

from __future__ import annotations

from xml.etree import ElementTree

from pipeline.detect.formats.boxes import Note, PictureBoxes, checked
from pipeline.errors import DataError


def parse(path: object, text: str) -> PictureBoxes:
    """One file's boxes.

    Raises:
        DataError: not such XML, one that declares entities, a size of one side, or an object without a box; the message
            names it.
    """
    # A document type is what entities are declared in, and those can grow to any size or name other files.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise DataError(f"{path}: has a document type, which annotations have no use for: remove it")
    try:
        top = ElementTree.fromstring(text)  # noqa: S314 - of bounded size, and without a document type
    except (ElementTree.ParseError, ValueError) as error:
        raise DataError(f"{path}: not XML: {error}") from error
    if top.tag != "annotation":
        raise DataError(f"{path}: holds <{top.tag}>, expected Pascal VOC's <annotation>: convert it to COCO JSON")
    size = top.find("size")
    declared = None if size is None else (_value(path, size, "width"), _value(path, size, "height"))
    if declared and min(declared) <= 0 < max(declared):
        raise DataError(f"{path}: size is {declared[0]:g}x{declared[1]:g}: give both sides, or leave it out")
    drawn = None if declared is None or min(declared) <= 0 else declared
    objects = top.findall("object")
    names = [(found.findtext("name") or "").strip() or "unnamed" for found in objects]
    boxes = [_box(path, found) for found in objects]
    ids = [found.findtext("trackid") or found.findtext("track_id") for found in objects]
    outlines = sum(found.find("bndbox") is None for found in objects)
    notes: dict[Note, int] = {"outlines": outlines} if outlines else {}
    return checked(str(path), boxes, [1.0] * len(boxes), names, drawn, notes, ids)


def _box(path: object, found: ElementTree.Element) -> tuple[float, float, float, float]:
    """The box x, y, w, h of an object, or that around its outline."""
    edges, outline = found.find("bndbox"), found.find("polygon")
    if edges is not None:
        left, top, right, bottom = (_value(path, edges, key) for key in ("xmin", "ymin", "xmax", "ymax"))
        return left, top, right - left, bottom - top
    if outline is None:
        raise DataError(f"{path}: an object has neither bndbox nor polygon: give it a bndbox")
    x, y = ([_value(path, outline, f"{axis}{corner}") for corner in range(1, 5)] for axis in "xy")
    return min(x), min(y), max(x) - min(x), max(y) - min(y)


def _value(path: object, parent: ElementTree.Element, key: str) -> float:
    text = (parent.findtext(key) or "").strip()
    try:
        return float(text)
    except ValueError as error:
        raise DataError(f"{path}: {parent.tag}/{key} is {text!r}, expected a number") from error
