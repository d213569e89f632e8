"""The frames of a sequence as the tracker gets them: TIR in one channel, colours where they are. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline import images
from pipeline.errors import DataError

Frame = images.Raw
Kind = Literal["grey", "colour", "deep"]
"""8 bits of one channel, or of several that are alike; 8 bits in R, G, B; more bits."""


def _grey(data: bytes, name: str) -> Frame:
    images.refuse_false_colours(data, name)
    return images.decode_tir(data, name)


_DECODERS: Mapping[Kind, Callable[[bytes, str], Frame]] = {
    "grey": _grey,
    "colour": images.decode_rgb,
    "deep": images.decode,
}


def read_frames(pictures: Iterable[Path], turned: list[Path] | None = None) -> Iterator[tuple[Path, Frame]]:
    """Each picture of one sequence with its path; all are of the kind that the first is.

    Args:
        pictures: of the sequence.
        turned: those whose EXIF orientation, which is ignored, would turn or mirror them are added to it.

    Yields:
        (H, W) uint8, decoded as in training; (H, W, 3) uint8 in R, G, B order; or what a 16-bit file holds.

    Raises:
        UnreadableImageError: one cannot be read; the message names the file.
    """
    decode: Callable[[bytes, str], Frame] | None = None
    depth: np.dtype[Any] | None = None
    for path in pictures:
        data, name = images.read_bytes(path), str(path)
        decode = decode or _DECODERS[_kind(images.decode(data, name))]
        frame = decode(data, name)
        if turned is not None and images.is_turned(data, name):
            turned.append(path)
        depth = depth or frame.dtype
        if frame.dtype != depth:
            raise images.UnreadableImageError(f"{name}: pixels are {frame.dtype} after frames of {depth}: restore it")
        yield path, frame


def first_kind(path: Path) -> Kind | None:
    """The kind of a sequence by its first frame; one that cannot be read is told of when it is tracked."""
    try:
        return _kind(images.decode(images.read_bytes(path), str(path)))
    except DataError:
        return None


def _kind(picture: Frame) -> Kind:
    """The kind of a picture (H, W) or (H, W, C)."""
    if picture.dtype != np.uint8:
        return "deep"
    if picture.ndim == 2:
        return "grey"
    return "colour" if images.in_colour(picture) else "grey"
