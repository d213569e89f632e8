"""Windows of the held-out test: a target at two instants, and all that an answer to it starts from, seeded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.data.dataset import PairDataset, Sample
from trainer.data.feeds import Feeding
from trainer.data.pictures import Pictures, side_by_side
from trainer.measure.instants import Instant, Instants

STARTS = 2
"""Boxes of a window that refinement starts from: one at the response's peak, one beside the truth."""
DISPLACED = 0.25
"""How far the second is moved, in its own sides."""
BOTH_BRANCHES = ((0, 0), (1, 0))
"""The branches, and the one image of each, that an instant is decoded for: either may be shown the other's."""
_STREAM = 100
"""Of a window's random numbers, apart from those of :class:`trainer.data.draws.Draws`."""


class HeldOutWindows(PairDataset):
    """Windows by number: the same ones whatever the network and however they are fed; jittered, never augmented.

    Beside what :class:`PairDataset` gives of both windows and of the test window, a sample holds: ``sequence``, its
    place in the instants; ``kept_box``, the reference's box as it lies in its picture, seen in the test window;
    ``displaced_box``, the true box moved by a quarter of its sides; ``noise``, that starts of refinement are spread by.

    Args:
        windows: of the pairs that are held out; what it would draw itself is not used.
        instants: what is shown.
        feeding: which pictures are cut for each branch.
        noise: random starts of a refinement beside the first.
    """

    def __init__(self, windows: PairDataset, instants: Instants, feeding: Feeding, noise: int) -> None:
        super().__init__(
            windows.source,
            windows.draws.pairs,
            windows.spec,
            feeding,
            samples=windows.draws.samples,
            seed=windows.draws.seed,
            jitter=windows.jitter,
            augment=False,
        )
        self.instants, self.noise = instants, noise

    def __getitem__(self, number: int) -> Sample:
        sequence, *shown = self.instants.draw(number, self.draws.seed)
        pictures = [self._decoded(number, instant) for instant in shown]
        sample: Sample = {"sequence": sequence}
        for branch in (0, 1):
            sample |= self._view(branch, pictures[branch], False, self.draws.rng(number, branch))
        truth = sample["test_box"]
        sample |= self._targets(truth, self.draws.rng(number, 3))
        rng = np.random.default_rng([self.draws.seed, number, _STREAM])
        moved = truth.copy()
        moved[:2] += DISPLACED * truth[2:] * rng.choice([-1, 1], 2)
        sample |= {"kept_box": self._kept(number, shown, pictures), "displaced_box": moved}
        sample["noise"] = rng.uniform(-0.5, 0.5, (STARTS, self.noise, 4))
        return {key: _single(value) for key, value in sample.items()}

    def _decoded(self, number: int, instant: Instant) -> Pictures:
        """The pictures of an instant, each alone or two side by side."""
        decoded = self._pictures(number, instant.patch, BOTH_BRANCHES)
        return side_by_side(decoded, False) if self.feeding.joined else decoded

    def _kept(self, number: int, shown: list[Instant], pictures: list[Pictures]) -> NDArray[np.float64]:
        """The reference's box, as it lies in its picture, in pixels of the test window."""
        # Pictures may have been decoded smaller, each by its own factor; heights tell, which joining leaves alone.
        reference, test = (self.source.box[i.patch][3] / p.box[3] for i, p in zip(shown, pictures))
        window = self._window(1, pictures[1].box, pictures[1].size, self.draws.rng(number, 1))
        return window.to_window(pictures[0].box * reference / test)


def _single(value: Any) -> Any:
    """Real numbers as the network has them."""
    return value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype == np.float64 else value
