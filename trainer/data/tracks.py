"""One object at several instants: which patches show it, in the order of time, and which of them a draw takes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.files.names import natural
from pipeline.shards.schema import NO_TRACK
from trainer.data.shards import UNTOLD, Source

STEP = 5
"""Frames by which the gap between two instants grows until there is one within it, as in pytracking."""
_DIGITS = re.compile(r"(\d+)")


class Tracks:
    """The objects of some pairs of a source. An object is told by its folder of shards, its sequence, its number.

    Args:
        source: opened shards.
        pairs: those of its pairs that count; an object's patches in others are not known.
        gap: frames between the base frame of a draw and another instant, at most.

    Attributes:
        patches: (k,) patches of objects, one object after the other, each in the order of time.
        gap: see above.
        frame: (k,) number of the frame that each is of; frames apart tell how far apart two instants are.
        first: (k,) where in :attr:`patches` the object of each begins.
        end: (k,) where it ends.
    """

    def __init__(self, source: Source, pairs: NDArray[np.int64], gap: int) -> None:
        self.gap = gap
        counts = source.place[:, 3] - source.place[:, 2]
        owner = np.repeat(np.arange(len(counts)), counts)
        counted = np.zeros(len(counts), bool)
        counted[pairs] = True
        patches = np.flatnonzero((source.track != NO_TRACK) & counted[owner])
        self.total = int(counts[pairs].sum())
        sequence, frame = _clock(source, np.unique(owner[patches]), gap)
        keys = frame[owner[patches]], source.track[patches], sequence[owner[patches]]
        order = np.lexsort(keys)
        self.patches, self.frame = patches[order], keys[0][order]
        changes = np.flatnonzero(np.any([np.diff(key[order]) != 0 for key in keys[1:]], axis=0)) + 1
        starts = np.concatenate([[0], changes, [len(order)]])[: None if len(order) else 1]
        lengths = np.diff(starts)
        self.first, self.end = np.repeat(starts[:-1], lengths), np.repeat(starts[1:], lengths)
        self._at = np.full(len(source.track), -1, np.int64)
        self._at[self.patches] = np.arange(len(order))
        self.lengths = lengths

    @classmethod
    def seen_twice(cls, source: Source, pairs: NDArray[np.int64], gap: int) -> Tracks | None:
        """The objects of some pairs; None where none of them is seen at several instants."""
        tracks = cls(source, pairs, gap)
        return tracks if tracks.moving else None

    @property
    def moving(self) -> bool:
        """Whether any object is seen at several instants."""
        return bool((self.lengths > 1).any())

    def told(self) -> dict[str, int]:
        """How many patches there are, of how many objects that are seen at several instants, how many of none."""
        moving = self.lengths > 1
        seen = int(self.lengths[moving].sum())
        return {"patches": self.total, "of_objects": seen, "objects": int(moving.sum()), "repeated": self.total - seen}

    def others(self, patch: int) -> NDArray[np.int64]:
        """The patches of a patch's object, itself among them, in the order of time; itself alone where it has none."""
        at = self._at[patch]
        return np.array([patch]) if at < 0 else self.patches[self.first[at] : self.end[at]]

    def draw(self, patch: int, images: int, rng: np.random.Generator) -> tuple[list[int], list[int]]:
        """The patches that the two branches see of the object of a patch, as DiMP and ATOM draw them ("causal").

        The reference branch sees the base frame first, then others of at most :attr:`gap` frames before it; the test
        branch sees such of at most as many after it, each with replacement. Either gap grows until there is one.
        The base is the patch, or another one of its object where nothing comes after it (or, for several images,
        before it). An object that is seen once is repeated, and so is the base where nothing can come before it.

        Args:
            patch: that was drawn.
            images: that each branch sees.
            rng: of the draw.

        Returns:
            Patches of the reference and of the test branch.
        """
        at = int(self._at[patch])
        first, end = (int(self.first[at]), int(self.end[at])) if at >= 0 else (0, 0)
        if end - first < 2:
            return [patch] * images, [patch] * images
        lowest = first + (images > 1 and end - first > 2)
        if not lowest <= at < end - 1:
            at = int(rng.integers(lowest, end - 1))
        frames = self.frame[first:end]
        after = first + np.searchsorted(
            frames, self.frame[at] + _reach(frames[at + 1 - first] - self.frame[at], self.gap), "right"
        )
        test = rng.integers(at + 1, after, images)
        reference = np.full(images, at)
        if images > 1 and at > first:
            before = self.frame[at] - _reach(self.frame[at] - frames[at - 1 - first], self.gap)
            reference[1:] = rng.integers(first + np.searchsorted(frames, before, "left"), at, images - 1)
        return self.patches[reference].tolist(), self.patches[test].tolist()


def _reach(nearest: int, gap: int) -> int:
    """A gap in frames that has grown until it takes in the nearest instant."""
    return gap + STEP * max(0, -(-(int(nearest) - gap) // STEP))


def _clock(source: Source, pairs: NDArray[np.int64], gap: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The sequence of every pair, as a number, and when in it; of ``pairs``, 0 for others.

    The shards say when; of those that do not it is told from the ids (:func:`frame_numbers`).
    """
    sequence, frame = np.zeros((2, len(source.names)), np.int64)
    known: dict[tuple[str, str], int] = {}
    members: list[list[int]] = []
    folders = [str(reader.path.parent) for reader in source.readers]
    for pair, shard in zip(pairs.tolist(), source.place[pairs, 0].tolist()):
        number = known.setdefault((folders[shard], source.sequence[pair]), len(known))
        if number == len(members):
            members.append([])
        members[number].append(pair)
        sequence[pair] = number
    for own in members:
        if (source.frame[own] != UNTOLD).all():
            frame[own] = source.frame[own]
            continue
        own.sort(key=lambda pair: natural(source.names[pair][1].rpartition("/")[2]))
        frame[own] = frame_numbers([source.names[pair][1] for pair in own], gap)
    return sequence, frame


def frame_numbers(ids: Sequence[str], reach: int) -> NDArray[np.int64]:
    """The frame number (n,) of each pair of one sequence.

    It is the number in the ids where they differ in one number alone, and neighbours are within reach of one another
    (times of day are not); else their place in the order.

    Args:
        ids: of the pairs, in natural order.
        reach: frames beyond which nothing is compared.
    """
    order = np.arange(len(ids))
    parts = [_DIGITS.split(name.rpartition("/")[2]) for name in ids]
    if len({len(part) for part in parts}) != 1:
        return order
    differ = [place for place in range(len(parts[0])) if len({part[place] for part in parts}) > 1]
    if len(differ) != 1 or differ[0] % 2 == 0 or any(len(part[differ[0]]) > 18 for part in parts):
        return order
    numbers = np.array([int(part[differ[0]]) for part in parts])
    near = np.diff(numbers)
    return numbers if len(near) and (near > 0).all() and near.min() <= reach else order
