"""What a draw picks, out of random numbers alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.controls.shuffled import Partners
from trainer.data.shards import Source
from trainer.data.tracks import Tracks
from trainer.recipes.geometry import TrackerSpec

GRAY = 0.05
BRIGHTNESS = (0.8, 1.2)
CHOICE, PROPOSALS, INSTANTS, FLIPS = 2, 3, 4, 5
"""Streams of random numbers; 0 and 1 are the windows of the branches, ``FLIPS`` and the next their own mirrors."""
FOREIGN = 14
"""Stream of a draw's random numbers that puts another scene into the reference window."""
IMAGE = 32
"""Between the streams of one image of a branch and those of its next."""


@dataclass(frozen=True)
class Drawn:
    """What a draw picks.

    Attributes:
        patches: by branch and image, numbers of patches.
        drained: whether all of them lose their colour.
        mirrored: by branch and image, whether its window is seen in a mirror.
        foreign: whether the reference branch sees another scene than the test branch: there is nothing to find.
    """

    patches: tuple[list[int], list[int]]
    drained: bool
    mirrored: tuple[list[bool], list[bool]]
    foreign: bool = False

    @property
    def shown(self) -> dict[int, list[tuple[int, int]]]:
        """Patch -> the branches and images that see it."""
        views: dict[int, list[tuple[int, int]]] = {}
        for branch, patches in enumerate(self.patches):
            for image, patch in enumerate(patches):
                views.setdefault(patch, []).append((branch, image))
        return views


class Draws:
    """The draws of a run by number. A draw picks a pair uniformly, then one of its patches, then other instants.

    Args:
        source: opened shards.
        pairs: which of its pairs to draw from.
        spec: the base tracker's geometry.
        samples: draws an epoch; a draw's number is ``epoch * samples + draw``.
        seed: of the run.
        augment: whether windows lose their colour, change their brightness and are mirrored as the base trackers do it.
        redraw: whether every epoch draws anew; False repeats the windows of the first, with new proposals.
        images: that each branch sees.
        tracks: where the test branch sees other instants than the reference branch; None where it sees the same.
    """

    def __init__(
        self,
        source: Source,
        pairs: NDArray[np.int64],
        spec: TrackerSpec,
        *,
        samples: int,
        seed: int,
        augment: bool = True,
        redraw: bool = True,
        images: int = 1,
        tracks: Tracks | None = None,
    ) -> None:
        self.source, self.pairs, self.spec, self.tracks = source, pairs, spec, tracks
        self.samples, self.seed, self.augment, self.redraw, self.images = samples, seed, augment, redraw, images
        self._others = Partners.among(source, pairs) if spec.foreign else None

    def rng(self, index: int, stream: int, image: int = 0, picture: str = "") -> np.random.Generator:
        """Random numbers of a draw, a function of (seed, epoch, draw, stream, image of the branch, picture) alone."""
        epoch, draw = divmod(int(index), self.samples)
        words = [self.seed, epoch if self.redraw or stream == PROPOSALS else 0, draw, stream + IMAGE * image]
        # A key of its own, not one word more: numpy fills the words up with zeros, and would take one stream for two.
        return np.random.default_rng(np.random.SeedSequence(words, spawn_key=tuple(picture.encode())))

    def brightness(self, index: int, branch: int, image: int, picture: str) -> float:
        """By what the brightness of a window is multiplied in one picture (``tir``), whatever else is cut of it."""
        return self.rng(index, branch, image, picture).uniform(*BRIGHTNESS) if self.augment else 1.0

    def draw(self, index: int) -> Drawn:
        """What a draw picks."""
        choose = self.rng(index, CHOICE)
        pair = self.pairs[choose.integers(len(self.pairs))]
        patch = int(choose.integers(*self.source.place[pair, 2:]))
        drained = self.augment and choose.random() < GRAY
        flipped = self.augment and choose.random() < self.spec.flip
        patches = [patch] * self.images, [patch] * self.images
        if self.tracks:
            patches = self.tracks.draw(patch, self.images, self.rng(index, INSTANTS))
        mirrored = [[flipped != self._flips(index, branch, n) for n in range(self.images)] for branch in (0, 1)]
        other = self._other_scene(index, patches[1][0])
        if other is not None:
            patches = [other] * self.images, patches[1]
        return Drawn(patches, drained, (mirrored[0], mirrored[1]), other is not None)

    def _other_scene(self, index: int, patch: int) -> int | None:
        """A patch of another sequence for the reference branch, in as many draws as the base tracker was trained so."""
        if self._others is None:
            return None
        rng = self.rng(index, FOREIGN)
        if rng.random() >= self.spec.foreign:
            return None
        pair = self._others.draw(self.pair_of(patch), rng)
        return int(rng.integers(*self.source.place[pair, 2:]))

    def _flips(self, index: int, branch: int, image: int) -> bool:
        """Whether a window is mirrored by itself, beside all those of its draw."""
        likely = self.spec.window_flip if self.augment else 0
        return bool(likely and self.rng(index, FLIPS + branch, image).random() < likely)

    def pair_of(self, patch: int) -> int:
        """The pair of a patch."""
        return int(self.source.pair_of(patch))
