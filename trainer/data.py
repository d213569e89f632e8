"""Shards -> samples: a pair, one of its patches, and a window of it for each branch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset, Sampler

from pipeline.boxes import iou
from pipeline.errors import DataError
from pipeline.labels import LABEL_KERNEL, box_state, gaussian_label
from pipeline.shards.index import ShardIndex, index_faults, load_index
from pipeline.shards.reader import ShardReader
from trainer import crops
from trainer.recipe import Fed
from trainer.split import held_out
from trainer.trackers import TrackerSpec

MEAN_COLOUR = (124, 116, 104)
"""ImageNet's mean, R, G, B of 255: what lies outside the TIR footprint becomes zero after normalisation."""
GRAY = 0.05
BRIGHTNESS = (0.8, 1.2)
Sample = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """Shards opened for training: readers, and the flat list of pairs with their patches."""

    indexes: tuple[ShardIndex, ...]
    readers: tuple[ShardReader, ...]
    names: tuple[tuple[str, str], ...]
    """(data set, pair_id) of every pair."""
    place: NDArray[np.int64]
    """(pairs, 4): reader, row of ``pairs``, first patch, end of patches in :attr:`box`."""
    box: NDArray[np.float64]
    """(patches, 4) pseudo boxes, grouped by pair."""


def open_source(folders: tuple[Path, ...], *, check: bool = True) -> Source:
    """Open folders of shards; every file is checked against its hash first.

    Raises:
        DataError: a folder without index, a shard that is missing, altered, cut short or of another schema, by name.
    """
    indexes = tuple(load_index(folder) for folder in folders)
    for folder, index in zip(folders, indexes):
        faults = index_faults(folder, index) if check else []
        if faults:
            raise DataError(f"{faults[0]} ({len(faults)} faults in all): `cmd-prep verify` lists them")
    readers: list[ShardReader] = []
    names: list[tuple[str, str]] = []
    places: list[NDArray[np.int64]] = []
    boxes: list[NDArray[np.float64]] = []
    total = 0
    for folder, index in zip(folders, indexes):
        data_set = Path(str(index.source.get("root", ""))).name
        for entry in index.shards:
            reader = ShardReader(folder / entry.file)
            ids, owner = reader.ids(), reader.array("patches/pair").astype(np.int64)
            order = np.argsort(owner, kind="stable")
            bounds = total + np.searchsorted(owner[order], np.arange(len(ids) + 1))
            boxes.append(reader.array("patches/box").astype(np.float64)[order])
            rows = np.arange(len(ids))
            places.append(np.stack([np.full(len(ids), len(readers)), rows, bounds[:-1], bounds[1:]], axis=1))
            names += [(data_set, pair_id) for pair_id in ids]
            total += len(owner)
            readers.append(reader)
            reader.close()
    place = np.concatenate(places) if places else np.zeros((0, 4), np.int64)
    if not total:
        raise DataError(f"{', '.join(map(str, folders))}: no patches in these shards: mine with other settings")
    return Source(indexes, tuple(readers), tuple(names), place, np.concatenate(boxes))


def split_pairs(source: Source, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the training pairs and of the held-out pairs; a pair without patches is in neither.

    Raises:
        DataError: nothing is left to train on.
    """
    train, test = held_out(source.names, share, seed)
    patched = source.place[:, 3] > source.place[:, 2]
    if not (train & patched).any():
        raise DataError(f"no pair is left for training, {np.sum(test)} are held out: lower --set held_out={share}")
    return np.flatnonzero(train & patched), np.flatnonzero(test & patched)


class PairDataset(Dataset[Sample]):
    """Samples by draw number. A draw picks a pair uniformly, then one of its patches, then a window a branch.

    Every random number is a function of (seed, epoch, draw, branch): workers and resumption change nothing. The index
    is ``epoch * samples + draw``.

    Args:
        source: opened shards.
        pairs: which of its pairs to draw from.
        spec: the base tracker's geometry.
        feeds: what the (reference, test) branch is fed.
        samples: draws an epoch.
        seed: of the run.
        jitter: False centres every window on its box.
        augment: brightness and gray-scale as the base trackers train with.
    """

    def __init__(
        self,
        source: Source,
        pairs: NDArray[np.int64],
        spec: TrackerSpec,
        feeds: tuple[Fed, Fed],
        *,
        samples: int,
        seed: int,
        jitter: bool = True,
        augment: bool = True,
    ) -> None:
        self.source, self.pairs, self.spec, self.feeds = source, pairs, spec, feeds
        self.samples, self.seed, self.jitter, self.augment = samples, seed, jitter, augment

    def __len__(self) -> int:
        return self.samples

    def __getitem__(self, index: int) -> Sample:
        epoch, draw = divmod(int(index), self.samples)
        choose = np.random.default_rng([self.seed, epoch, draw, 2])
        pair = int(self.pairs[choose.integers(len(self.pairs))])
        shard, row, first, end = self.source.place[pair]
        box = self.source.box[choose.integers(first, end)]
        reader = self.source.readers[shard]
        pictures = _read(reader, int(row), {m for fed in self.feeds for m in fed.split("-")})
        unseen = _unseen(reader, int(row), next(iter(pictures.values())).shape[:2])
        if self.augment and choose.random() < GRAY and "rgb" in pictures:
            gray = cv2.cvtColor(pictures["rgb"], cv2.COLOR_RGB2GRAY)
            pictures["rgb"] = np.repeat(np.asarray(gray, np.uint8)[..., None], 3, axis=2)
        flip = self.augment and choose.random() < self.spec.flip
        sample: Sample = {"pair": pair}
        for branch, name in enumerate(("reference", "test")):
            rng = np.random.default_rng([self.seed, epoch, draw, branch])
            sample |= self._view(name, branch, pictures, unseen, box, flip, rng)
        sample |= self._targets(sample["test_box"], np.random.default_rng([self.seed, epoch, draw, 3]))
        return {key: np.asarray(value, np.float32) if _is_real(value) else value for key, value in sample.items()}

    def _view(
        self,
        name: str,
        branch: int,
        pictures: dict[str, NDArray[np.uint8]],
        unseen: NDArray[np.uint8] | None,
        box: NDArray[np.float64],
        flip: bool,
        rng: np.random.Generator,
    ) -> Sample:
        """One branch's window: its pictures (3, S, S) uint8 by modality, and the box *in this very window*."""
        spec = self.spec
        scale = (spec.centre_jitter[branch], spec.scale_jitter[branch]) if self.jitter else (0.0, 0.0)
        height, width = next(iter(pictures.values())).shape[:2]
        window = crops.search_window(crops.jitter(box, *scale, rng), (width, height), spec)
        seen = window.to_window(box)
        blank = None if unseen is None else crops.extract(unseen, window) > 0
        view: Sample = {}
        for modality in self.feeds[branch].split("-"):
            cut = crops.extract(pictures[modality], window)
            if self.augment:
                cut = cv2.convertScaleAbs(cut, alpha=rng.uniform(*BRIGHTNESS)).astype(np.uint8, copy=False)
            if blank is not None:
                # After the colours were changed, so that both modalities end up alike.
                cut[blank] = MEAN_COLOUR
            if flip:
                cut = cut[:, ::-1]
            view[f"{name}_{modality}"] = np.ascontiguousarray(np.moveaxis(cut, -1, 0))
        if flip:
            # As the base trackers do: pixel x becomes (W-1) - x, for both corners of the box.
            seen[0] = (window.size - 1) - (seen[0] + seen[2])
        view[f"{name}_box"] = seen
        return view

    def _targets(self, box: NDArray[np.float64], rng: np.random.Generator) -> Sample:
        """Label g, state s and proposals of the test window."""
        spec = self.spec
        label = gaussian_label(
            box,
            feature_size=spec.cells,
            kernel_size=LABEL_KERNEL,
            image_size=spec.size,
            sigma_factor=spec.sigma_factor,
        )
        targets: Sample = {"label": label, "state": box_state(box)}
        if spec.mixture:
            proposals = crops.mixture_boxes(box, spec.proposals, rng)
            density, truth = crops.mixture_densities(proposals, box)
            targets |= {"density": density, "truth_density": truth}
        else:
            proposals, _ = crops.perturbed_boxes(box, spec.proposals, rng)
        return targets | {"proposals": proposals, "proposal_iou": iou(proposals, box)}


def _is_real(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.float64


def _read(reader: ShardReader, row: int, modalities: set[str]) -> dict[str, NDArray[np.uint8]]:
    """The pictures of a pair as (H, W, 3)."""
    pictures: dict[str, NDArray[np.uint8]] = {}
    if "rgb" in modalities:
        pictures["rgb"] = reader.rgb(row)
    if "tir" in modalities:
        pictures["tir"] = np.repeat(reader.tir(row)[..., None], 3, axis=2)
    return pictures


def _unseen(reader: ShardReader, row: int, size: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """255 where the TIR camera does not see, (H, W) of the pair's pictures; None where it sees everything."""
    height, width = size
    quad = np.asarray(reader.file["pairs/valid"][row], np.float64)
    whole = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    if np.allclose(quad, whole, atol=0.5):
        return None
    unseen = np.full((height, width), 255, np.uint8)
    cv2.fillConvexPoly(unseen, np.round((quad - 0.5) * 16).astype(np.int32), 0, cv2.LINE_8, 4)
    return unseen


def read_batches(loader: Iterable[Sample]) -> Iterator[Sample]:
    """Batches of a loader; bad data found by a loader process is told as if this one had found it.

    Raises:
        DataError: a picture or a shard cannot be read; the message names it.
    """
    try:
        yield from loader
    except DataError as error:
        # Across the process border torch sends the whole traceback as the message, "module.Class: message" last.
        *before, last = str(error).strip().splitlines()
        raise DataError(last.partition(": ")[2] if before else last) from error


class EpochSampler(Sampler[int]):
    """The draw numbers of one epoch, this process's share of them; ``epoch`` is set by the loop."""

    def __init__(self, samples: int, rank: int = 0, world: int = 1) -> None:
        self.samples, self.rank, self.world, self.epoch = samples, rank, world, 0

    def __iter__(self) -> Iterator[int]:
        start = self.epoch * self.samples
        yield from range(start + self.rank, start + self.samples, self.world)

    def __len__(self) -> int:
        return len(range(self.rank, self.samples, self.world))
