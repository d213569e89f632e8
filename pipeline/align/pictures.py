"""Both pictures of a pair, read once: their bytes, what identifies these, and their pixels."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import images
from pipeline.files.hashing import bytes_sha256
from pipeline.files.sightings import settled, sighting
from pipeline.images.orientation import FLAG
from pipeline.pairing.discovery.sources import load_with_state
from pipeline.records import PairFiles


@dataclass(frozen=True)
class Encoded:
    """The pictures of a pair as they lie on disk.

    Attributes:
        rgb: bytes of the visible picture.
        tir: of the thermal one.
        seen: sightings of these files (:mod:`pipeline.files.sightings`), of those that had been left alone.
        hashes: their SHA-256, ``rgb_sha256`` and ``tir_sha256``, where they are a file's own bytes: a frame of a clip
            is encoded anew by every version of OpenCV.
        flags: ``exif_orientation`` where a tag would have one of them turned.
    """

    rgb: bytes
    tir: bytes
    seen: tuple[int, ...]
    hashes: dict[str, str]
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Pictures:
    """A pair in memory.

    Attributes:
        rgb: (H, W, 3) R, G, B.
        tir: (h, w).
        tir_range: raw values that became 0 and 255, where the thermal picture has more than 8 bits.
    """

    rgb: images.Rgb
    tir: images.Tir
    tir_range: tuple[float, float] | None


def read(root: Path, pair: PairFiles) -> Encoded:
    """Read both files of a pair.

    Raises:
        UnreadableImageError: either cannot be read; the message names it.
    """
    now = time.time()
    rgb, tir = load_with_state(root, pair.rgb), load_with_state(root, pair.tir)
    hashes, seen = dict[str, str](), list[int]()
    for name, (data, state) in (("rgb_sha256", rgb), ("tir_sha256", tir)):
        if state is None:
            continue
        hashes[name] = bytes_sha256(data)
        if settled(state, now):
            seen.append(sighting(state, hashes[name]))
    turned = images.is_turned(rgb[0], pair.rgb) or images.is_turned(tir[0], pair.tir)
    return Encoded(rgb[0], tir[0], tuple(seen), hashes, (FLAG,) if turned else ())


def decode(encoded: Encoded, pair: PairFiles, tir_range: tuple[float, float] | None) -> Pictures:
    """Decode both pictures of a pair.

    Raises:
        UnreadableImageError: either is damaged, or no thermal picture; the message names it.
    """
    rgb = images.decode_rgb(encoded.rgb, pair.rgb)
    raw = images.decode(encoded.tir, pair.tir)
    used = tir_range if raw.dtype != np.uint8 else None
    return Pictures(rgb, images.to_tir(raw, pair.tir, tir_range), used)
