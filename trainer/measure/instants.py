"""Which two patches a held-out window shows: one target at two instants, or, where nobody says, a patch with itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.draws import Drawn, Draws
from trainer.data.shards import Source
from trainer.data.tracks import Tracks
from trainer.recipes.geometry import TrackerSpec
from trainer.sequences.reach import REACH, within_reach

Indices = NDArray[np.int64]


def stream(seed: int, use: str, number: int = 0) -> np.random.Generator:
    """Random numbers of the held-out test, apart from those of :class:`~trainer.data.draws.Draws` under any seed.

    Numpy fills up the words of a seed with zeros: beside the draws' four words, fewer would be those of other draws.
    """
    words = hashlib.sha256(f"held-out test|{seed}|{use}|{number}".encode()).digest()
    return np.random.default_rng(int.from_bytes(words))


@dataclass(frozen=True)
class Instants:
    """Pairs of instants to draw from.

    Attributes:
        two_frames: whether they are two frames of one target, rather than one frame twice.
        sequences: names, sorted.
        patches: (m,) those of a target in a row, by frame.
        starts: for each sequence (s, 3): a reference, and the first and the end of the instants within its reach, all
            places in ``patches``.
    """

    two_frames: bool
    sequences: tuple[str, ...]
    patches: Indices
    starts: tuple[Indices, ...]

    @property
    def kind(self) -> str:
        """As people read it."""
        return "two frames" if self.two_frames else "same frame"

    def draw(self, number: int, seed: int) -> tuple[int, int, int]:
        """The sequence of a draw (its place in ``sequences``), the patch of the reference and that of the test window.

        Sequences take turns, in an order of the seed's, so that each gets as many windows as the others.
        """
        order = stream(seed, "sequences").permutation(len(self.sequences))
        sequence = int(order[number % len(order)])
        rng = stream(seed, "instants", number)
        reference, first, end = self.starts[sequence][rng.integers(len(self.starts[sequence]))]
        return sequence, int(self.patches[reference]), int(self.patches[rng.integers(first, end)])


class HeldOutDraws(Draws):
    """The draws of the held-out test: two instants each, never mirrored or drained of colour.

    Args:
        instants: what is drawn from.
        source: opened shards.
        pairs: those that are held out.
        spec: the base tracker's geometry.
        samples: how many windows.
        seed: of the test.
    """

    def __init__(
        self, instants: Instants, source: Source, pairs: Indices, spec: TrackerSpec, *, samples: int, seed: int
    ) -> None:
        super().__init__(source, pairs, spec, samples=samples, seed=seed, augment=False)
        self.instants = instants

    def draw(self, index: int) -> Drawn:
        """What a window shows."""
        _, reference, test = self.instants.draw(index, self.seed)
        return Drawn(([reference], [test]), False, ([False], [False]))


def instants_of(source: Source, pairs: Indices) -> Instants:
    """Two frames of each target where shards say which patches are of one, else every patch with itself.

    Args:
        source: opened shards.
        pairs: those that are held out.
    """
    tracks = Tracks(source, pairs, REACH)
    two = _by_sequence(source, tracks.patches, _within_reach(tracks))
    if two:
        return Instants(True, tuple(two), tracks.patches, tuple(two.values()))
    patches = np.concatenate([np.arange(*source.place[pair, 2:]) for pair in pairs] or [np.zeros(0, np.int64)])
    own = np.arange(len(patches))
    one = _by_sequence(source, patches, np.stack([own, own, own + 1], axis=1))
    return Instants(False, tuple(one), patches, tuple(one.values()))


def _within_reach(tracks: Tracks) -> Indices:
    """Every instant that has a later one of its target within reach, (s, 3), as :attr:`Instants.starts`."""
    at = np.arange(len(tracks.frame))
    # One clock for all targets: from one to the next, and over a gap that is too long, it jumps out of reach.
    steps = np.diff(tracks.frame, prepend=0)
    clock = np.cumsum(np.where(at == tracks.first, REACH + 1, np.minimum(steps, REACH + 1)))
    return within_reach(clock)


def _by_sequence(source: Source, patches: Indices, starts: Indices) -> dict[str, Indices]:
    """Starts (s, 3) by the name of their sequence, names sorted."""
    pairs = source.pair_of(patches[starts[:, 0]])
    names = np.array([f"{source.names[pair][0]}/{source.sequence[pair]}" for pair in pairs], str)
    return {str(name): starts[names == name] for name in np.unique(names)}
