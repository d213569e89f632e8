"""The formats of an export: where each puts the pictures, and what it writes of the boxes.

A format is given each pair once its pictures are written, and then the end. What stands beside the pictures can be read
back by ``cmd-prep mine --detector boxes --detections``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from pipeline import DISTRIBUTION
from pipeline.detect.classes import COCO_NAMES
from pipeline.detect.formats.box_lines import BoxesRow
from pipeline.export.categories import coco_id
from pipeline.export.entries import Entry
from pipeline.files.writing import write_text, written_text
from pipeline.shards.schema import MODALITIES


class Format(Protocol):
    """Writes what other programs read of pairs beside their pictures.

    Attributes:
        below: folder of the pictures, below that of their modality.
    """

    below: str

    def add(self, entry: Entry) -> None:
        """Take in a pair."""
        ...

    def end(self, classes: Mapping[int, str], licence: str | None) -> None:
        """Write what needs all pairs, given the names of the classes that occur and the pictures' licence."""
        ...


@dataclass
class Coco:
    """``rgb.json`` and ``tir.json``: the same boxes, for the pictures of either (Lin et al., ECCV 2014)."""

    out: Path
    below: str = ""
    _images: dict[str, list[str]] = field(default_factory=lambda: {modality: [] for modality in MODALITIES})
    _boxes: list[str] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Take in a pair."""
        number = len(self._images["rgb"]) + 1
        width, height = entry.size
        for modality, (name, _) in entry.pictures.items():
            row = {"id": number, "file_name": f"{modality}/{name}", "width": width, "height": height}
            self._images[modality].append(json.dumps(row))
        for box, score, kind, track in entry.columns():
            row = {"id": len(self._boxes) + 1, "image_id": number, "category_id": coco_id(kind), "bbox": box}
            row |= {"area": box[2] * box[3], "iscrowd": 0, "score": score}
            self._boxes.append(json.dumps(row if track is None else row | {"track_id": track}))

    def end(self, classes: Mapping[int, str], licence: str | None) -> None:
        """Write both files."""
        head: dict[str, object] = {"info": {"description": f"pseudo boxes, exported by {DISTRIBUTION}"}}
        head["licenses"] = [] if licence is None else [{"id": 1, "name": licence}]
        head["categories"] = [{"id": coco_id(number), "name": name} for number, name in sorted(classes.items())]
        for modality, pictures in self._images.items():
            with written_text(self.out / f"{modality}.json", durable=True) as file:
                file.write(json.dumps(head)[:-1])
                for key, rows in (("images", pictures), ("annotations", self._boxes)):
                    file.write(f', "{key}": [\n' + ",\n".join(rows) + "\n]")
                file.write("}\n")


@dataclass
class Yolo:
    """``labels/`` beside ``images/``, and ``data.yaml`` above them, of either modality: class cx cy w h, relative."""

    out: Path
    scores: bool
    below: str = "images"

    def add(self, entry: Entry) -> None:
        """Write a pair's boxes, once a modality; a file without a line says that there are none."""
        width, height = entry.size
        lines = []
        for (x, y, w, h), score, kind, _ in entry.columns():
            relative = (x + w / 2) / width, (y + h / 2) / height, w / width, h / height
            lines.append(" ".join([str(kind), *(f"{side:.10f}" for side in relative)] + [str(score)] * self.scores))
        for modality, (name, _) in entry.pictures.items():
            path = self.out / modality / "labels" / PurePosixPath(name).with_suffix(".txt")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, "".join(f"{line}\n" for line in lines))

    def end(self, classes: Mapping[int, str], licence: str | None) -> None:
        """Write the lists of classes: all numbers from 0 on must have a name."""
        every = dict(enumerate(COCO_NAMES)) | dict(classes)
        lines = ["# Nothing says which pictures are for validation: val names the same ones."]
        lines += ["train: images", "val: images"] + ([] if licence is None else [f"license: {json.dumps(licence)}"])
        lines += ["names:", *_names(every)]
        for modality in MODALITIES:
            write_text(self.out / modality / "data.yaml", "".join(f"{line}\n" for line in lines), durable=True)


def _names(classes: Mapping[int, str]) -> Iterable[str]:
    return (f"  {number}: {json.dumps(classes.get(number, f'class {number}'))}" for number in range(max(classes) + 1))


@dataclass
class Folders:
    """``boxes.jsonl``: a line a pair, with the class numbers of shards, -1 where there is none."""

    out: Path
    below: str = ""
    _rows: list[str] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Take in a pair."""
        boxes, scores, kinds, tracks = zip(*entry.columns(), strict=True) if len(entry.boxes) else ((),) * 4
        row = {"pair_id": entry.pair_id, "boxes": boxes, "scores": scores, "classes": kinds, "id": tracks}
        self._rows.append(BoxesRow.model_validate(row).model_dump_json())

    def end(self, classes: Mapping[int, str], licence: str | None) -> None:
        """Write the file; the names of classes and the licence are in ``export.json``."""
        write_text(self.out / "boxes.jsonl", "".join(f"{row}\n" for row in self._rows), durable=True)
