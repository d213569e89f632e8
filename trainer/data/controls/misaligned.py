"""Pairs that are not quite: TIR that is shifted against RGB, as by a rig that nobody has calibrated."""

from __future__ import annotations

import hashlib
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import corners
from pipeline.errors import DataError
from trainer.data.controls.control import PairControl
from trainer.data.controls.shuffled import sequence_of
from trainer.data.shards import Source
from trainer.data.views.pictures import Pictures, either, outside


def direction(seed: int, sequence: str) -> NDArray[np.float64]:
    """Where the TIR of a sequence is shifted to, (2,) x, y of length 1; all angles are as likely."""
    place = int.from_bytes(hashlib.sha256(f"misalign|{seed}|{sequence}".encode()).digest()[:8]) / 2**64
    return np.array([math.cos(2 * math.pi * place), math.sin(2 * math.pi * place)])


def shift_of(source: Source, pair: int, control: PairControl) -> NDArray[np.float64]:
    """How the TIR of a pair is moved, (2,) x, y in pixels of the stored pictures."""
    return control.misalign * direction(control.seed, sequence_of(source, pair))


def shifted(
    footprint: NDArray[np.float64], size: tuple[int, int], shift: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The footprints (4, 2) that bound what is seen of a TIR that was moved: its own, and that of what is stored of it.

    A footprint may reach beyond the picture, in which nothing of that part is stored.

    Args:
        footprint: (4, 2) corners of what the TIR camera sees.
        size: (width, height) of the pictures.
        shift: (2,) x, y, in their pixels.
    """
    return footprint + shift, corners((0, 0, *size)) + shift


def misalign(pictures: Pictures, source: Source, pair: int, control: PairControl, reduce: float) -> None:
    """Move the TIR of a pair as that of its whole sequence: in a direction that the seed and the sequence decide.

    Args:
        pictures: with ``tir``; changed.
        source: the shards.
        pair: whose pictures they are.
        control: how far, in pixels of the stored pictures.
        reduce: by how much the pictures were decoded smaller.

    Raises:
        DataError: nothing of the TIR is left in the picture.
    """
    reader, row = source.stored(pair)
    shift = shift_of(source, pair, control) / reduce
    shift_tir(pictures, reader.valid(row) / reduce, shift, source.names[pair][1])


def shift_tir(pictures: Pictures, footprint: NDArray[np.float64], shift: NDArray[np.float64], name: str) -> None:
    """Move the TIR and its footprint, and not the RGB; what comes in from outside the picture is unseen.

    Args:
        pictures: with ``tir``; changed. A part of a pixel is interpolated (cubic, to 1/32 of a pixel).
        footprint: (4, 2) corners of what the TIR camera sees.
        shift: (2,) x, y, in pixels of the pictures, as the footprint.
        name: of the pair, for the error.

    Raises:
        DataError: nothing of the TIR is left in the picture.
    """
    width, height = pictures.size
    if (np.abs(shift) >= pictures.size).any():
        raise DataError(f"setting misalign: {name} is {width} x {height} px, of whose TIR it leaves nothing: lower it")
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    moved = cv2.warpAffine(
        pictures.fed["tir"], matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    pictures.fed["tir"] = np.asarray(moved, np.uint8)
    pictures.unseen = either(*(outside(quad, (width, height)) for quad in shifted(footprint, (width, height), shift)))
