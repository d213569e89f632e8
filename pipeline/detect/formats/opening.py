"""Which format a file or folder of boxes is in."""

from __future__ import annotations

from pathlib import Path

from pipeline.detect.formats.box_lines import BoxLines
from pipeline.detect.formats.boxes import BoxFiles
from pipeline.detect.formats.coco_json import CocoJson
from pipeline.detect.formats.label_folder import LabelFolder
from pipeline.errors import UsageError


def open_boxes(path: Path | None) -> BoxFiles:
    """Open ``--detections``: a ``.jsonl`` file, a ``.json`` file (COCO), or a folder of labels.

    Raises:
        UsageError: nothing given, nothing there, or a file of another kind.
        DataError: a malformed file; the message names the file and the line or entry.
    """
    if path is None:
        raise UsageError(
            "--detector boxes needs --detections FILE|DIR: a .jsonl, a COCO .json or a folder of .txt or .xml labels"
        )
    if not path.exists():
        raise UsageError(f"no such file or folder: {path}: pass --detections FILE|DIR")
    if path.is_dir():
        return LabelFolder(path)
    if path.suffix == ".json":
        return CocoJson(path)
    if path.suffix == ".jsonl":
        return BoxLines(path)
    raise UsageError(f"{path}: expected a .jsonl file, a COCO .json file or a folder of .txt or .xml labels")
