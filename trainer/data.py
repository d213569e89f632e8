"""Shards -> samples: a pair, one of its patches, and a window of it for each branch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset, Sampler

from pipeline.boxes import iou
from pipeline.errors import DataError
from pipeline.labels import LABEL_KERNEL, box_state, gaussian_label
from pipeline.shards.reader import ShardReader
from trainer import crops
from trainer.feeding import Feeding
from trainer.joining import flip, flip_box, join
from trainer.source import Source
from trainer.trackers import TrackerSpec

MEAN_COLOUR = (124, 116, 104)
"""ImageNet's mean, R, G, B of 255: what lies outside the TIR footprint becomes zero after normalisation."""
GRAY = 0.05
BRIGHTNESS = (0.8, 1.2)
UNSEEN = "unseen"
"""Name of the mask (255 where the TIR camera does not see) among the pictures of a pair."""
Sample = dict[str, Any]
Pictures = dict[str, NDArray[np.uint8]]


class PairDataset(Dataset[Sample]):
    """Samples by draw number. A draw picks a pair uniformly, then one of its patches, then a window a branch.

    Every random number is a function of (seed, epoch, draw, branch): workers and resumption change nothing. The index
    is ``epoch * samples + draw``.

    Args:
        source: opened shards.
        pairs: which of its pairs to draw from.
        spec: the base tracker's geometry.
        feeding: which pictures each branch is fed.
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
        feeding: Feeding,
        *,
        samples: int,
        seed: int,
        jitter: bool = True,
        augment: bool = True,
    ) -> None:
        self.source, self.pairs, self.spec, self.feeding = source, pairs, spec, feeding
        self.samples, self.seed, self.jitter, self.augment = samples, seed, jitter, augment

    def __len__(self) -> int:
        return self.samples

    def __getitem__(self, index: int) -> Sample:
        epoch, draw = divmod(int(index), self.samples)
        choose = np.random.default_rng([self.seed, epoch, draw, 2])
        pair = int(self.pairs[choose.integers(len(self.pairs))])
        shard, row, first, end = self.source.place[pair]
        box = self.source.box[choose.integers(first, end)]
        pictures = self._pictures(self.source.readers[shard], int(row))
        if self.augment and choose.random() < GRAY and "rgb" in pictures:
            gray = cv2.cvtColor(pictures["rgb"], cv2.COLOR_RGB2GRAY)
            pictures["rgb"] = np.repeat(np.asarray(gray, np.uint8)[..., None], 3, axis=2)
        mirrored = self.augment and choose.random() < self.spec.flip
        if self.feeding.joined:
            # Flips happen before joining, or RGB and TIR would change sides.
            if mirrored:
                box = flip_box(box, pictures["rgb"].shape[1])
                pictures = {name: flip(picture) for name, picture in pictures.items()}
            pictures, box = _joined(pictures, box)
            mirrored = False
        sample: Sample = {"pair": pair}
        for branch, name in enumerate(("reference", "test")):
            rng = np.random.default_rng([self.seed, epoch, draw, branch])
            sample |= self._view(name, branch, pictures, box, mirrored, rng)
        sample |= self._targets(sample["test_box"], np.random.default_rng([self.seed, epoch, draw, 3]))
        return {key: np.asarray(value, np.float32) if _is_real(value) else value for key, value in sample.items()}

    def _pictures(self, reader: ShardReader, row: int) -> Pictures:
        """The pictures of a pair that the feeding asks for, (H, W, 3), and what the TIR camera does not see."""
        wanted = {name for fed in (*self.feeding.reference, *self.feeding.test) for name in fed.split("-")}
        pictures = _read(reader, row, wanted)
        unseen = _unseen(reader, row, next(iter(pictures.values())).shape[:2])
        return pictures if unseen is None else pictures | {UNSEEN: unseen}

    def _view(
        self,
        name: str,
        branch: int,
        pictures: Pictures,
        box: NDArray[np.float64],
        mirrored: bool,
        rng: np.random.Generator,
    ) -> Sample:
        """One branch's window: its pictures (3, S, S) uint8 by modality, and the box *in this very window*."""
        spec = self.spec
        scale = (spec.centre_jitter[branch], spec.scale_jitter[branch]) if self.jitter else (0.0, 0.0)
        height, width = next(iter(pictures.values())).shape[:2]
        window = crops.search_window(crops.jitter(box, *scale, rng), (width, height), spec)
        seen = window.to_window(box)
        blank = crops.extract(pictures[UNSEEN], window) > 0 if UNSEEN in pictures else None
        view: Sample = {}
        for fed in (self.feeding.reference, self.feeding.test)[branch]:
            cut = crops.extract(pictures[fed], window)
            if self.augment:
                cut = cv2.convertScaleAbs(cut, alpha=rng.uniform(*BRIGHTNESS)).astype(np.uint8, copy=False)
            if blank is not None:
                # After the colours were changed, so that both modalities end up alike.
                cut[blank] = MEAN_COLOUR
            if mirrored:
                cut = cut[:, ::-1]
            view[f"{name}_{fed}"] = np.ascontiguousarray(np.moveaxis(cut, -1, 0))
        if mirrored:
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


def _joined(pictures: Pictures, box: NDArray[np.float64]) -> tuple[Pictures, NDArray[np.float64]]:
    """RGB left of TIR, TIR left of RGB, and the box of the joined target, which is the same in both."""
    rgb, tir = pictures["rgb"], pictures["tir"]
    first, both = join(rgb, tir, box)
    joined = {"rgb-tir": first, "tir-rgb": join(tir, rgb, box)[0]}
    if UNSEEN in pictures:
        joined[UNSEEN] = join(pictures[UNSEEN], pictures[UNSEEN], box)[0]
    return joined, both


def _read(reader: ShardReader, row: int, modalities: set[str]) -> Pictures:
    """The pictures of a pair as (H, W, 3)."""
    pictures: Pictures = {}
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
    """The draw numbers of one epoch, this process's share of them; ``epoch`` is set by the loop.

    Every process gets as many, or one would wait for the others' last step: up to ``world - 1`` draws are left out.
    """

    def __init__(self, samples: int, rank: int = 0, world: int = 1) -> None:
        self.samples, self.rank, self.world, self.epoch = samples, rank, world, 0

    def __iter__(self) -> Iterator[int]:
        start = self.epoch * self.samples
        yield from range(start + self.rank, start + len(self) * self.world, self.world)

    def __len__(self) -> int:
        return self.samples // self.world
