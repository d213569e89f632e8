"""What a run writes, in the order in which it does: by the process that leads alone; the others' calls do nothing."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from pipeline.files.writing import write_bytes, write_text
from pipeline.pages.html import png
from trainer import DISTRIBUTION
from trainer.checkpoints.model_file import LEARNT
from trainer.checkpoints.run_folder import CURVES, IDENTITY, METRICS, REPORT, RUN, TENSORBOARD, RunFolder
from trainer.pages import curves, draw_run
from trainer.train import validation
from trainer.train.session import Training


class Record:
    """The files of one run.

    Args:
        training: the run.
        folder: where they lie.
    """

    def __init__(self, training: Training, folder: RunFolder) -> None:
        self.training, self.folder, self.leads = training, folder, training.group.leads
        self._losses: dict[str, float] = {}
        self._tensorboard: Any = None

    def begin(self) -> None:
        """Say what the run is, drop metrics that it will make again, and measure the start."""
        if not self.leads:
            return
        self.folder.write_json(RUN, describe_run(self.training))
        self.folder.keep_metrics(self.training.epoch)
        self._tensorboard = _tensorboard_writer(self.folder)
        if self.training.epoch == 0:
            self.folder.save_start(self.training.start)
            validation.measure_start(self.training, self.folder)

    def log(self, row: dict[str, float]) -> None:
        """Add a row to the metrics."""
        if self.leads:
            self.folder.log([row])

    def after_epoch(self, epoch: int, row: dict[str, float]) -> None:
        """Measure the epoch, then save the model and the state.

        Args:
            epoch: its number.
            row: its last row of training losses.
        """
        if not self.leads:
            return
        self._losses = validation.losses(self.training)
        if self._losses:
            self.folder.log([{"epoch": epoch, "held_out": True, **self._losses}])
        self._show(row)
        # The model, then the state: a kill between the two repeats an epoch, with the same result.
        self.folder.save_model(self.training.net.state_dict(), describe_model(self.training))
        self.folder.save_state(self.training.state())

    def finish(self) -> None:
        """Measure the student against the start, and draw the page."""
        if not self.leads:
            return
        if self._tensorboard:
            self._tensorboard.close()
        validation.measure_student(self.training, self.folder, self._losses or validation.losses(self.training))
        folder, title = self.folder.path, f"{self.training.row.recipe.name} on {self.training.config.tracker}"
        write_bytes(folder / CURVES, png(curves(folder / METRICS, title), 110))
        write_text(folder / REPORT, draw_run(folder))

    def _show(self, row: dict[str, float]) -> None:
        """Hand the epoch's last training losses and its validation losses to TensorBoard."""
        if self._tensorboard is None:
            return
        for group, values in (("train", row), ("held_out", self._losses)):
            for name, value in values.items():
                self._tensorboard.add_scalar(f"{group}/{name}", value, row["step"])


def describe_run(training: Training) -> dict[str, Any]:
    """Content of ``run.json``: what a run is, resolved."""
    config, row, data = training.config, training.row, training.data
    return {
        "settings": config.record(),
        IDENTITY: training.prepared.identity,
        "recipe": row.recipe.model_dump(mode="json"),
        "shards": data.source.fingerprint,
        "methods": [index.method for index in data.source.indexes],
        "batch_size": row.batch_size,
        "processes": training.group.world_size,
        "losses": {"tcl": row.tcl_loss.name, "bbe": row.bbe_loss.name},
        "rates": training.optimizer.rates,
        "trained": {name: list(p.shape) for name, p in training.optimizer.live.items()},
        "pairs": {"training": len(data.training_pairs), "held_out": len(data.validation_pairs)},
        "device": str(training.device),
        "versions": {"cmd-tir": version(DISTRIBUTION), "torch": torch.__version__, "numpy": np.__version__},
    } | row.sources()


def describe_model(training: Training) -> dict[str, Any]:
    """Content of ``model.json``: what the weights beside it are."""
    return {
        "tracker": training.config.tracker,
        "recipe": training.row.recipe.name,
        "epoch": training.epoch,
        "shards": training.data.source.fingerprint,
        LEARNT: training.data.source.tir_ranges,
    }


def _tensorboard_writer(folder: RunFolder) -> Any:
    """A TensorBoard writer where TensorBoard is installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder.path / TENSORBOARD))
