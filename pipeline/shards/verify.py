"""Check shards: hashes and structure against the index, values against ranges and, deep, against one another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import coverage
from pipeline.errors import DataError
from pipeline.images import UnreadableImageError
from pipeline.labels import box_state, centred_label
from pipeline.patches import cut
from pipeline.shards.index import ShardEntry, load_index, shard_faults
from pipeline.shards.reader import ShardReader, open_shard
from pipeline.shards.schema import LABEL_ATTRS, MODALITIES, TIGHT

MIN_COVERAGE = 0.95
ROUNDING = 1e-3
"""Boxes are stored as float32: what was inside to the last bit may stick out by this many pixels, or this share."""


@dataclass(frozen=True)
class Verification:
    """The outcome: every fault by file, and what was looked at."""

    faults: tuple[str, ...]
    shards: int
    pairs: int
    patches: int


def verify(folder: Path, *, deep: bool = False, workers: int = 1) -> Verification:
    """Check every shard of a folder.

    Raises:
        DataError: there is no readable index.
    """
    index = load_index(folder)

    def check(entry: ShardEntry) -> list[str]:
        found = list(shard_faults(folder, entry))
        return found or [f"{folder / entry.file}: {fault}" for fault in value_faults(folder / entry.file, deep=deep)]

    with ThreadPoolExecutor(workers) as pool:
        faults = [fault for found in pool.map(check, index.shards) for fault in found]
    strangers = sorted({path.name for path in folder.glob("shard-*.h5")} - {entry.file for entry in index.shards})
    faults += [f"{folder / name}: not in the index" for name in strangers]
    pairs, patches = sum(entry.pairs for entry in index.shards), sum(entry.patches for entry in index.shards)
    return Verification(tuple(faults), len(index.shards), pairs, patches)


def value_faults(path: Path, *, deep: bool) -> Iterator[str]:
    """Values of a structurally sound shard that cannot be right; ``deep`` also decodes every picture."""
    try:
        with open_shard(path) as file:
            box = np.asarray(file["patches/box"][:], np.float64)
            if not (np.isfinite(box).all() and (box[:, 2:] > 0).all()):
                yield "patches/box has values that are not finite or sides that are not positive"
                return
            yield from _attribute_faults(file)
            yield from _range_faults(file)
            yield from _derived_faults(file)
        if deep:
            yield from _picture_faults(ShardReader(path), box)
    except DataError as error:
        yield str(error)


def _rows(bad: NDArray[np.bool_]) -> str:
    where = np.flatnonzero(bad)
    return ", ".join(map(str, where[:5])) + (f" and {len(where) - 5} more" if len(where) > 5 else "")


def _attribute_faults(file: h5py.File) -> Iterator[str]:
    if hashlib.sha256(str(file.attrs["config"]).encode()).hexdigest() != file.attrs["config_sha256"]:
        yield "attribute config_sha256 differs from the hash of config"
    label = file["patches/label"].attrs
    for name, expected in LABEL_ATTRS.items():
        if not np.isclose(label.get(name, np.nan), expected):
            yield f"patches/label attribute {name} is {label.get(name)}, expected {expected:g}"


def _range_faults(file: h5py.File) -> Iterator[str]:
    matrix, valid = file["pairs/homography"][:], file["pairs/valid"][:]
    if not (np.isfinite(matrix).all() and (np.abs(np.linalg.det(matrix)) > 1e-9).all()):
        yield "pairs/homography has matrices that are not finite or cannot be inverted"
    if not np.isfinite(valid).all():
        yield "pairs/valid has values that are not finite"
        return
    score = file["patches/score"][:]
    if not ((score >= 0) & (score <= 1)).all():
        yield "patches/score has values outside 0 to 1"
    if (file["patches/class"][:] < -1).any():
        yield "patches/class has values below -1"
    ids = file["pairs/id"][:]
    if len(np.unique(ids)) != len(ids) or (ids == b"").any():
        yield "pairs/id has names that are empty or stand twice"
    owner, box = file["patches/pair"][:], file["patches/box"][:]
    outside = np.array([coverage(b, valid[p]) < MIN_COVERAGE - ROUNDING for b, p in zip(box, owner)], bool)
    if outside.any():
        yield f"patches/box {_rows(outside)}: less than {MIN_COVERAGE:.0%} inside the TIR footprint"
    lonely = np.setdiff1d(np.arange(len(ids)), owner)
    if len(lonely):
        yield f"pairs/id {lonely[0]}: no patch points at it"


def _derived_faults(file: h5py.File) -> Iterator[str]:
    """State and label are functions of the box: derive them again."""
    box = file["patches/box"][:]
    differs = np.abs(file["patches/state"][:] - box_state(box)).max(axis=1, initial=0) > 1e-5
    if differs.any():
        yield f"patches/state {_rows(differs)}: differs from its box"
    label = file["patches/label"]
    expected = centred_label(1)[0]
    if label.shape[1:] != expected.shape:
        yield f"patches/label has {label.shape[1:]} cells, expected {expected.shape}"
    elif (differs := np.array([not np.array_equal(row, expected) for row in label], bool)).any():
        yield f"patches/label {_rows(differs)}: differs from the Gaussian of the centred window"


def _picture_faults(reader: ShardReader, box: NDArray[np.float64]) -> Iterator[str]:
    """Decode every pair; boxes must lie in its picture, and tight patches must be what the box cuts out."""
    owner = reader.array("patches/pair")
    tight = {name.split("/")[1]: reader.array(name) for name in TIGHT if name in reader.file}
    for pair, name in enumerate(reader.ids()):
        try:
            pictures = {"rgb": reader.rgb(pair), "tir": reader.tir(pair)}
        except UnreadableImageError as error:
            yield str(error)
            continue
        if pictures["rgb"].shape[:2] != pictures["tir"].shape[:2]:
            yield f"pair {name}: the two pictures differ in size"
            continue
        height, width = pictures["tir"].shape
        for row in np.flatnonzero(owner == pair):
            x, y, w, h = box[row]
            if min(x, y) < -ROUNDING or x + w > width + ROUNDING or y + h > height + ROUNDING:
                yield f"patches/box {row}: outside its {width}x{height} picture"
            for modality in MODALITIES if tight else ():
                stored = tight[modality][row]
                again = cut(pictures[modality], box[row], stored.shape[0])
                if not np.array_equal(stored, again):
                    yield f"patches/{modality} {row}: differs from what its box cuts out of pair {name}"
