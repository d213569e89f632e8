"""Check shards: hashes and structure against the index, values against ranges and, deep, against one another.

Deep, all that follows from a pair's pictures, its matrix and the settings is derived again: footprint, boxes, states,
labels, tight patches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import coverage, footprint, project
from pipeline.errors import DataError
from pipeline.files.hashing import text_sha256
from pipeline.files.json_text import parse_json
from pipeline.images import UnreadableImageError
from pipeline.labels import box_state, centred_label
from pipeline.patches import cut
from pipeline.shards.cure import cure
from pipeline.shards.index import ShardEntry, ShardIndex, content_faults, file_fault, load_index
from pipeline.shards.reader import DAMAGED, ShardReader, open_shard
from pipeline.shards.schema import LABEL_ATTRS, MIN_COVERAGE, MODALITIES, NO_TRACK, TIGHT
from pipeline.shards.tubes import stored_tubes, tube_faults
from pipeline.shards.writer import config_text

Rederive = Callable[[Mapping[str, object], str, tuple[int, int], NDArray[np.float64]], NDArray[np.float64] | None]
"""Settings of a shard, pair id, (width, height), TIR footprint (4, 2) -> the pair's boxes (n, 4), None if unknown."""
ROUNDING = 1e-3
"""Boxes are stored as float32: what was inside to the last bit may stick out by this many pixels, or this share."""


@dataclass(frozen=True)
class Verification:
    """The outcome.

    Attributes:
        faults: every fault, by file.
        shards: files that the index names.
        pairs: pairs in them.
        patches: patches in them.
        method: how the patches were mined.
        rederived: pairs whose boxes were derived again.
        cure: what mends the faults.
    """

    faults: tuple[str, ...]
    shards: int
    pairs: int
    patches: int
    method: str
    rederived: int
    cure: str


def verify(folder: Path, *, deep: Rederive | None = None, workers: int = 1) -> Verification:
    """Check every shard of a folder.

    Args:
        folder: of shards.
        deep: decode every picture too and derive again what follows from it, with this for the boxes.
        workers: threads.

    Raises:
        DataError: there is no readable index.
    """
    index = load_index(folder)
    settings = config_text(index.settings)
    rederived: list[str] = []

    def again(
        config: Mapping[str, object], pair_id: str, size: tuple[int, int], valid: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        boxes = deep(config, pair_id, size, valid) if deep else None
        if boxes is not None:
            rederived.append(pair_id)
        return boxes

    check = partial(_check, folder, settings, deep=again if deep else None)
    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(check, index.shards))
    tubes = _tube_faults(folder, index) if not any(own for _, own in found) else []
    strangers = sorted({path.name for path in folder.glob("shard-*.h5")} - {entry.file for entry in index.shards})
    faults = (
        [fault for _, own in found for fault in own]
        + tubes
        + [f"{folder / name}: not in the index" for name in strangers]
    )
    resume = not strangers and not tubes and not any(own for as_written, own in found if as_written)
    pairs, patches = sum(entry.pairs for entry in index.shards), sum(entry.patches for entry in index.shards)
    what = cure(folder, index, resume=resume)
    return Verification(tuple(faults), len(index.shards), pairs, patches, index.method, len(rederived), what)


def _tube_faults(folder: Path, index: ShardIndex) -> list[str]:
    """Tubes go through several shards, so that they are looked at when each of those is sound."""
    if not index.settings.get("tubes"):
        return []
    readers = [ShardReader(folder / entry.file) for entry in index.shards]
    return [f"{folder}: {fault}" for fault in tube_faults(list(stored_tubes(readers)), index.totals.get("tubes"))]


def _check(folder: Path, settings: str, entry: ShardEntry, deep: Rederive | None) -> tuple[bool, list[str]]:
    """Whether a shard's file is the one that was written, and its faults."""
    path = folder / entry.file
    if damage := file_fault(path, entry):
        return False, [damage]
    wrong = list(content_faults(path, entry))
    return True, wrong or [f"{path}: {fault}" for fault in value_faults(path, settings, deep=deep)]


def value_faults(path: Path, settings: str, *, deep: Rederive | None) -> Iterator[str]:
    """Values of a structurally sound shard that cannot be right; ``deep`` as for :func:`verify`."""
    try:
        with open_shard(path) as file:
            box = np.asarray(file["patches/box"][:], np.float64)
            if not (np.isfinite(box).all() and (box[:, 2:] > 0).all()):
                yield "patches/box has values that are not finite or sides that are not positive"
                return
            yield from _attribute_faults(file, settings)
            sound = True
            for fault in _range_faults(file):
                sound = False
                yield fault
            yield from _derived_faults(file)
        if deep and sound:
            reader = ShardReader(path)
            yield from _pair_faults(reader, parse_json(settings, path), box, deep)
            reader.close()
    except DataError as error:
        yield str(error)
    except DAMAGED as error:
        yield f"cannot be read: {' '.join(str(error).split())}"


def _rows(bad: NDArray[np.bool_], rows: NDArray[np.intp] | None = None) -> str:
    where = np.flatnonzero(bad) if rows is None else rows[bad]
    return ", ".join(map(str, where[:5])) + (f" and {len(where) - 5} more" if len(where) > 5 else "")


def _attribute_faults(file: h5py.File, settings: str) -> Iterator[str]:
    if str(file.attrs["config"]) != settings:
        yield "attribute config differs from the settings in the index: a shard of another run"
    if text_sha256(str(file.attrs["config"])) != file.attrs["config_sha256"]:
        yield "attribute config_sha256 differs from the hash of config"
    label = file["patches/label"].attrs
    for name, expected in LABEL_ATTRS.items():
        number = name in label and label.get_id(name).shape == () and label.get_id(name).dtype.kind in "fiu"
        if not number or not np.isclose(label[name], expected):
            yield f"patches/label attribute {name} is not {expected:g}"


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
    yield from _track_faults(file)
    if "pairs/frame" in file and (file["pairs/frame"][:] < 0).any():
        yield "pairs/frame has values below 0"
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


def _track_faults(file: h5py.File) -> Iterator[str]:
    """Numbers of objects; schema 1.0 has none."""
    if "patches/track" not in file:
        return
    track, owner = file["patches/track"][:], file["patches/pair"][:]
    if (track < NO_TRACK).any():
        yield "patches/track has values below -1"
    known = track != NO_TRACK
    _, first, count = np.unique(np.stack([owner, track], 1)[known], axis=0, return_index=True, return_counts=True)
    if (count > 1).any():
        row = np.flatnonzero(known)[first[count > 1]].min()
        yield f"patches/track {row}: two boxes of one pair are of one object"


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
    elif (differs := np.array([not np.array_equal(row, expected.astype(label.dtype)) for row in label], bool)).any():
        yield f"patches/label {_rows(differs)}: differs from the Gaussian of the centred window"


def _pair_faults(
    reader: ShardReader, settings: dict[str, object], box: NDArray[np.float64], rederive: Rederive
) -> Iterator[str]:
    """Decode every pair; footprint, boxes and tight patches must be what follows from it."""
    owner = reader.array("patches/pair")
    matrix, valid = (np.asarray(reader.array(f"pairs/{name}"), np.float64) for name in ("homography", "valid"))
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
        quad = _footprint(matrix[pair], valid[pair])
        if quad is None:
            yield f"pairs/valid {pair}: differs from the footprint of a TIR picture under pairs/homography"
            continue
        rows = np.flatnonzero(owner == pair)
        yield from _box_faults(name, rows, box, (width, height), rederive(settings, name, (width, height), quad))
        for row in rows:
            for modality in MODALITIES if tight else ():
                stored = tight[modality][row]
                again = cut(pictures[modality], box[row], stored.shape[0])
                if not np.array_equal(stored, again):
                    yield f"patches/{modality} {row}: differs from what its box cuts out of pair {name}"


def _footprint(matrix: NDArray[np.float64], valid: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The footprint (4, 2) in float64, of the TIR size that the stored one tells; None where it is no footprint."""
    size = np.rint(project(np.linalg.inv(matrix), valid)[2])
    quad = footprint(matrix, *size)
    return quad if np.allclose(valid, quad, rtol=1e-5, atol=ROUNDING) else None


def _box_faults(
    name: str,
    rows: NDArray[np.intp],
    box: NDArray[np.float64],
    size: tuple[int, int],
    again: NDArray[np.float64] | None,
) -> Iterator[str]:
    """Boxes of one pair that leave its picture, or are not the derived ones."""
    for row in rows:
        if box[row, :2].min() < -ROUNDING or (box[row, :2] + box[row, 2:] > np.add(size, ROUNDING)).any():
            yield f"patches/box {row}: outside its {size[0]}x{size[1]} picture"
    if again is None:
        return
    if len(again) != len(rows):
        yield f"patches/box: {len(rows)} of pair {name}, its settings give {len(again)}"
        return
    differs = np.abs(box[rows] - again).max(axis=1, initial=0) > ROUNDING
    if differs.any():
        yield f"patches/box {_rows(differs, rows)}: differs from what the settings give pair {name}"
