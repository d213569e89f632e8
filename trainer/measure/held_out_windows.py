"""Windows of the held-out test: a target at two instants, and all that an answer to it starts from, seeded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.data import giveaways
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding
from trainer.data.loading import Sample
from trainer.data.training_data import TrainingData
from trainer.data.views.side_by_side import joined_box, seam
from trainer.measure.instants import HeldOutDraws, Instants, stream

STARTS = 2
"""Boxes of a window that refinement starts from: one at the response's peak, one beside the truth."""
DISPLACED = 0.25
"""How far the second is moved, in its own sides."""
PRIOR = 200
"""Windows of training pairs, of which the borders' box knows where targets are."""


class HeldOutWindows(PairDataset):
    """Windows by number: the same ones whatever the network and however they are fed; jittered, never augmented.

    Beside what :class:`PairDataset` gives of both windows and of the test window, a sample holds: ``sequence``, its
    place in the instants; ``kept_box``, the reference's box as it lies in its picture, seen in the test window;
    ``borders_box``, what the picture's edges in the test window tell (:func:`trainer.data.giveaways.borders_box`);
    ``displaced_box``, the true box moved by a quarter of its sides; ``noise``, that starts of refinement are spread by.

    Args:
        data: what the run sees.
        instants: what is shown.
        feeding: which pictures are cut for each branch.
        samples: how many.
        seed: of the test.
        noise: random starts of a refinement beside the first.
    """

    def __init__(
        self, data: TrainingData, instants: Instants, feeding: Feeding, *, samples: int, seed: int, noise: int
    ) -> None:
        jitter = data.settings.jitter == "tracker"
        shown = (data.source, data.validation_pairs, data.spec)
        super().__init__(*shown, feeding, samples=samples, seed=seed, jitter=jitter, augment=False)
        self.draws = HeldOutDraws(instants, *shown, samples=samples, seed=seed)
        self.instants, self.noise = instants, noise
        training = PairDataset(
            data.source,
            data.training_pairs,
            data.spec,
            feeding,
            samples=PRIOR,
            seed=seed,
            jitter=jitter,
            augment=False,
        )
        self._prior = giveaways.Prior.of([training.framed(index)[1] for index in range(PRIOR)])

    def __getitem__(self, index: int) -> Sample:
        sequence, reference, test = self.instants.draw(index, self.draws.seed)
        sample = super().__getitem__(index)
        truth = sample["test_box"].astype(np.float64)
        rng = stream(self.draws.seed, "starts", index)
        moved = truth.copy()
        moved[:2] += DISPLACED * truth[2:] * rng.choice([-1, 1], 2)
        borders = giveaways.borders_box(self.framed(index)[1].area, self.spec.size, self._prior)
        boxes = {"kept_box": self._kept(reference, test, truth), "borders_box": borders, "displaced_box": moved}
        noise = rng.uniform(-0.5, 0.5, (STARTS, self.noise, 4))
        return sample | {"sequence": sequence, "noise": _single(noise)} | {k: _single(v) for k, v in boxes.items()}

    def _kept(self, reference: int, test: int, truth: NDArray[np.float64]) -> NDArray[np.float64]:
        """The reference's box, as it lies in its picture, in pixels of the test window, where the true box is known."""
        first, second = self._in_picture(reference), self._in_picture(test)
        # Of each axis by itself: NanoTrack's windows are stretched.
        scale = truth[2:] / second[2:]
        return np.concatenate([truth[:2] + (first[:2] - second[:2]) * scale, first[2:] * scale])

    def _in_picture(self, patch: int) -> NDArray[np.float64]:
        """The box (4,) of a patch in the picture that windows are cut from."""
        box: NDArray[np.float64] = self.source.box[patch]
        if not self.feeding.joined:
            return box
        (width, _), _ = self._extent(self.draws.pair_of(patch))
        left, right = seam(box, width)
        return joined_box(box, right - left)


def _single(value: Any) -> Any:
    """Real numbers as the network has them."""
    return np.asarray(value, np.float32)
