"""The memory: training samples of the classifier, and how much each weighs (pytracking's tracker.dimp)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class SampleWeights:
    """Weights of the memory's slots; the first frame's samples are never replaced and keep a share.

    Args:
        initial: samples of the first frame.
        slots: slots of the memory.
        minimum: what the initial samples weigh together at least; None or 0: no bound, and they may be replaced.

    Raises:
        ValueError: the memory has no room for them.
    """

    def __init__(self, initial: int, slots: int, minimum: float | None) -> None:
        if initial + bool(minimum) > slots:
            raise ValueError(
                f"sample_memory_size is {slots}, but the first frame gives {initial} samples: give more, or fewer views"
            )
        self.values = np.zeros(slots, np.float32)
        self.values[:initial] = np.float32(1) / np.float32(initial)
        self.stored = initial
        self._initial = initial
        self._minimum = minimum or None
        self._previous: int | None = None

    def add(self, learning_rate: float) -> int:
        """Give one more sample its weight; returns its slot.

        The next free slot is taken, or that of the sample that weighs least. Every sample weighs 1/(1 - learning rate)
        of the one before.
        """
        weights, keep = self.values, np.float32(1 - learning_rate)
        if learning_rate == 1:
            weights[:] = 0
            weights[0] = slot = 0
            weights[0] = 1
        else:
            slot = self._slot()
            if self._previous is None:
                weights /= keep
                weights[slot] = learning_rate
            else:
                weights[slot] = weights[self._previous] / keep
        weights /= weights.sum()
        initial = weights[: self._initial]
        if self._minimum is not None and initial.sum() < self._minimum:
            weights /= np.float32(self._minimum) + weights[self._initial :].sum()
            initial[:] = np.float32(self._minimum / self._initial)
        self.stored = min(self.stored + 1, len(weights))
        self._previous = slot
        return slot

    def _slot(self) -> int:
        if self.stored < len(self.values):
            return self.stored
        first = 0 if self._minimum is None else self._initial
        return first + int(self.values[first:].argmin())


class Memory:
    """Samples with their targets and weights.

    Args:
        samples: (n, C, h, w) features of the first frame's views.
        targets: (n, ...) what the classifier is taught of each: a box, or a label map.
        slots: slots of the memory.
        minimum: see :class:`SampleWeights`.
    """

    def __init__(self, samples: Tensor, targets: Tensor, slots: int, minimum: float | None) -> None:
        self.weights = SampleWeights(len(samples), slots, minimum)
        self._samples = samples.new_zeros(slots, *samples.shape[1:])
        self._targets = targets.new_zeros(slots, *targets.shape[1:])
        self._samples[: len(samples)] = samples
        self._targets[: len(targets)] = targets

    def add(self, sample: Tensor, target: Tensor, learning_rate: float) -> None:
        """Store a sample (1, C, h, w) and its target."""
        slot = self.weights.add(learning_rate)
        self._samples[slot] = sample[0]
        self._targets[slot] = target

    @property
    def samples(self) -> Tensor:
        """(n, C, h, w), those stored."""
        return self._samples[: self.weights.stored]

    @property
    def targets(self) -> Tensor:
        """(n, ...), theirs."""
        return self._targets[: self.weights.stored]

    @property
    def shares(self) -> Tensor:
        """(n,) their weights, which sum to 1, or to a little more where the first frame was just given its share."""
        shares: NDArray[np.float32] = self.weights.values[: self.weights.stored]
        return torch.from_numpy(shares.copy()).to(self._samples.device)
