"""What leaves: each pair of a folder of shards with its pictures as they are stored, and its boxes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import images
from pipeline.errors import DataError
from pipeline.records import inside_root
from pipeline.shards.cure import cure
from pipeline.shards.index import ShardIndex, shard_faults
from pipeline.shards.reader import ShardReader
from pipeline.shards.schema import MODALITIES, NO_TRACK

Picture = tuple[str, bytes]
"""Its path below a modality's folder, with a suffix, and its bytes."""


@dataclass(frozen=True, eq=False)
class Entry:
    """A pair.

    Attributes:
        pair_id: ``sequence/frame``.
        size: (width, height) of both pictures.
        pictures: modality -> picture.
        boxes: (n, 4) float32 x, y, w, h in pixels of the pictures, pixel edges.
        scores: (n,) float32, 0 to 1.
        classes: (n,) of shards; -1 for none.
        tracks: (n,) number of the object in its sequence; -1 where it is not known.
    """

    pair_id: str
    size: tuple[int, int]
    pictures: dict[str, Picture]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]
    tracks: NDArray[np.int32]

    def take(self, rows: NDArray[np.bool_]) -> Entry:
        """The same pair with some of its boxes."""
        return replace(
            self,
            boxes=self.boxes[rows],
            scores=self.scores[rows],
            classes=self.classes[rows],
            tracks=self.tracks[rows],
        )

    def columns(self) -> Iterator[tuple[list[float], float, int, int | None]]:
        """Box, score, class and object (None where it is not known) of each box, in the fewest digits of float32."""
        rows = zip(self.boxes, self.scores, self.classes, self.tracks, strict=True)
        for box, score, kind, track in rows:
            yield [_short(side) for side in box], _short(score), int(kind), None if track == NO_TRACK else int(track)


def _short(number: np.float32) -> float:
    return float(str(number))


def entries(folder: Path, index: ShardIndex) -> Iterator[Entry]:
    """The pairs of a folder, in its order; a shard is held against its hash before anything of it leaves.

    Raises:
        DataError: a shard is missing, altered or damaged, a pair's id is no path below a folder, or stands twice.
    """
    seen: set[str] = set()
    for entry in index.shards:
        path = folder / entry.file
        for fault in shard_faults(folder, entry):
            raise DataError(f"{fault}: {cure(folder, index, resume=True)}")
        with closing(ShardReader(path)) as reader:
            for pair in _pairs(reader, cure(folder, index, resume=False)):
                if pair.pair_id in seen:
                    raise DataError(f"{path}: pair {pair.pair_id} stands twice: {cure(folder, index, resume=False)}")
                seen.add(pair.pair_id)
                yield pair


def _pairs(reader: ShardReader, remedy: str) -> Iterator[Entry]:
    owner, tracks = reader.array("patches/pair"), reader.tracks()
    box, score = (np.asarray(reader.array(f"patches/{name}"), np.float32) for name in ("box", "score"))
    kind = np.asarray(reader.array("patches/class"), np.int64)
    for pair, pair_id in enumerate(reader.ids()):
        encoded = {modality: reader.encoded(modality, pair) for modality in MODALITIES}
        try:
            name = inside_root(pair_id)
        except ValueError as error:
            raise DataError(f"{reader.path}: pair {pair}: {error}: {remedy}") from error
        try:
            pictures = {
                modality: (name + images.picture_suffix(data, reader.name(modality, pair)), data)
                for modality, data in encoded.items()
            }
        except images.UnreadableImageError as error:
            raise DataError(f"{error}: {remedy}") from error
        size = images.picture_size(encoded["rgb"], reader.name("rgb", pair))
        rows = np.flatnonzero(owner == pair)
        yield Entry(pair_id, size, pictures, box[rows], score[rows], kind[rows], tracks[rows])
