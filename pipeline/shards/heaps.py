"""A look at where a file keeps the strings of its attributes: of damage there HDF5 may never come back.

Strings of any length lie in collections of a global heap (HDF5 File Format Specification, III.E): 16 bytes of head,
then objects, each 16 bytes of head and its content. HDF5 2.0 goes from one to the next by the sizes that they claim,
and where free space claims none, it stays there for ever.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

_COLLECTION = re.compile(rb"GCOL\x01.{3}(.{8})", re.DOTALL)
_AHEAD = 1 << 16
"""Bytes in which all collections begin: attributes are written before any dataset."""
_HEAD = 16
"""Of a collection, and of an object: its number, 0 for free space, 6 bytes that do not count here, and its size."""
_ALIGNED = 8


def heap_fault(file: BinaryIO) -> str:
    """Why the strings of a file's attributes cannot be read; empty where nothing is known against it."""
    for found in _COLLECTION.finditer(file.read(_AHEAD)):
        size = int.from_bytes(found[1], "little")
        if found.start() + size <= file.seek(0, 2) and not all(_steps(file, found.start(), size)):
            return f"strings of attributes, at byte {found.start()}, of sizes that do not fit"
    return ""


def _steps(file: BinaryIO, start: int, size: int) -> Iterator[bool]:
    """Whether each object of a collection of ``size`` bytes leads on and not beyond its end."""
    at = _HEAD
    while at + _HEAD <= size:
        file.seek(start + at)
        number, claimed = struct.unpack("<H6xQ", file.read(_HEAD))
        # Free space counts its own head; an object does not, and is padded.
        step = _HEAD + -(-claimed // _ALIGNED) * _ALIGNED if number else claimed
        yield _HEAD <= step <= size - at
        at += step
