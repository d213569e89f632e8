"""The windows of a run as a data set of torch: from shards, a recipe and a base tracker, without a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from trainer.data.feeds import Feed, assemble
from trainer.data.loading import Sample
from trainer.data.training_data import open_training_data
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import make_settings


class WindowDataset(Dataset[Sample]):
    """Sample ``k`` is, bit for bit, draw ``k`` of an epoch of ``cmd-train`` under the same settings.

    A sample holds uint8 windows (3, S, S) by branch and modality (``reference_tir``, ``test_rgb``), the target's box in
    each (``reference_box``, ``test_box``), and what is to be learnt (``label``, ``state``, ``proposals``, ...).

    Where loader processes are forked to read it, call ``cv2.setNumThreads(1)`` before the first sample is drawn: a pool
    of OpenCV's own threads would not survive the fork.

    Args:
        shards: folders that ``cmd-prep mine`` wrote; those of the recipe's kind of patches are taken.
        recipe: a row of Table 1, or the file of one's own.
        tracker: the base tracker, whose windows are cut.
        epoch: whose draws to give; may be set anew between two epochs, and persistent loader processes follow.
        init: runs that the run starts from, or the run itself: their split is kept to.
        settings: other settings of the run, such as ``seed``, ``samples_per_epoch``, ``mix``.

    Raises:
        UsageError: settings that do not fit.
        DataError: shards that cannot be used.
    """

    def __init__(
        self,
        shards: Sequence[Path | str],
        recipe: str,
        tracker: str = "dimp50",
        *,
        epoch: int = 0,
        init: Sequence[Path | str] = (),
        **settings: Any,
    ) -> None:
        chosen = make_settings(settings | {"recipe": recipe, "tracker": tracker})
        self.data = open_training_data(
            chosen, resolve_row(chosen), [Path(folder) for folder in shards], starts=[Path(start) for start in init]
        )
        # In memory that loader processes share: those that persist would keep the epoch that they were started with.
        self._epoch = torch.tensor(epoch).share_memory_()  # type: ignore[no-untyped-call]
        self._draws = self.data.training_windows()

    @property
    def epoch(self) -> int:
        """Whose draws it gives."""
        return int(self._epoch)

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        return len(self._draws)

    def __getitem__(self, draw: int) -> Sample:
        if not 0 <= draw < len(self):
            raise IndexError(f"draw {draw}: an epoch has {len(self)}")
        return self._draws[self.epoch * len(self) + draw]

    def feed(self, batch: Sample, device: str | torch.device = "cpu") -> Feed:
        """What the two branches are fed of a collated batch of samples."""
        return assemble(batch, self.data.feeding, torch.device(device))
