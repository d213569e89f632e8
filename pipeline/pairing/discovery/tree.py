"""A data set's folders, walked by pattern: each is read once, the order is natural, and nothing leaves the root."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from unicodedata import normalize

from pipeline.errors import DataError
from pipeline.files.names import natural
from pipeline.images.headers import SUFFIXES

MAX_DEPTH = 5
"""Folders that ``**`` may stand for."""
MAX_WILDCARDS = 3
"""Of one name in a pattern: with more, trying them all out on a long name may take for ever."""
_COPIES = "_flip"


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that a pattern matched: its ``{frame}``, and its POSIX path below the root."""

    frame: str
    path: str


@lru_cache(maxsize=256)
def matcher(pattern: str) -> re.Pattern[str]:
    """One segment of a pattern as a regular expression: ``|`` separates alternatives, ``*`` and ``{frame}`` catch.

    Raises:
        DataError: an alternative has more than :data:`MAX_WILDCARDS`.
    """
    if any(part.count("*") + part.count("{frame}") > MAX_WILDCARDS for part in pattern.split("|")):
        raise DataError(f"pattern {pattern!r} has more than {MAX_WILDCARDS} wildcards in one name: spell some out")
    parts = (re.escape(part).replace(r"\*", "(.+)").replace(r"\{frame\}", "(.+)") for part in pattern.split("|"))
    return re.compile("|".join(f"(?:{part})" for part in parts), re.IGNORECASE)


def _caught(pattern: str, name: str) -> tuple[str, ...] | None:
    """What the wildcards of a segment caught in a name, or None where it does not fit."""
    match = matcher(pattern).fullmatch(name)
    if match is None and not (pattern.isascii() and name.isascii()):
        match = matcher(normalize("NFC", pattern)).fullmatch(normalize("NFC", name))
    return None if match is None else tuple(group for group in match.groups() if group is not None)


class Tree:
    """The folders below a root."""

    def __init__(self, root: Path) -> None:
        """Start at a root.

        Raises:
            DataError: it is not a folder.
        """
        if not root.is_dir():
            raise DataError(f"no folder {root}: give the data set's folder as --root")
        self.root = root
        self._real = root.resolve()
        self._folders: dict[str, list[str]] = {}

    def scan(self, folder: str) -> tuple[list[str], list[str]]:
        """Names of the folders and of the files in a folder (POSIX path below the root, "" for the root), unsorted.

        Hidden entries (``.DS_Store``, ``._x.jpg``) and ``__MACOSX`` are left out. A link to a file that is not there,
        as of data that were never fetched, counts as a file: whoever reads it fails by name.

        Raises:
            DataError: the folder cannot be read, or a link in it leads out of the root.
        """
        folders, names = [], []
        try:
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name == "__MACOSX":
                        continue
                    if entry.is_symlink():
                        self._refuse_outside(entry.path)
                    if entry.is_dir():
                        folders.append(_utf8(entry.name, folder))
                    elif entry.is_file() or entry.is_symlink():
                        names.append(entry.name)
        except OSError as error:
            place = self.root / folder
            raise DataError(f"cannot read folder {place}: {error.strerror}: mend it or move it away") from error
        self._folders[folder] = folders
        return folders, names

    def folders(self, folder: str) -> list[str]:
        """Names of the folders in a folder, in natural order; read at most once."""
        if folder not in self._folders:
            self.scan(folder)
        return sorted(self._folders[folder], key=natural)

    def pictures(self, folder: str, pattern: str, suffixes: frozenset[str] = SUFFIXES) -> list[Picture]:
        """Files of a folder that fit a file pattern (the extension is free), in natural order of ``{frame}``.

        Copies named ``_flip`` are left out: they are other pictures' mirror images.
        """
        return self.matching(folder, (pattern,), suffixes)[0]

    def matching(
        self, folder: str, patterns: tuple[str, ...], suffixes: frozenset[str] = SUFFIXES
    ) -> list[list[Picture]]:
        """As :meth:`pictures`, for several patterns with one look at the folder."""
        found: list[list[Picture]] = [[] for _ in patterns]
        for name in self.scan(folder)[1]:
            stem, suffix = os.path.splitext(name)  # noqa: PTH122 - pathlib is ten times slower here
            if suffix.casefold() not in suffixes or stem.casefold().endswith(_COPIES):
                continue
            for pictures, pattern in zip(found, patterns):
                if caught := _caught(pattern, stem):
                    pictures.append(Picture(caught[0], f"{folder}/{_utf8(name, folder)}" if folder else name))
        return [sorted(pictures, key=lambda picture: (*natural(picture.frame), picture.path)) for pictures in found]

    def walk(
        self, segments: list[str], folder: str = "", caught: tuple[str, ...] = ()
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Folders that fit the segments of a pattern, each with what the wildcards caught, in natural order.

        A segment is a name, alternatives ``a|b``, a name that may be absent ``a?``, ``*``, or ``**`` for any depth.
        """
        if not segments:
            yield caught, folder
            return
        head, rest = segments[0], segments[1:]
        if head == "**":
            yield from self._descend(rest, folder, caught, "", 0)
            return
        if head.endswith("?"):
            yield from self.walk(rest, folder, caught)
        for name in self.folders(folder):
            if (new := _caught(head.removesuffix("?"), name)) is not None:
                yield from self.walk(rest, f"{folder}/{name}" if folder else name, caught + new)

    def _descend(
        self, rest: list[str], folder: str, caught: tuple[str, ...], trail: str, depth: int
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """``**``: the rest of the pattern here and, down to :data:`MAX_DEPTH`, in folders that it does not name."""
        yield from self.walk(rest, folder, (*caught, trail))
        if depth == MAX_DEPTH:
            return
        for name in self.folders(folder):
            below = f"{folder}/{name}" if folder else name
            if not (rest and _caught(rest[0], name) is not None) and not (self.root / below).is_symlink():
                yield from self._descend(rest, below, caught, f"{trail}/{name}" if trail else name, depth + 1)

    def _refuse_outside(self, path: str) -> None:
        try:
            inside = Path(path).resolve().is_relative_to(self._real)
        except (OSError, RuntimeError) as error:
            raise DataError(f"{path}: symbolic link that leads nowhere: remove it") from error
        if not inside:
            raise DataError(
                f"{path}: symbolic link leads out of {self.root}: copy or hard-link it, or give a --root above both"
            )


def _utf8(name: str, folder: str) -> str:
    """The name, if it can be written to a UTF-8 file."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        shown = name.encode("utf-8", "backslashreplace").decode()
        raise DataError(f"name {shown!r} in folder {folder or '.'!r} is not UTF-8: rename it") from error
    return name
