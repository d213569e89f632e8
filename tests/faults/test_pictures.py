"""Pictures that are cut, bent, or claim to be what no memory holds: refused by name, in bounded time and memory."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from . import actions
from .conftest import Tally, bad
from .sandbox import Sandbox

FULL = [pytest.param(150, marks=pytest.mark.faults), 6]
"""Damaged copies of each kind: in the whole suite, and in every run of the tests."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunks or (_chunk(b"IDAT", zlib.compress(bytes(1000))),)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + b"".join(body) + _chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    """A JPEG whose header claims another size."""
    data = bytearray(cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def tiff(width: int, height: int) -> bytes:
    """A TIFF whose directory claims a size, in one strip of no bytes."""
    entries = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, 10**9)]
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4)


def bmp(width: int, height: int) -> bytes:
    """A BMP that claims a size."""
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, *[0] * 6)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "png bomb": lambda: png(100_000, 100_000),
    "png bomb that inflates": lambda: png(30_000, 30_000, _chunk(b"IDAT", zlib.compress(bytes(50_000_000), 9))),
    "png of the largest size": lambda: png(2**31 - 1, 2**31 - 1),
    "png text bomb": lambda: png(8, 8, _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100_000_000), 9))),
    "png without pixels": lambda: png(8, 8, _chunk(b"tEXt", b"a\0b")),
    "png of no size": lambda: png(0, 0),
    "jpeg bomb": lambda: jpeg(65_535, 65_535),
    "jpeg of no size": lambda: jpeg(0, 0),
    "jpeg of filler": lambda: b"\xff\xd8" + b"\xff" * 20_000_000,
    "jpeg of nothing": lambda: b"\xff\xd8" + bytes(20_000_000),
    "jpeg of empty segments": lambda: b"\xff\xd8" + b"\xff\xe0\0\2" * 5_000_000,
    "jpeg of segments of no length": lambda: b"\xff\xd8" + b"\xff\xe0\0\0" * 5_000_000,
    "tiff bomb": lambda: tiff(100_000, 100_000),
    "bmp bomb": lambda: bmp(100_000, 100_000),
    "bmp of negative size": lambda: bmp(-(2**31), -(2**31)),
    "gif bomb": lambda: b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0) + bytes(64),
    "webp bomb": lambda: b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\xff\xff\xff\xff\xff" + bytes(20),
    "a text": lambda: b"II* said the fox\n" * 99,
    "an xml": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="100000" height="100000"/>',
    "a postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100000 100000\n(%pipe%id) (w) file\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_picture_is_a_named_error(name: str, tmp_path: Path, box: Sandbox, tally: Tally) -> None:
    path = tmp_path / f"{name}.jpg"
    path.write_bytes(HOSTILE[name]())
    outcome = box.attempt(actions.picture, path)
    tally("hostile picture", outcome.survived)
    assert outcome.kind == "named" or name == "png text bomb", outcome.told
    assert path.name in outcome.told or outcome.kind == "read"
    assert outcome.seconds < 20


@pytest.mark.parametrize("count", FULL)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tiff", ".bmp"])
def test_a_picture_that_is_cut_or_bent_is_a_picture_or_a_named_error(
    suffix: str, count: int, tmp_path: Path, box: Sandbox, tally: Tally
) -> None:
    rng = np.random.default_rng(count)
    pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8)
    whole = cv2.imencode(suffix, pixels)[1].tobytes()
    outcomes = {}
    for number in range(count):
        data = bytearray(whole)
        if number % 3 == 0:
            del data[int(rng.integers(len(data))) :]
        for _ in range(number % 3):
            at = int(rng.integers(min(len(data), 200 if number % 2 else len(data))))
            data[at] ^= 1 << int(rng.integers(8))
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(data)
        outcomes[path.name] = outcome = box.attempt(actions.picture, path)
        tally("damaged picture", outcome.survived)
        assert outcome.kind != "named" or path.name in outcome.told
        if number % 3 == 0 and suffix in (".jpg", ".png"):
            assert outcome.kind == "named", "half a picture was taken for a whole one"
    assert not bad(outcomes)
