"""Shards -> samples: windows of one target for each branch, and what is to be learnt from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from pipeline import images
from pipeline.boxes import common_area
from trainer.data.controls.control import PARTNER, POLARITY, is_negative
from trainer.data.controls.misaligned import misalign, shift_of, shifted
from trainer.data.controls.shuffled import Partners, footprint_beside, swap_tir
from trainer.data.draws import PROPOSALS, Drawn, Draws
from trainer.data.feeds import Feeding
from trainer.data.loading import Sample
from trainer.data.shards import Source
from trainer.data.tracks import Tracks
from trainer.data.views.cut import box_in, cut_planes
from trainer.data.views.decoded import DecodedPictures
from trainer.data.views.pictures import Pictures, decode_pictures, side_by_side
from trainer.data.views.search_windows import Framed
from trainer.data.views.side_by_side import flip_box, joined_box, seam
from trainer.data.views.window import Window
from trainer.data.windowing import windowing_of
from trainer.recipes.geometry import TrackerSpec


class PairDataset(Dataset[Sample]):
    """Samples by draw number: what it picks (:class:`~trainer.data.draws.Draws`), then a window an image and branch.

    Every random number is a function of (seed, epoch, draw, branch, image), that of a window's brightness of its
    modality too: workers and resumption change nothing, nor does what else is fed. The index is ``epoch * samples +
    draw``. Where a branch sees several images, all of a sample that is of a window or a
    box is stacked over them, in front.

    Args:
        source: opened shards.
        pairs: which of its pairs to draw from.
        spec: the base tracker's geometry.
        feeding: which pictures each branch is fed.
        samples: draws an epoch.
        seed: of the run.
        jitter: False centres every window on its box.
        augment: brightness, gray-scale and mirrors as the base trackers train with.
        redraw: False repeats the windows of the first epoch, with new proposals.
        images: that each branch sees.
        tracks: where the test branch sees other instants than the reference branch.
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
        redraw: bool = True,
        images: int = 1,
        tracks: Tracks | None = None,
    ) -> None:
        self.source, self.spec, self.feeding, self.jitter = source, spec, feeding, jitter
        drawn: dict[str, Any] = {"augment": augment, "redraw": redraw, "images": images, "tracks": tracks}
        self.draws = Draws(source, pairs, spec, samples=samples, seed=seed, **drawn)
        self.windowing = windowing_of(spec)
        self._extents: dict[int, tuple[tuple[int, int], NDArray[np.float64]]] = {}
        self.partners = Partners(source, pairs) if feeding.shuffled else None
        self.decoded = DecodedPictures()

    def __len__(self) -> int:
        return self.draws.samples

    def pair(self, index: int) -> int:
        """The pair that a sample is of, told without cutting its windows."""
        return self._pair(self.draws.draw(index))

    def _pair(self, drawn: Drawn) -> int:
        """Of a reference window of another scene the pair is not that of the draw."""
        return self.draws.pair_of(drawn.patches[drawn.foreign][0])

    def __getitem__(self, index: int) -> Sample:
        drawn = self.draws.draw(index)
        pictures = {
            patch: self._controlled(index, patch, self._pictures(index, patch, views))
            for patch, views in drawn.shown.items()
        }
        if drawn.drained:
            for each in pictures.values():
                each.drain()
        negative = [self.feeding.gray and is_negative(self.draws.rng(index, POLARITY + b)) for b in (0, 1)]
        views: list[Sample] = []
        for image in range(self.draws.images):
            sample: Sample = {}
            for branch in (0, 1):
                shown, mirrored = pictures[drawn.patches[branch][image]], drawn.mirrored[branch][image]
                if self.feeding.joined:
                    shown, mirrored = side_by_side(shown, mirrored), False
                shown = shown.negative() if negative[branch] else shown
                sample |= self._view(index, branch, image, shown, mirrored)
            rng = self.draws.rng(index, PROPOSALS, image)
            views.append(sample | self.windowing.targets(sample["test_box"], rng, drawn.foreign))
        sample = {"pair": self._pair(drawn)} | _stacked(views)
        return {key: np.asarray(value, np.float32) if _is_real(value) else value for key, value in sample.items()}

    def framed(self, index: int) -> tuple[Framed, Framed]:
        """What the windows of a draw show, by branch, told without decoding a picture; of several images the first.

        In pictures of full size: where a draw is decoded smaller its window may lie up to a pixel beside this one.
        """
        drawn = self.draws.draw(index)
        return self._framed(index, 0, drawn), self._framed(index, 1, drawn)

    def told(self, draws: int) -> dict[str, float]:
        """What of the first draws is not as it usually is: what it is -> its share; empty where nothing can be."""
        told = self.windowing.told(self._framed(index, 1, self.draws.draw(index)).box for index in range(draws))
        if self.spec.foreign:
            told["other_scene"] = float(np.mean([self.draws.draw(index).foreign for index in range(draws)]))
        return told

    def _framed(self, index: int, branch: int, drawn: Drawn) -> Framed:
        """What the first window of a branch shows."""
        patch, mirrored = drawn.patches[branch][0], drawn.mirrored[branch][0]
        pair = self.draws.pair_of(patch)
        (width, height), _ = self._extent(pair)
        boxes = (self.source.box[patch], self._shown_area(index, pair))
        if self.feeding.joined:
            box, area = (flip_box(each, width) for each in boxes) if mirrored else boxes
            first, last = seam(box, width)
            boxes, mirrored = (joined_box(box, last - first), joined_box(area, last - first)), False
            width += last - first
        window = self._window(branch, boxes[0], (width, height), self.draws.rng(index, branch))
        return Framed(*(box_in(window, each, mirrored) for each in boxes))

    def _extent(self, pair: int) -> tuple[tuple[int, int], NDArray[np.float64]]:
        """(width, height) of a pair's stored pictures, and what the TIR camera sees of them, (4, 2)."""
        if pair not in self._extents:
            reader, row = self.source.stored(pair)
            size = images.picture_size(reader.encoded("rgb", row), reader.name("rgb", row))
            self._extents[pair] = size, reader.valid(row)
        return self._extents[pair]

    def _shown_area(self, index: int, pair: int) -> NDArray[np.float64]:
        """The box (4,) of what both cameras see of a pair as it is fed: under a control not with its own TIR."""
        size, footprint = self._extent(pair)
        if self.partners:
            partner = self.partners.draw(pair, self.draws.rng(index, PARTNER))
            return common_area(size, footprint, footprint_beside(self.source, partner, size))
        if control := self.feeding.control:
            return common_area(size, *shifted(footprint, size, shift_of(self.source, pair, control)))
        return common_area(size, footprint)

    def _pictures(self, index: int, patch: int, views: Iterable[tuple[int, int]]) -> Pictures:
        """What the feeding asks for of a patch's pair, decoded as small as keeps a pixel for each of the windows'.

        The windows are told by branch and image. How small both pictures say, whatever is fed: or an RGB window would
        be another where the TIR is no JPEG and is fed too.
        """
        pair, box = self.draws.pair_of(patch), self.source.box[patch]
        reader, row = self.source.stored(pair)
        encoded = {name: reader.encoded(name, row) for name in ("rgb", "tir")}
        reduce = 1
        if not self.feeding.joined:
            size = images.picture_size(encoded["rgb"], reader.name("rgb", row))
            rngs = [(branch, self.draws.rng(index, branch, image)) for branch, image in views]
            coarseness = min(self._window(branch, box, size, rng).coarseness for branch, rng in rngs)
            reduce = min(images.reduction(data, coarseness) for data in encoded.values())
        return decode_pictures(
            self.decoded, reader, row, {name: encoded[name] for name in self.feeding.stored}, box, reduce
        )

    def _controlled(self, index: int, patch: int, pictures: Pictures) -> Pictures:
        """The pictures of a patch's pair with what the feeding puts in the place of its own."""
        pair = self.draws.pair_of(patch)
        if self.feeding.gray:
            return pictures.without_colour()
        if self.partners:
            # Instants of one object are of one sequence, and get one partner.
            swap_tir(pictures, self.source, self.partners.draw(pair, self.draws.rng(index, PARTNER)), self.decoded)
        elif control := self.feeding.control:
            reduce = float(self.source.box[patch, 3] / pictures.box[3])
            misalign(pictures, self.source, pair, control, reduce)
        return pictures

    def _window(self, branch: int, box: NDArray[np.float64], size: tuple[int, int], rng: np.random.Generator) -> Window:
        return self.windowing.window(branch, box, size, rng, self.jitter)

    def _view(self, index: int, branch: int, image: int, pictures: Pictures, mirrored: bool) -> Sample:
        """One branch's window: its pictures (3, S, S) uint8 by modality, and the box *in this very window*."""
        name: Literal["reference", "test"] = "test" if branch else "reference"
        window = self._window(branch, pictures.box, pictures.size, self.draws.rng(index, branch, image))
        gains = {fed: self.draws.brightness(index, branch, image, fed) for fed in self.feeding.cut(name)}
        planes = cut_planes(pictures, gains, window, mirrored)
        view: Sample = {f"{name}_{fed}": cut for fed, cut in planes.items()}
        return view | {f"{name}_box": box_in(window, pictures.box, mirrored)}


def _stacked(views: list[Sample]) -> Sample:
    """The images of a sample as one; a single one stays as it is."""
    if len(views) == 1:
        return views[0]
    return {name: np.stack([view[name] for view in views]) for name in views[0]}


def _is_real(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.float64
