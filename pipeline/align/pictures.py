"""Both pictures of a pair, read once: their bytes, what identifies these, and their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import images
from pipeline.files.hashing import bytes_sha256
from pipeline.images.orientation import FLAG
from pipeline.pairing.discovery.sources import file_of, load_side
from pipeline.records import PairFiles


@dataclass(frozen=True)
class Encoded:
    """The pictures of a pair as they lie on disk.

    Attributes:
        rgb: bytes of the visible picture.
        tir: of the thermal one.
        hashes: their SHA-256, ``rgb_sha256`` and ``tir_sha256``, where they are a file's own bytes: a frame of a clip
            is encoded anew by every version of OpenCV.
        flags: ``exif_orientation`` where a tag would have one of them turned.
    """

    rgb: bytes
    tir: bytes
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
    rgb, tir = load_side(root, pair.rgb), load_side(root, pair.tir)
    sides = {"rgb_sha256": (pair.rgb, rgb), "tir_sha256": (pair.tir, tir)}
    hashes = {name: bytes_sha256(data) for name, (locator, data) in sides.items() if file_of(locator) == locator}
    turned = any(images.is_turned(data, locator) for locator, data in sides.values())
    return Encoded(rgb, tir, hashes, (FLAG,) if turned else ())


def decode(encoded: Encoded, pair: PairFiles, tir_range: tuple[float, float] | None) -> Pictures:
    """Decode both pictures of a pair.

    Raises:
        UnreadableImageError: either is damaged, or no thermal picture; the message names it.
    """
    rgb = images.decode_rgb(encoded.rgb, pair.rgb)
    raw = images.decode(encoded.tir, pair.tir)
    used = tir_range if raw.dtype != np.uint8 else None
    return Pictures(rgb, images.to_tir(raw, pair.tir, tir_range), used)
