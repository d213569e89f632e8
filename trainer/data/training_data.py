"""What a run sees: its shards, the pairs to train on and those that only measure, and windows of both."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UsageError
from trainer.checkpoints.model_file import VISIBLE
from trainer.checkpoints.run_folder import SPLIT
from trainer.data.controls.shuffled import Partners
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding
from trainer.data.shards import Source, asked_for, held_by, mined_by, of_kind, open_source
from trainer.data.split.apply import kinds_of, old_split_source, pairs_of, split_source
from trainer.data.split.record import Split, read_split, refuse_other_settings
from trainer.data.split.relatives import inherited
from trainer.data.split.side import Kind
from trainer.data.tracks import Tracks
from trainer.recipes.geometry import TrackerSpec
from trainer.recipes.patch_kinds import TUBES, of_tubes, to_mine
from trainer.recipes.row import Row
from trainer.recipes.settings import TrainSettings

log = logging.getLogger(__name__)

MOST_HELD_OUT = 1 / 3
"""Share of the pairs that is held out above which a warning says so, where no more was asked for."""
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
        split: which sequences are on which side.
        recorded: whether the run keeps a record of the split; one that version 0.1 began does not.
        images: of a target that each branch trains on at once; what measures is always one.
        tracks: where the test branch trains on other instants than the reference branch; what measures is of one.
    """

    settings: TrainSettings
    spec: TrackerSpec
    feeding: Feeding
    source: Source
    training_pairs: NDArray[np.int64]
    validation_pairs: NDArray[np.int64]
    split: Split
    recorded: bool = True
    images: int = 1
    tracks: Tracks | None = None

    @property
    def instants(self) -> Literal["one", "two"]:
        """Of which the two branches of a draw are."""
        return "two" if self.tracks else "one"

    @property
    def learnt(self) -> list[Any]:
        """What a model that is trained on it has learnt from (:data:`~trainer.checkpoints.model_file.LEARNT`)."""
        return self.source.tir_ranges if "tir" in self.feeding.modalities else [VISIBLE]

    def training_windows(self, feeding: Feeding | None = None, samples: int | None = None) -> PairDataset:
        """The windows that a run trains on, or, one image a branch, of the same pairs in another number and feeding."""
        images, feeding = (1, feeding) if feeding else (self.images, self.feeding)
        settings = self.settings
        draws = {"samples": samples or settings.samples_per_epoch, "seed": settings.seed, "redraw": settings.redraw}
        return self._windows(self.training_pairs, feeding, **draws, augment=True, images=images, tracks=self.tracks)

    def validation_windows(self, feeding: Feeding, samples: int) -> PairDataset:
        """The windows that measure, the same ones however they are fed; they are not augmented."""
        settings = self.settings
        seed = settings.split_seed + VALIDATION_SEED
        return self._windows(self.validation_pairs, feeding, samples=samples, seed=seed, augment=False)

    def _windows(self, pairs: NDArray[np.int64], feeding: Feeding, **draws: Any) -> PairDataset:
        return PairDataset(self.source, pairs, self.spec, feeding, jitter=self.settings.jitter == "tracker", **draws)


def open_training_data(
    settings: TrainSettings,
    row: Row,
    shards: Sequence[Path],
    *,
    starts: Sequence[Path] = (),
    resumed: Path | None = None,
    force: bool = True,
) -> TrainingData:
    """Open shards for a row.

    Args:
        settings: settings of the run.
        row: what it trains.
        shards: folders; those of the row's kind of patches are taken.
        starts: what the run starts from: the split of those that are runs is kept to, as is that of its teacher.
        resumed: the folder of the run itself, where it has begun: it keeps to the split that it began with.
        force: take all, with a warning, where none is of the row's kind of patches.

    Raises:
        UsageError: no shards, or none of the kind that the row wants or the settings name; a split that the settings,
            the other parents or the teacher contradict; or what :func:`fit` refuses.
        DataError: shards that cannot be used, or none of whose pairs is left to train on.
    """
    source = _open_shards(settings, row, shards, force)
    split, kinds, recorded = _split(settings, source, starts, resumed)
    data = replace(fit(settings, row, source, split, kinds), recorded=recorded)
    _tell(data, row)
    return data


def fit(
    settings: TrainSettings, row: Row, source: Source, split: Split, kinds: Sequence[Kind] | None = None
) -> TrainingData:
    """Opened shards under the settings of a row; what does not go together is refused, and nothing is told.

    Args:
        settings: settings of the run.
        row: what it trains.
        source: the shards.
        split: of all their sequences.
        kinds: the side of every pair; None takes it from the split.

    Raises:
        UsageError: shards of one sequence where another one's TIR is wanted, or of no object at two instants where
            that is.
        DataError: no pair is left to train on.
    """
    feeding = Feeding.of(row.recipe, settings)
    if row.comparing:
        feeding = replace(feeding, twin=row.recipe.branch)
    if row.imitating:
        feeding = replace(feeding, twin="both")
    training, validation = pairs_of(source, kinds_of(source, split) if kinds is None else kinds, settings.held_out)
    if feeding.shuffled:
        Partners(source, training, " to train on", "mine more")
        if len(validation) and settings.held_out_samples:
            Partners(source, validation, " held out", "raise --set held_out, or --set held_out_samples=0")
    two = row.instants == "two"
    tracks = Tracks.seen_twice(source, training, row.spec.gap) if two else None
    if two and not tracks and (settings.instants or of_tubes(row.patches)):
        wanted = "setting instants=two" if settings.instants else f"{row.patches} patches are seen at two instants"
        kind = row.patches if row.patches and of_tubes(row.patches) else TUBES
        folders = list(dict.fromkeys(reader.path.parent for reader in source.readers))
        raise UsageError(
            f"{wanted}: the shards know no object at two instants (patches/track): give --set instants=one, boxes from "
            f"files that say whose they are, or mine others: {to_mine(kind, mined_by(folders))}"
        )
    return TrainingData(
        settings, row.spec, feeding, source, training, validation, split, images=row.images, tracks=tracks
    )


def _tell(data: TrainingData, row: Row) -> None:
    """Say what of a run's data may not be what its user expects."""
    if data.settings.jitter == "none":
        log.warning("jitter is off: every window is centred on its box, and a bias alone can learn the targets")
    if data.settings.held_out and not len(data.validation_pairs):
        log.warning("no pair of these shards is held out: there is nothing to measure on")
    held, every = len(data.validation_pairs), len(data.training_pairs) + len(data.validation_pairs)
    if data.settings.held_out <= MOST_HELD_OUT < held / every:
        log.warning(
            "%d of %d pairs are held out where held_out=%g was asked for: whole sequences are, and these are few, or "
            "one is long: another --set split_seed in the first run of all, such as a1, takes others",
            *(held, every, data.settings.held_out),
        )
    if data.tracks:
        log.info(
            "two instants a draw: %(of_objects)d of %(patches)d patches are of %(objects)d objects that are seen at "
            "several; %(repeated)d have no other instant, and are seen by both branches",
            data.tracks.told(),
        )
    elif row.instants == "two":
        log.info("one instant a draw: the shards know no object at two instants (patches/track)")


def _split(
    settings: TrainSettings, source: Source, starts: Sequence[Path], resumed: Path | None
) -> tuple[Split, list[Kind], bool]:
    """The split, the side of every pair, and whether the run keeps a record of it."""
    share, seed = settings.held_out, settings.split_seed
    if resumed is not None and not (resumed / SPLIT).is_file():
        return *old_split_source(source, share, seed), False
    # A teacher that is a run has seen sequences as well: what it trained on is not to be held out here.
    seen = starts if settings.teacher == "init" else dict.fromkeys((*starts, Path(settings.teacher)))
    known = read_split(resumed / SPLIT) if resumed else known_to(settings, tuple(seen), source)
    split = split_source(source, share, seed, known)
    return split, kinds_of(source, split), True


def known_to(settings: TrainSettings, starts: Sequence[Path], source: Source) -> Split | None:
    """What the runs that a run starts from have decided of the split; None where none is a run.

    Raises:
        UsageError: they disagree, or were split with other settings than these.
    """
    found = inherited(starts, source)
    if found is None:
        return None
    names, split = found
    refuse_other_settings(names, split, settings.held_out, settings.split_seed)
    log.info("sequences train or are held out as in %s", names)
    return split


def _open_shards(settings: TrainSettings, row: Row, shards: Sequence[Path], force: bool) -> Source:
    recipe, wanted = row.recipe.name, str(row.patches)
    if not shards:
        raise UsageError(f"recipe {recipe} needs --shards: give some, or mine some: {to_mine(wanted, {})}")
    chosen = asked_for(shards, wanted) if settings.patches else of_kind(shards, wanted)
    if not chosen:
        told = f"recipe {recipe} wants {wanted} patches, these shards hold {held_by(shards)}"
        if not force:
            kind, line = held_by(shards[:1]), to_mine(wanted, mined_by(shards))
            raise UsageError(
                f"{told}: choose these with --patches {kind}, take them with --force, or mine others: {line}"
            )
        log.warning("%s: it takes these", told)
    return open_source(chosen or tuple(shards))
