"""Shards -> samples: a pair, one of its patches, and a window of it for each branch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset, Sampler

from pipeline import images
from pipeline.boxes import common_area, iou
from pipeline.errors import DataError
from pipeline.labels import LABEL_KERNEL, box_state, gaussian_label
from pipeline.shards.reader import ShardReader
from trainer.data import search_windows
from trainer.data.feeds import Feeding
from trainer.data.pictures import Pictures, decode_pictures, side_by_side
from trainer.data.proposals import mixture_boxes, mixture_densities, perturbed_boxes
from trainer.data.shards import Source
from trainer.data.side_by_side import flip_box, joined_box, seam
from trainer.recipes.geometry import TrackerSpec

MEAN_COLOUR = (124, 116, 104)
"""ImageNet's mean, R, G, B of 255: what lies outside the TIR footprint becomes zero after normalisation."""
GRAY = 0.05
BRIGHTNESS = (0.8, 1.2)
Sample = dict[str, Any]


class Drawn(NamedTuple):
    """What a draw picks: a pair, one of its patches (4,), and whether it loses its colour and is mirrored."""

    pair: int
    reader: ShardReader
    row: int
    box: NDArray[np.float64]
    drained: bool
    mirrored: bool


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
        self._extents: dict[int, tuple[tuple[int, int], NDArray[np.float64]]] = {}

    def __len__(self) -> int:
        return self.samples

    def __getitem__(self, index: int) -> Sample:
        drawn = self._draw(index)
        pictures, mirrored = self._pictures(index, drawn.reader, drawn.row, drawn.box), drawn.mirrored
        if drawn.drained:
            pictures.drain()
        if self.feeding.joined:
            pictures, mirrored = side_by_side(pictures, mirrored), False
        sample: Sample = {"pair": drawn.pair}
        for branch in (0, 1):
            sample |= self._view(branch, pictures, mirrored, self._rng(index, branch))
        sample |= self._targets(sample["test_box"], self._rng(index, 3))
        return {key: np.asarray(value, np.float32) if _is_real(value) else value for key, value in sample.items()}

    def framed(self, index: int) -> tuple[search_windows.Framed, search_windows.Framed]:
        """What the windows of a draw show, by branch, told without decoding a picture.

        In pictures of full size: where a draw is decoded smaller its window may lie up to a pixel beside this one.
        """
        drawn, size = self._draw(index), self.spec.size
        (width, height), area = self._extent(drawn)
        boxes, mirrored = (drawn.box, area), drawn.mirrored
        if self.feeding.joined:
            box, area = (flip_box(each, width) for each in boxes) if mirrored else boxes
            first, last = seam(box, width)
            boxes, mirrored = (joined_box(box, last - first), joined_box(area, last - first)), False
            width += last - first
        windows = [self._window(branch, boxes[0], (width, height), self._rng(index, branch)) for branch in (0, 1)]
        seen = [[window.to_window(each) for each in boxes] for window in windows]
        if mirrored:
            seen = [[search_windows.mirrored_in_window(each, size) for each in shown] for shown in seen]
        return search_windows.Framed(*seen[0]), search_windows.Framed(*seen[1])

    def _draw(self, index: int) -> Drawn:
        """What a draw picks, out of random numbers alone."""
        choose = self._rng(index, 2)
        pair = int(self.pairs[choose.integers(len(self.pairs))])
        shard, row, first, end = self.source.place[pair]
        box = self.source.box[choose.integers(first, end)]
        drained = self.augment and choose.random() < GRAY
        mirrored = self.augment and choose.random() < self.spec.flip
        return Drawn(pair, self.source.readers[shard], int(row), box, bool(drained), bool(mirrored))

    def _extent(self, drawn: Drawn) -> tuple[tuple[int, int], NDArray[np.float64]]:
        """(width, height) of a pair's stored pictures, and the box (4,) of what both cameras see of them."""
        if drawn.pair not in self._extents:
            name = self.feeding.reference[0].partition("-")[0]
            size = images.picture_size(drawn.reader.encoded(name, drawn.row), drawn.reader.name(name, drawn.row))
            self._extents[drawn.pair] = size, common_area(size, drawn.reader.valid(drawn.row))
        return self._extents[drawn.pair]

    def _rng(self, index: int, stream: int) -> np.random.Generator:
        """Random numbers of a draw: streams 0 and 1 are the branches' windows, 2 what is drawn, 3 the proposals."""
        return np.random.default_rng([self.seed, *divmod(int(index), self.samples), stream])

    def _pictures(self, index: int, reader: ShardReader, row: int, box: NDArray[np.float64]) -> Pictures:
        """What the feeding asks for of a pair, decoded as small as keeps a pixel for each pixel of the windows."""
        names = sorted({name for fed in (*self.feeding.reference, *self.feeding.test) for name in fed.split("-")})
        encoded = {name: reader.encoded(name, row) for name in names}
        reduce = 1
        if not self.feeding.joined:
            size = images.picture_size(encoded[names[0]], reader.name(names[0], row))
            sides = [self._window(branch, box, size, self._rng(index, branch)).side for branch in (0, 1)]
            reduce = min(images.reduction(data, min(sides) / self.spec.size) for data in encoded.values())
        return decode_pictures(reader, row, encoded, box, reduce)

    def _window(
        self, branch: int, box: NDArray[np.float64], size: tuple[int, int], rng: np.random.Generator
    ) -> search_windows.Window:
        spec = self.spec
        scale = (spec.centre_jitter[branch], spec.scale_jitter[branch]) if self.jitter else (0.0, 0.0)
        return search_windows.search_window(search_windows.jitter(box, *scale, rng), size, spec)

    def _view(self, branch: int, pictures: Pictures, mirrored: bool, rng: np.random.Generator) -> Sample:
        """One branch's window: its pictures (3, S, S) uint8 by modality, and the box *in this very window*."""
        name, feeds = (("reference", self.feeding.reference), ("test", self.feeding.test))[branch]
        window = self._window(branch, pictures.box, pictures.size, rng)
        seen = window.to_window(pictures.box)
        blank = None if pictures.unseen is None else search_windows.extract(pictures.unseen, window)
        view: Sample = {}
        for fed in feeds:
            cut = search_windows.extract(pictures.fed[fed], window)
            if self.augment:
                cut = cv2.convertScaleAbs(cut, alpha=rng.uniform(*BRIGHTNESS)).astype(np.uint8, copy=False)
            if cut.ndim == 2:
                cut = cv2.cvtColor(cut, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
            if blank is not None:
                # After the colours were changed, so that both modalities end up alike.
                cv2.copyTo(_mean_picture(window.size), blank, cut)
            planes = np.empty((3, window.size, window.size), np.uint8)
            cv2.split(cut, list(planes))
            view[f"{name}_{fed}"] = np.ascontiguousarray(planes[..., ::-1]) if mirrored else planes
        if mirrored:
            seen = search_windows.mirrored_in_window(seen, window.size)
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
            proposals = mixture_boxes(box, spec.proposals, rng)
            density, truth = mixture_densities(proposals, box)
            targets |= {"density": density, "truth_density": truth}
        else:
            proposals, _ = perturbed_boxes(box, spec.proposals, rng)
        return targets | {"proposals": proposals, "proposal_iou": iou(proposals, box)}


@cache
def _mean_picture(size: int) -> NDArray[np.uint8]:
    return np.full((size, size, 3), MEAN_COLOUR, np.uint8)


def _is_real(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.float64


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
    """The draw numbers of one epoch, this process's share of them.

    The loop sets ``epoch``, and ``first``: how many of the share to pass over, which were drawn before an interruption.
    Every process gets as many, or one would wait for the others' last step: up to ``world_size - 1`` draws are left
    out.
    """

    def __init__(self, samples: int, rank: int = 0, world_size: int = 1) -> None:
        self.samples, self.rank, self.world_size = samples, rank, world_size
        self.epoch = self.first = 0

    def __iter__(self) -> Iterator[int]:
        start = self.epoch * self.samples
        end = start + self.samples // self.world_size * self.world_size
        yield from range(start + self.rank + self.first * self.world_size, end, self.world_size)

    def __len__(self) -> int:
        return self.samples // self.world_size - self.first
