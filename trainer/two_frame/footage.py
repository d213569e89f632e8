"""The frames of a sequence that windows are cut from, as a tracker gets them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DataError
from trainer.sequences import Clip, read_frames
from trainer.sequences.frames import Frame, Kind
from trainer.sequences.thermal import FrameReader, Range

Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Footage:
    """A sequence, and what its first frames decide.

    Attributes:
        clip: the sequence.
        kind: of its frames.
        size: their width and height.
        tir_range: 16-bit values that become 0 and 255, in every frame; None where frames have 8 bits.
    """

    clip: Clip
    kind: Kind
    size: tuple[int, int]
    tir_range: Range | None

    @classmethod
    def of(cls, clip: Clip, tir_range: Range | None) -> Footage:
        """Look at the first frame, and for the thermal range at those after it until one shows anything.

        Args:
            clip: the sequence.
            tir_range: the range where it is given.

        Raises:
            DataError: a frame cannot be read; the message names it.
        """
        reader, kind, size = FrameReader(tir_range), None, (0, 0)
        for path, frame in read_frames(clip.pictures):
            _read(reader, path, frame)
            kind, size = kind or _kind(frame), (frame.shape[1], frame.shape[0])
            if kind != "deep" or reader.tir_range is not None:
                break
        if kind is None:
            raise DataError(f"{clip.name}: has no frames")
        return cls(clip, kind, size, reader.tir_range if kind == "deep" else None)

    def files(self, frames: Collection[int]) -> list[Path]:
        """The pictures of some frames, behind the first, which says how all are read."""
        return [self.clip.pictures[number] for number in (0, *sorted(frames))]


@dataclass(frozen=True)
class Shots:
    """Some frames of a sequence.

    Attributes:
        frames: by number, (H, W) thermal or (H, W, 3) in R, G, B.
        turned: files with an EXIF orientation, which is ignored, that would turn or mirror them.
        blank: files that show something, of which nothing lies within the sequence's thermal range.
    """

    frames: dict[int, Picture]
    turned: frozenset[Path]
    blank: frozenset[Path]


def read_shots(footage: Footage, wanted: Collection[int]) -> Shots:
    """Read frames of a sequence.

    Args:
        footage: the sequence.
        wanted: numbers of the frames.

    Raises:
        DataError: one cannot be read, or is of another size or depth than the first; the message names it.
    """
    reader, turned, blank = FrameReader(footage.tir_range), list[Path](), set[Path]()
    seen: dict[Path, Picture] = {}
    for path, frame in read_frames(footage.files(wanted), turned):
        before = reader.blank
        seen[path] = _read(reader, path, frame)
        blank |= {path} if reader.blank > before else set()
    frames = {number: seen[footage.clip.pictures[number]] for number in wanted}
    return Shots(frames, frozenset(turned), frozenset(blank))


def _read(reader: FrameReader, path: Path, frame: Frame) -> Picture:
    try:
        seen = reader.read(frame)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
    return seen if _kind(frame) == "colour" else seen[..., 0]


def _kind(frame: Frame) -> Kind:
    """Of a frame as it was read: in three channels are colours alone."""
    if frame.dtype != np.uint8:
        return "deep"
    return "colour" if frame.ndim == 3 else "grey"
