"""A folder of labels, a text or XML file a picture, at any depth."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Literal

from pipeline.detect.formats import kaist_txt, voc_xml, yolo_txt
from pipeline.detect.formats.boxes import Columns, LastColumn, PictureBoxes, no_columns
from pipeline.detect.formats.class_lists import find_list, read_list
from pipeline.errors import DataError, some
from pipeline.files.nearby import nearby
from pipeline.files.plain import read_plain

log = logging.getLogger(__name__)

MAX_BYTES = 1_000_000
"""Largest file accepted: 20,000 boxes of one picture."""
_NO_LABELS = re.compile(r"(predefined_)?classes\.txt|readme.*\.txt", re.IGNORECASE)


def _holds_all(path: Path) -> bool:
    """Whether a file begins as one with the boxes of all pictures does: COCO JSON, or our JSON Lines."""
    keys = {".json": (b'"images"', b'"categories"'), ".jsonl": (b'"boxes"',)}.get(path.suffix, ())
    if not keys or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(4096)
    return any(key in head for key in keys)


class LabelFolder:
    """YOLO text, KAIST text or Pascal VOC XML; each file is read when it is asked for."""

    numbered: Literal["index", "unknown"] = "index"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def names(self) -> Collection[str]:
        """The files' paths below the folder, as they are now.

        Raises:
            DataError: there are none, or of both kinds, or a symbolic link leads out of the folder.
        """
        files = sorted(path for path in self.folder.rglob("*.*") if not _NO_LABELS.fullmatch(path.name))
        kinds = Counter(path.suffix for path in files if path.suffix and not path.is_dir())
        labels = [path for path in files if path.suffix in (".txt", ".xml")]
        if not labels:
            whole = nearby(self.folder, _holds_all)
            held = f" (it holds {some(sorted(kinds))}: convert them to one COCO .json)" if kinds and not whole else ""
            raise DataError(f"{self.folder}: no .txt files below it, nor .xml{held}: {whole}pass the folder of labels")
        if kinds[".txt"] and kinds[".xml"]:
            raise DataError(
                f"{self.folder}: holds {kinds['.txt']} .txt and {kinds['.xml']} .xml files: pass the folder of one kind"
            )
        inside = os.path.realpath(self.folder)
        for path in labels:
            # Not Path.resolve, which fails on a link to itself: reading that file, if ever it is wanted, names it.
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside):
                raise DataError(f"{path}: symbolic link leads out of {self.folder}: copy or hard-link the file")
        return [path.relative_to(self.folder).as_posix() for path in labels]

    def categories(self) -> Mapping[int, str]:
        """The names of class numbers, where a list of them is beside the labels, as it is now.

        Raises:
            DataError: it cannot be read.
            UsageError: it is YAML that is not allowed.
        """
        path = find_list(self.folder)
        names = read_list(path) if path else {}
        if names:
            log.info("%s: classes are called as in %s", self.folder, path)
        return names

    def columns(self, names: Iterable[str], told: LastColumn | None) -> Columns:
        """What stands behind the boxes of YOLO text, from all files.

        Raises:
            DataError: whole numbers that could be scores or track ids, or key points.
            UsageError: ``told`` is of a column that is not there.
        """
        texts = ((self.folder / name, self._text(name)) for name in names if name.endswith(".txt"))
        yolo = [yolo_txt.words_of(path, text) for path, text in texts if not text.startswith(kaist_txt.MARK)]
        if not yolo:
            return no_columns(told, str(self.folder))
        columns, note = yolo_txt.columns_of(self.folder, yolo, told)
        if note:
            log.info("%s: %s", self.folder, note)
        return columns

    def read(self, name: str, columns: Columns) -> PictureBoxes:
        """One file's boxes.

        Raises:
            DataError: unreadable, too large, or not such a file; the message names file and line.
        """
        path, text = self.folder / name, self._text(name)
        if name.endswith(".xml"):
            return voc_xml.parse(path, text)
        if text.startswith(kaist_txt.MARK):
            return kaist_txt.parse(path, text)
        return yolo_txt.parse(path, text, columns)

    def _text(self, name: str) -> str:
        path = self.folder / name
        try:
            return read_plain(path, MAX_BYTES).decode("utf-8-sig")
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}: restore or remove it") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: not a UTF-8 text file: save it as UTF-8") from error
