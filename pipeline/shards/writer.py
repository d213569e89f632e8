"""Write one shard: never append, never in place. x.h5.part -> close -> fsync -> rename -> stats file last."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline import DISTRIBUTION
from pipeline.labels import box_state, centred_label
from pipeline.records import Reject, write_json
from pipeline.shards.schema import LABEL_ATTRS, MODALITIES, SCHEMA_VERSION
from pipeline.shards.sink import created


@dataclass(frozen=True)
class Pair:
    """One stored pair: encoded pictures (TIR in the RGB frame), the matrix applied, the TIR footprint (4, 2)."""

    pair_id: str
    rgb: bytes
    tir: bytes
    homography: NDArray[np.float64]
    valid: NDArray[np.float64]


@dataclass(frozen=True)
class Patch:
    """One patch: row of its pair, pseudo box (4,), score, class, and the tight cut-outs unless they are left out."""

    pair: int
    box: NDArray[np.float64]
    score: float
    category: int
    rgb: NDArray[np.uint8] | None
    tir: NDArray[np.uint8] | None


@dataclass
class Shard:
    """What goes into one file, collected in memory (some 100 MB at the default of 500 pairs)."""

    config: dict[str, object]
    detector: str = ""
    weights_sha256: str = ""
    patch_size: int = 0
    pairs: list[Pair] = field(default_factory=list)
    patches: list[Patch] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


def stats_path(shard: Path) -> Path:
    """The stats file that marks a shard as complete."""
    return shard.with_name(shard.stem + ".stats.json")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_shard(path: Path, shard: Shard) -> None:
    """Write a shard and, when it is safely on disk, its stats file."""
    part = path.with_name(path.name + ".part")
    with created(part) as file:
        _write_attrs(file, shard)
        _write_pairs(file, shard.pairs)
        _write_patches(file, shard.patches, shard.patch_size)
    digest, size = file_sha256(part), part.stat().st_size
    part.replace(path)
    classes = Counter(patch.category for patch in shard.patches)
    content: dict[str, object] = {
        "file": path.name,
        "sha256": digest,
        "bytes": size,
        "pairs": len(shard.pairs),
        "patches": len(shard.patches),
        "classes": {str(category): classes[category] for category in sorted(classes)},
        "rejects": [reject.model_dump() for reject in shard.rejects],
    }
    write_json(stats_path(path), content)


def config_text(config: dict[str, object]) -> str:
    """The settings as they are stored and hashed: canonical JSON."""
    return json.dumps(config, sort_keys=True, separators=(",", ":"))


def _write_attrs(file: h5py.File, shard: Shard) -> None:
    config = config_text(shard.config)
    file.attrs["schema_version"] = SCHEMA_VERSION
    file.attrs["method"] = str(shard.config["method"])
    file.attrs["config"] = config
    file.attrs["config_sha256"] = hashlib.sha256(config.encode()).hexdigest()
    file.attrs["tool_version"] = version(DISTRIBUTION)
    file.attrs["detector"] = shard.detector
    file.attrs["weights_sha256"] = shard.weights_sha256


def _write_pairs(file: h5py.File, pairs: list[Pair]) -> None:
    for modality in MODALITIES:
        encoded: list[bytes] = [getattr(pair, modality) for pair in pairs]
        offset = np.zeros(len(pairs) + 1, np.int64)
        np.cumsum([len(data) for data in encoded], out=offset[1:])
        flat = file.create_dataset(f"pairs/{modality}/bytes", (int(offset[-1]),), np.uint8)
        if offset[-1]:
            flat.write_direct(np.frombuffer(b"".join(encoded), np.uint8))
        file.create_dataset(f"pairs/{modality}/offset", data=offset)
    ids = [pair.pair_id.encode() for pair in pairs]
    file.create_dataset("pairs/id", data=np.array(ids, dtype=f"S{max(map(len, ids), default=1)}"))
    matrices = np.array([pair.homography for pair in pairs], np.float64)
    file.create_dataset("pairs/homography", data=matrices.reshape(-1, 3, 3))
    file.create_dataset("pairs/valid", data=np.array([pair.valid for pair in pairs], np.float32).reshape(-1, 4, 2))


def _write_patches(file: h5py.File, patches: list[Patch], side: int) -> None:
    box = np.array([patch.box for patch in patches], np.float32).reshape(-1, 4)
    file.create_dataset("patches/pair", data=np.array([patch.pair for patch in patches], np.int32))
    file.create_dataset("patches/box", data=box)
    # From the stored float32 box, so that a reader who recomputes it gets the same bits.
    file.create_dataset("patches/state", data=box_state(box))
    label = file.create_dataset("patches/label", data=centred_label(len(patches)))
    label.attrs.update(LABEL_ATTRS)
    file.create_dataset("patches/score", data=np.array([patch.score for patch in patches], np.float32))
    file.create_dataset("patches/class", data=np.array([patch.category for patch in patches], np.int16))
    if side:
        for modality, shape in (("rgb", (side, side, 3)), ("tir", (side, side))):
            cut = [getattr(patch, modality) for patch in patches]
            file.create_dataset(f"patches/{modality}", data=np.array(cut, np.uint8).reshape(-1, *shape))
