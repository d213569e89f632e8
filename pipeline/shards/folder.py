"""A folder of shards as two sequences, its pairs and its patches: for a notebook, or any program but the trainer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb, Tir
from pipeline.shards.index import ShardIndex, load_index
from pipeline.shards.reader import ShardReader
from pipeline.shards.schema import NO_TRACK

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class StoredPair:
    """An aligned pair.

    Attributes:
        pair_id: ``sequence/frame``.
        rgb: (H, W, 3) uint8 R, G, B.
        tir: (H, W) uint8, in the frame of the visible picture.
        homography: (3, 3) float64 TIR pixel -> RGB pixel, as applied.
        valid: (4, 2) float64 corners of what the TIR camera sees, in pixels of the pictures.
    """

    pair_id: str
    rgb: Rgb
    tir: Tir
    homography: NDArray[np.float64]
    valid: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StoredPatch:
    """A pseudo box and what is cut out and computed from it.

    Attributes:
        pair: its pair, a number in ``Shards.pairs``.
        box: (4,) float32 x, y, w, h in pixels of the pictures, pixel edges.
        state: (4,) float32 the box state s of Eq. 3: cx/w, cy/h, log w, log h.
        label: (F, F) Gaussian label g of the search window that is centred on the box.
        score: of the detector, 0 to 1; 1 where there was none.
        category: class that the detector gave, -1 where there was none.
        track: number of the object in its sequence, -1 where it is not known.
        rgb: (P, P, 3) uint8 what is in the box, R, G, B; None where patches were left out.
        tir: (P, P) uint8 likewise.
    """

    pair: int
    box: NDArray[np.float32]
    state: NDArray[np.float32]
    label: NDArray[np.floating]
    score: float
    category: int
    rgb: NDArray[np.uint8] | None
    tir: NDArray[np.uint8] | None
    track: int = NO_TRACK


class Rows(Sequence[T], Generic[T]):
    """Rows of all shards, one after the other, each read when it is asked for."""

    def __init__(self, counts: Sequence[int], read: Callable[[int, int], T]) -> None:
        self._starts = np.cumsum([0, *counts])
        self._read = read

    def __len__(self) -> int:
        return int(self._starts[-1])

    @overload
    def __getitem__(self, number: int) -> T: ...

    @overload
    def __getitem__(self, number: slice) -> list[T]: ...

    def __getitem__(self, number: int | slice) -> T | list[T]:
        """A row by its number, or a list of some.

        Raises:
            IndexError: there are not so many.
        """
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        at = range(len(self))[number]
        shard = int(np.searchsorted(self._starts, at, side="right")) - 1
        return self._read(shard, at - int(self._starts[shard]))

    def __iter__(self) -> Iterator[T]:
        return (self[number] for number in range(len(self)))


class Shards:
    """A folder of shards; picklable, safe under fork and spawn.

    Attributes:
        index: ``index.json``: settings, source, made_by, totals, and the files with their hashes.
        pairs: the stored pairs, in the order of their ids.
        patches: the stored patches, those of one pair together.
    """

    def __init__(self, folder: Path) -> None:
        self.index: ShardIndex = load_index(folder)
        self._readers = [ShardReader(folder / entry.file) for entry in self.index.shards]
        counts = [entry.pairs for entry in self.index.shards]
        self._first_pair = np.cumsum([0, *counts])
        self.pairs: Rows[StoredPair] = Rows(counts, self._pair)
        self.patches: Rows[StoredPatch] = Rows([entry.patches for entry in self.index.shards], self._patch)

    def _pair(self, shard: int, row: int) -> StoredPair:
        reader = self._readers[shard]
        matrix = np.asarray(reader.row("pairs/homography", row), np.float64)
        name = reader.row("pairs/id", row).item().decode()
        return StoredPair(name, reader.rgb(row), reader.tir(row), matrix, reader.valid(row))

    def _patch(self, shard: int, row: int) -> StoredPatch:
        reader = self._readers[shard]
        tight = "patches/rgb" in reader.file
        return StoredPatch(
            pair=int(self._first_pair[shard]) + int(reader.row("patches/pair", row)),
            box=reader.row("patches/box", row),
            state=reader.row("patches/state", row),
            label=reader.row("patches/label", row),
            score=float(reader.row("patches/score", row)),
            category=int(reader.row("patches/class", row)),
            rgb=reader.row("patches/rgb", row) if tight else None,
            tir=reader.row("patches/tir", row) if tight else None,
            track=int(reader.row("patches/track", row)) if "patches/track" in reader.file else NO_TRACK,
        )

    def close(self) -> None:
        """Close the files that this process has open; the next read opens them again."""
        for reader in self._readers:
            reader.close()


def open_shards(folder: str | Path) -> Shards:
    """Open a folder that ``cmd-prep mine`` wrote; hashes are not checked, ``cmd-prep verify`` does that.

    Raises:
        DataError: it is no such folder, or of another major schema version.
    """
    return Shards(Path(folder))
