"""What a shard holds: every dataset with its shape and type, and the check that a file keeps to it.

n pairs and m patches a file. Encoded pictures lie back to back in one flat array with n + 1 offsets: no chunking and no
filters, so any reader seeks straight to a picture, and equal content gives equal bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import h5py
import numpy as np

from pipeline.labels import LABEL_CELLS, LABEL_STRIDE, SIGMA_FACTOR, WINDOW_FACTOR

SCHEMA_VERSION = "1.1"
MODALITIES = ("rgb", "tir")
ATTRS = ("schema_version", "method", "config", "config_sha256", "tool_version", "detector", "weights_sha256")
LABEL_ATTRS = {"stride": LABEL_STRIDE, "sigma_cells": SIGMA_FACTOR * LABEL_CELLS, "window_factor": WINDOW_FACTOR}
"""Attributes of ``patches/label``: pixels a cell, deviation in cells, side of the window over the box's."""

NO_TRACK = -1
"""Of a patch whose object is not known to be in other pictures."""
MIN_COVERAGE = 0.95
"""Share of a pseudo box that lies inside the TIR footprint, at least."""


@dataclass(frozen=True)
class Dataset:
    """One dataset: its shape in the symbols n, m, F, P, bytes (or a number), its type, and its meaning."""

    shape: tuple[str | int, ...]
    dtype: str
    meaning: str


DATASETS: dict[str, Dataset] = {
    "pairs/rgb/bytes": Dataset(("bytes_rgb",), "uint8", "encoded visible pictures back to back"),
    "pairs/rgb/offset": Dataset(("n+1",), "int64", "picture i is bytes[offset[i]:offset[i+1]]"),
    "pairs/tir/bytes": Dataset(("bytes_tir",), "uint8", "encoded thermal pictures, in the RGB frame"),
    "pairs/tir/offset": Dataset(("n+1",), "int64", "picture i is bytes[offset[i]:offset[i+1]]"),
    "pairs/id": Dataset(("n",), "S", "pair_id, UTF-8"),
    "pairs/sequence": Dataset(("n",), "S", "the sequence that the pair belongs to, UTF-8"),
    "pairs/frame": Dataset(("n",), "int64", "frames of the video from the first one of the sequence"),
    "pairs/homography": Dataset(("n", 3, 3), "float64", "TIR pixel -> RGB pixel, as applied"),
    "pairs/valid": Dataset(("n", 4, 2), "float32", "corners of the TIR footprint, stored-picture pixels"),
    "patches/pair": Dataset(("m",), "int32", "row of `pairs`"),
    "patches/box": Dataset(("m", 4), "float32", "pseudo box x, y, w, h, stored-picture pixels"),
    "patches/state": Dataset(("m", 4), "float32", "s = (cx/w, cy/h, log w, log h) of the box"),
    "patches/label": Dataset(("m", "F", "F"), "float32", "Gaussian label g of the centred window"),
    "patches/score": Dataset(("m",), "float32", "detector score, 1 where there was no detector"),
    "patches/class": Dataset(("m",), "int16", "detector class, -1 where there was none"),
    "patches/track": Dataset(("m",), "int32", "the object's number in its sequence, -1 where it is not known"),
}
TIGHT: dict[str, Dataset] = {
    "patches/rgb": Dataset(("m", "P", "P", 3), "uint8", "tight visible patch, R, G, B"),
    "patches/tir": Dataset(("m", "P", "P"), "uint8", "tight thermal patch"),
}
"""Present unless the shard was mined with ``--patch-size 0``."""
OLDER: dict[str, dict[str, Dataset | None]] = {
    "1.0": {
        "patches/label": Dataset(("m", "F", "F"), "float16", DATASETS["patches/label"].meaning),
        "patches/track": None,
        "pairs/sequence": None,
        "pairs/frame": None,
    },
}
"""Minor version -> the datasets that were otherwise in it; None for one that it had not."""
LATE = frozenset({"pairs/sequence", "pairs/frame"})
"""Datasets that came to this minor version after some of its files had been written: one may lack all of them."""


def compatible(schema_version: object) -> bool:
    """Whether this reader understands a shard of that version: the major numbers agree."""
    return str(schema_version).split(".")[0] == SCHEMA_VERSION.split(".")[0]


def faults(file: h5py.File) -> list[str]:
    """What is wrong with the structure of an open shard: one line a fault, none for a sound one.

    Looks at attributes, names, types, shapes and storage, reads only the offsets, and follows no link out of the file.
    """
    wrong = [f"attribute {name} is missing" for name in ATTRS if name not in file.attrs]
    wrong = wrong or [f"attribute {name} is not a string" for name in ATTRS if not _is_string(file, name)]
    if wrong:
        return wrong
    if not compatible(file.attrs["schema_version"]):
        return [
            f"schema version {file.attrs['schema_version']}, this reader knows {SCHEMA_VERSION}: mine again (CHANGELOG)"
        ]
    sizes: dict[str, int] = {}
    types = DATASETS | TIGHT | OLDER.get(str(file.attrs["schema_version"]), {})
    absent = {name for group in (TIGHT, LATE) if not any(each in file for each in group) for name in group}
    for name in (each for each in DATASETS | TIGHT if each not in absent):
        spec = types[name]
        if spec:
            wrong += _dataset_faults(file, name, spec, sizes)
        elif name in file:
            wrong.append(f"{name} is there, which schema {file.attrs['schema_version']} has not")
    return wrong or _offset_faults(file, sizes)


def _is_string(file: h5py.File, name: str) -> bool:
    """Whether an attribute is one string, told without reading it: HDF5 dies of lists that a damaged type announces."""
    attribute = file.attrs.get_id(name)
    return attribute.shape == () and h5py.check_string_dtype(attribute.dtype) is not None


def _dataset_faults(file: h5py.File, name: str, spec: Dataset, sizes: dict[str, int]) -> list[str]:
    """Check one dataset; ``sizes`` binds each symbol to the first length seen for it."""
    if name not in file:
        return [f"{name} is missing"]
    data = _own(file, name)
    if not isinstance(data, h5py.Dataset) or data.external or data.is_virtual or data.chunks:
        return [f"{name} is not a plain contiguous dataset of this file"]
    if (data.dtype.kind != "S") if spec.dtype == "S" else (data.dtype != np.dtype(spec.dtype)):
        return [f"{name} has type {data.dtype}, expected {spec.dtype}"]
    if data.ndim != len(spec.shape):
        return [f"{name} has shape {data.shape}, expected {spec.shape}"]
    for length, symbol in zip(data.shape, spec.shape):
        actual, expected = (length - 1, "n") if symbol == "n+1" else (length, symbol)
        bound = expected if isinstance(expected, int) else sizes.setdefault(expected, actual)
        if actual != bound:
            return [f"{name} has shape {data.shape}, expected {spec.shape} with {symbol} = {bound}"]
    return []


def _own(file: h5py.File, name: str) -> h5py.Group | h5py.Dataset | None:
    """What a path leads to by hard links alone; None where a soft or external link is on the way."""
    place: h5py.Group | h5py.Dataset = file
    for step in name.split("/"):
        if not isinstance(place.get(step, getlink=True), h5py.HardLink):
            return None
        place = place[step]
    return place


def _offset_faults(file: h5py.File, sizes: dict[str, int]) -> list[str]:
    """Offsets must rise from 0 to the length of their byte array, and patches must point at pairs."""
    wrong = []
    for modality in MODALITIES:
        offset = file[f"pairs/{modality}/offset"][:]
        if (
            len(offset) == 0
            or offset[0] != 0
            or offset[-1] != sizes[f"bytes_{modality}"]
            or (np.diff(offset) < 0).any()
        ):
            wrong.append(f"pairs/{modality}/offset does not partition pairs/{modality}/bytes")
    pair = file["patches/pair"][:]
    if len(pair) and (pair.min() < 0 or pair.max() >= sizes["n"]):
        wrong.append("patches/pair points at pairs that are not there")
    return wrong
