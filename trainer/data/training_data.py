"""What a run sees: its shards, the pairs to train on and those that only measure, and windows of both."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UsageError
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding
from trainer.data.shards import Source, of_method, open_source, split_pairs
from trainer.recipes.geometry import TrackerSpec
from trainer.recipes.row import Row
from trainer.recipes.settings import TrainSettings

log = logging.getLogger(__name__)

VALIDATION_SEED = 1_000_003
"""Keeps the draws of validation windows apart from those that train."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Shards under the settings of a run.

    Attributes:
        settings: the settings.
        spec: geometry of the windows.
        feeding: what each branch is fed.
        source: the shards.
        training_pairs: indices of the pairs that train.
        validation_pairs: indices of the pairs that only measure.
    """

    settings: TrainSettings
    spec: TrackerSpec
    feeding: Feeding
    source: Source
    training_pairs: NDArray[np.int64]
    validation_pairs: NDArray[np.int64]

    def training_windows(self, feeding: Feeding | None = None, samples: int | None = None) -> PairDataset:
        """The windows that a run trains on, or of the same pairs with another feeding and number of draws an epoch."""
        feeding, samples = feeding or self.feeding, samples or self.settings.samples_per_epoch
        return self._windows(self.training_pairs, feeding, samples, self.settings.seed, augment=True)

    def validation_windows(self, feeding: Feeding, samples: int) -> PairDataset:
        """The windows that measure, the same ones however they are fed; they are not augmented."""
        settings = self.settings
        seed = settings.split_seed + VALIDATION_SEED
        return self._windows(self.validation_pairs, feeding, samples, seed, augment=False)

    def _windows(
        self, pairs: NDArray[np.int64], feeding: Feeding, samples: int, seed: int, *, augment: bool
    ) -> PairDataset:
        jitter = self.settings.jitter == "tracker"
        return PairDataset(
            self.source, pairs, self.spec, feeding, samples=samples, seed=seed, jitter=jitter, augment=augment
        )


def open_training_data(settings: TrainSettings, row: Row, shards: Sequence[Path]) -> TrainingData:
    """Open shards for a row.

    Args:
        settings: settings of the run.
        row: what it trains.
        shards: folders; those of the row's mining method are taken, or all, with a warning, where none is of it.

    Raises:
        UsageError: no shards.
        DataError: shards that cannot be used, or none of whose pairs is left to train on.
    """
    feeding = Feeding.of(row.recipe, settings)
    source = _open_shards(row.recipe.name, str(row.recipe.patches), shards)
    return TrainingData(
        settings, row.spec, feeding, source, *split_pairs(source, settings.held_out, settings.split_seed)
    )


def _open_shards(recipe: str, method: str, shards: Sequence[Path]) -> Source:
    if not shards:
        raise UsageError(f"recipe {recipe} needs --shards: folders that `cmd-prep mine --method {method}` wrote")
    chosen = of_method(shards, method)
    source = open_source(chosen or tuple(shards))
    if not chosen:
        methods = ", ".join(sorted({index.method for index in source.indexes}))
        log.warning("recipe %s wants %s patches, these shards hold %s", recipe, method, methods)
    return source
