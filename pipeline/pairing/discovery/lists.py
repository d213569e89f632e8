"""List and map files that come with a data set: which frames to take, and which belong together."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.errors import DataError
from pipeline.files.json_text import parse_json
from pipeline.files.names import natural, same
from pipeline.files.plain import read_plain
from pipeline.images.headers import SUFFIXES
from pipeline.pairing.discovery.rules import Match
from pipeline.pairing.discovery.sources import resolve

ENDINGS = SUFFIXES | {".txt", ".xml"}
"""Of pictures, and of the annotations that stand for them."""
MAX_BYTES = 10_000_000
"""Largest list or map file accepted; the paths of all pictures of KAIST, pair by pair, take half of it."""
_BETWEEN = re.compile(r"[\t,;]\s*|\s+")
"""Two names of a line."""


def _text(root: Path, path: str) -> str:
    """A text file below the root.

    Raises:
        DataError: missing, too large, not UTF-8, or outside the root.
    """
    full = resolve(root, path)
    try:
        return read_plain(full, MAX_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise _unreadable(full, error) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{full}: not a UTF-8 text file") from error


def _names(folder: Path) -> list[str]:
    """Pictures and annotations in a folder, in natural order.

    Raises:
        DataError: it cannot be read.
    """
    try:
        found = [path.name for path in folder.iterdir() if path.suffix.casefold() in ENDINGS]
    except OSError as error:
        raise _unreadable(folder, error) from error
    return sorted((name for name in found if not name.startswith(".")), key=natural)


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"cannot read {path}: {error.strerror}: it is part of the data set")


def _entry(line: str, place: str) -> str:
    """One entry as compared with frames: as :func:`_path`, without extension, ``/`` and ``_`` alike."""
    stem, suffix = posixpath.splitext(_path(line, place))
    return (stem if suffix in ENDINGS else stem + suffix).replace("/", "_")


def _path(line: str, place: str) -> str:
    """A path as :func:`pipeline.pairing.discovery.rules.names` writes it, in a tenth of pathlib's time.

    Raises:
        DataError: it climbs out with ``..`` or is absolute.
    """
    path = line.replace("\\", "/")
    if path.startswith("/") or (".." in path and ".." in path.split("/")):
        raise DataError(f"{place}: {line!r} leaves the data set's root: list frames or paths below it")
    return posixpath.normpath(same(path))


class FrameList:
    """A set of frames: one a line, as ``set00/V000/I00000``, ``set00_V000_I00000``, a picture's path, or its bare name.

    The first word of a line counts. A folder is a list too: the names of its files, as of annotations one a frame.
    """

    def __init__(self, root: Path, path: str) -> None:
        """Read a list below the root.

        Raises:
            DataError: missing, empty, or an entry leaves the root.
        """
        full = resolve(root, path)
        lines = _names(full) if full.is_dir() else _text(root, path).splitlines()
        where = str(full)
        words = ((number, line.split()) for number, line in enumerate(lines, 1))
        self.path = path
        self.entries: dict[str, str] = {}
        for number, word in words:
            if word:
                self.entries.setdefault(_entry(word[0], f"{where}:{number}"), word[0])
        self._met: set[str] = set()
        if not self.entries:
            raise DataError(f"{where}: the list is empty: restore it, or use the manifest without a list")

    def has(self, sequence: str, match: Match) -> bool:
        """Whether a frame is listed, by its id, by either picture's path, or by a bare name."""
        keys = {same(f"{sequence}_{match.frame}".replace("/", "_")), same(match.frame)}
        for picture in (match.rgb, match.tir):
            if picture is not None:
                stem = same(picture).rpartition(".")[0]
                keys |= {stem.replace("/", "_"), stem.rpartition("/")[2]}
        met = keys & self.entries.keys()
        self._met |= met
        return bool(met)

    def absent(self) -> list[str]:
        """Entries, as written, that no frame asked for so far has met; in the list's order."""
        return [written for entry, written in self.entries.items() if entry not in self._met]


def read_map(root: Path, path: str) -> dict[str, str]:
    """A map file: a JSON object of names, or lines of two names separated by a tab, a comma, a semicolon or blanks.

    Returns:
        visible name -> thermal name, case aside, as :func:`pipeline.pairing.discovery.rules.names` writes them.

    Raises:
        DataError: missing, not of that form, an entry leaves the root, or a visible name has two thermal ones.
    """
    text, full = _text(root, path), str(root / path)
    if text.lstrip().startswith("{"):
        rows: Iterable[list[Any]] = map(list, parse_json(text, root / path).items())
    else:
        rows = (_BETWEEN.split(line.strip(), 2)[:2] for line in text.splitlines() if line.strip())
    mapping: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        if len(row) != 2 or not all(isinstance(name, str) and name for name in row):
            raise DataError(f"{full}: entry {number}: expected a visible and a thermal name")
        visible, thermal = (_path(name, f"{full}: entry {number}") for name in row)
        if mapping.setdefault(visible, thermal) != thermal:
            raise DataError(f"{full}: entry {number}: {row[0]} has two thermal pictures: mend the file")
    return mapping
