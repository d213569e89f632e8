"""Windows of the held-out test: a target at two instants, and all that an answer to it starts from, seeded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.data import giveaways
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding
from trainer.data.loading import Sample
from trainer.data.training_data import TrainingData
from trainer.data.views.side_by_side import joined_box, seam
from trainer.measure.instants import HeldOutDraws, Instants, stream
from trainer.measure.starts import single, starts_of

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
        borders = giveaways.borders_box(self.framed(index)[1].area, self.spec.size, self._prior)
        starts = starts_of(self._in_picture(reference), self._in_picture(test), truth, rng, self.noise)
        return sample | {"sequence": sequence, "borders_box": single(borders)} | starts

    def _in_picture(self, patch: int) -> NDArray[np.float64]:
        """The box (4,) of a patch in the picture that windows are cut from."""
        box: NDArray[np.float64] = self.source.box[patch]
        if not self.feeding.joined:
            return box
        (width, _), _ = self._extent(self.draws.pair_of(patch))
        left, right = seam(box, width)
        return joined_box(box, right - left)
