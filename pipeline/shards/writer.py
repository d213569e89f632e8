"""Write one shard: never append, never in place. x.h5.part -> close -> fsync -> rename -> stats file last."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline import tool_version
from pipeline.files.hashing import text_sha256
from pipeline.files.json_text import write_json
from pipeline.files.writing import written
from pipeline.labels import box_state, centred_label
from pipeline.records import Reject
from pipeline.shards.schema import LABEL_ATTRS, MODALITIES, NO_TRACK, SCHEMA_VERSION
from pipeline.shards.sink import write_hdf5

BLOCK = 64
"""Patches written at once: put together all at once they would take fresh memory in every shard."""


@dataclass(frozen=True)
class Pair:
    """One stored pair: encoded pictures (TIR in the RGB frame), the matrix applied, the TIR footprint (4, 2).

    And its sequence, with the frames of the video from the first one of that to this one.
    """

    pair_id: str
    rgb: bytes
    tir: bytes
    homography: NDArray[np.float64]
    valid: NDArray[np.float64]
    sequence: str
    frame: int


@dataclass(frozen=True)
class Patch:
    """One patch: row of its pair, pseudo box (4,), score, class, the cut-outs unless left out, its object's number."""

    pair: int
    box: NDArray[np.float64]
    score: float
    category: int
    rgb: NDArray[np.uint8] | None
    tir: NDArray[np.uint8] | None
    track: int = NO_TRACK


class Pile:
    """Bytes put one behind the other; the memory stays when they are dropped."""

    def __init__(self) -> None:
        self._memory = np.empty(1 << 20, np.uint8)
        self.ends = [0]

    def append(self, data: bytes) -> None:
        """Put bytes at the end."""
        start, end = self.ends[-1], self.ends[-1] + len(data)
        if end > len(self._memory):
            larger = np.empty(max(end, 2 * len(self._memory)), np.uint8)
            larger[:start] = self._memory[:start]
            self._memory = larger
        self._memory[start:end] = np.frombuffer(data, np.uint8)
        self.ends.append(end)

    def content(self) -> NDArray[np.uint8]:
        """All bytes, as they lie there until the next ``append`` or ``drop``."""
        return self._memory[: self.ends[-1]]

    def drop(self) -> None:
        """Forget the bytes."""
        self.ends = [0]


class Pairs:
    """The pairs of a shard, their pictures back to back as the file will have them."""

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self.homographies: list[NDArray[np.float64]] = []
        self.valid: list[NDArray[np.float64]] = []
        self.sequences: list[bytes] = []
        self.frames: list[int] = []
        self.encoded = {modality: Pile() for modality in MODALITIES}

    def clear(self) -> None:
        """Forget all pairs, but keep the memory: to map fresh memory costs more than to copy the pictures there."""
        for content in (self.ids, self.homographies, self.valid, self.sequences, self.frames):
            content.clear()
        for pile in self.encoded.values():
            pile.drop()

    def __len__(self) -> int:
        return len(self.ids)

    def append(self, pair: Pair) -> None:
        """Add a pair at the end."""
        self.ids.append(pair.pair_id.encode())
        self.homographies.append(pair.homography)
        self.valid.append(pair.valid)
        self.sequences.append(pair.sequence.encode())
        self.frames.append(pair.frame)
        self.encoded["rgb"].append(pair.rgb)
        self.encoded["tir"].append(pair.tir)


@dataclass
class Shard:
    """What goes into one file, collected in memory (some 100 MB at the default of 500 pairs).

    ``fallbacks``, the pairs without a detection that got a patch all the same, is None where nothing was detected.
    ``class_names`` are those of classes that COCO does not have, where ``config`` does not tell them.
    """

    config: dict[str, object]
    detector: str = ""
    weights_sha256: str = ""
    patch_size: int = 0
    pairs: Pairs = field(default_factory=Pairs)
    patches: list[Patch] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    fallbacks: int | None = None
    class_names: Mapping[int, str] = field(default_factory=dict)


def stats_path(shard: Path) -> Path:
    """The stats file that marks a shard as complete."""
    return shard.with_name(shard.stem + ".stats.json")


def write_shard(path: Path, shard: Shard) -> None:
    """Write a shard and, when it is safely on disk, its stats file."""

    def fill(file: h5py.File) -> None:
        _write_attrs(file, shard)
        _write_pairs(file, shard.pairs)
        _write_patches(file, shard.patches, shard.patch_size)

    with written(path) as part:
        digest = write_hdf5(part, fill)
        size = part.stat().st_size
    classes = Counter(patch.category for patch in shard.patches)
    content: dict[str, object] = {
        "file": path.name,
        "sha256": digest,
        "bytes": size,
        "pairs": len(shard.pairs),
        "patches": len(shard.patches),
        "classes": {str(category): classes[category] for category in sorted(classes)},
        "tracked": sum(patch.track != NO_TRACK for patch in shard.patches),
        "rejects": [reject.model_dump() for reject in shard.rejects],
    }
    if shard.fallbacks is not None:
        content["fallbacks"] = shard.fallbacks
    if shard.class_names:
        content["class_names"] = {str(number): name for number, name in sorted(shard.class_names.items())}
    write_json(stats_path(path), content)


def config_text(config: dict[str, object]) -> str:
    """The settings as they are stored and hashed: canonical JSON."""
    return json.dumps(config, sort_keys=True, separators=(",", ":"))


def _write_attrs(file: h5py.File, shard: Shard) -> None:
    config = config_text(shard.config)
    file.attrs["schema_version"] = SCHEMA_VERSION
    file.attrs["method"] = str(shard.config["method"])
    file.attrs["config"] = config
    file.attrs["config_sha256"] = text_sha256(config)
    file.attrs["tool_version"] = tool_version()
    file.attrs["detector"] = shard.detector
    file.attrs["weights_sha256"] = shard.weights_sha256


def _write_pairs(file: h5py.File, pairs: Pairs) -> None:
    for modality in MODALITIES:
        pile = pairs.encoded[modality]
        file.create_dataset(f"pairs/{modality}/bytes", data=pile.content())
        file.create_dataset(f"pairs/{modality}/offset", data=np.array(pile.ends, np.int64))
    for name, texts in (("id", pairs.ids), ("sequence", pairs.sequences)):
        longest = max(map(len, texts), default=1)
        file.create_dataset(f"pairs/{name}", data=np.array(texts, dtype=f"S{max(longest, 1)}"))
    file.create_dataset("pairs/frame", data=np.array(pairs.frames, np.int64))
    file.create_dataset("pairs/homography", data=np.array(pairs.homographies, np.float64).reshape(-1, 3, 3))
    file.create_dataset("pairs/valid", data=np.array(pairs.valid, np.float32).reshape(-1, 4, 2))


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
    file.create_dataset("patches/track", data=np.array([patch.track for patch in patches], np.int32))
    if side:
        for modality, shape in (("rgb", (side, side, 3)), ("tir", (side, side))):
            rows = file.create_dataset(f"patches/{modality}", (len(patches), *shape), np.uint8)
            for first in range(0, len(patches), BLOCK):
                block = [getattr(patch, modality) for patch in patches[first : first + BLOCK]]
                rows[first : first + BLOCK] = np.array(block, np.uint8)
