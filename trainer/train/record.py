"""What a run writes, in the order in which it does: by the process that leads alone; the others' calls do nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from pipeline.config import recorded
from pipeline.files.json_text import read_json
from pipeline.files.writing import write_bytes, write_text
from pipeline.pages.html import png
from pipeline.runtime.asked import MADE_BY, made_by
from trainer.checkpoints.model_file import LEARNT, WINDOW, hashes_of
from trainer.checkpoints.run_folder import CURVES, IDENTITY, METRICS, REPORT, RUN, SPLIT, TENSORBOARD, RunFolder
from trainer.data import giveaways
from trainer.measure import passes_of, windows_of
from trainer.measure.summary import START, STUDENT
from trainer.pages import curves, draw_run
from trainer.recipes.patch_kinds import kind_of
from trainer.recipes.settings import BEFORE
from trainer.train.initial_weights import other_windows
from trainer.train.session import Training, part
from trainer.train.validation import HeldOutLosses, Validation

log = logging.getLogger(__name__)

UNUSUAL = {
    "thin": "have a target too thin for a point in its inner ellipse (setting thin_targets says what is asked then)",
    "other_scene": "have a template of another scene, and nothing to find (setting other_scenes)",
}
WINDOWS = "held_out_windows"
"""Key of ``run.json``; where it is missing, as in runs of 0.1, it is ``held_out_samples``."""
TEST = "held_out_test"

Log = Callable[[Mapping[str, float], int], None]
"""Is given values by name, and the step that they are of: a caller's own way to look at a run."""


class Record:
    """The files of one run.

    Args:
        training: the run.
        folder: where they lie.
        log: is told what TensorBoard is told.
    """

    def __init__(self, training: Training, folder: RunFolder, log: Log | None = None) -> None:
        self.training, self.folder, self.leads = training, folder, training.group.leads
        self._row: dict[str, float] = {}
        self._losses = HeldOutLosses({}, {})
        self.measuring_s = 0.0
        """Seconds that the start took to measure, and the student will take; 0 where that is not known."""
        self._tensorboard: Any = None
        self._log = log
        self._validation: Validation

    def begin(self) -> None:
        """Say what the run is, drop metrics that it will make again, and measure the start."""
        if not self.leads:
            return
        windows = self._windows()
        if self.training.data.recorded:
            # Before what says that the run has begun: it is not to go on as if it had no record.
            self.folder.write_json(SPLIT, self.training.data.split.record())
        with part(self.training.row, self.training.group, "looking at the first draws"):
            told = _giveaways(self.training)
        self.folder.write_json(RUN, describe_run(self.training) | told | {WINDOWS: windows})
        self._validation = Validation(self.training, self.folder, windows)
        self._tensorboard = _tensorboard_writer(self.folder)
        if self.training.resumed:
            progress = self.training.progress
            steps = progress.epoch * self.training.prepared.steps + progress.step
            self.folder.keep_metrics(progress.epoch, steps)
        else:
            self.folder.drop_metrics()
            self.folder.save_start(self.training.start)
            self._tell_cost()
            begun = time.monotonic()
            self._show_figures(self._validation.measure_start(), START, 0)
            self.measuring_s = time.monotonic() - begun

    def _tell_cost(self) -> None:
        """Say why a run of few samples seems to do anything but train."""
        windows, config = self._validation.windows, self.training.config
        passes, draws = passes_of(config.epochs), config.samples_per_epoch * config.epochs
        if windows * passes > draws:
            log.info(
                "measuring takes longer than training: up to %d passes over %d held-out windows, of which a short run "
                "has its least, and %d draws that train: --set held_out_samples=0 leaves it out",
                *(passes, windows, draws),
            )

    def _windows(self) -> int:
        """How many windows measure the run. One that goes on keeps to what its epochs were measured on so far."""
        if not self.training.resumed:
            return windows_of(self.training.config)
        run: dict[str, Any] = read_json(self.folder.path / RUN)
        return int(run.get(WINDOWS, self.training.config.held_out_samples))

    def log(self, means: dict[str, float]) -> None:
        """Add a row to the metrics: mean losses of the last steps."""
        progress, steps = self.training.progress, self.training.prepared.steps
        self._row = {"epoch": progress.epoch, "step": progress.epoch * steps + progress.step - 1, **means}
        if self.leads:
            self.folder.log([self._row])

    @property
    def told(self) -> str:
        """The losses of the last steps, and of the held-out windows after the last epoch, as people read them."""
        every = {"loss": self._row, "held out": self._losses.means}
        return ", ".join(f"{name} {each['loss']:.4g}" for name, each in every.items() if each)

    def save_state(self) -> None:
        """Save the state."""
        state = self.training.state()
        if self.leads:
            self.folder.save_state(state)

    def after_epoch(self) -> None:
        """Measure the epoch that has just been counted, then save the model and the state."""
        if self.leads:
            self._losses = self._validation.losses(f"epoch {self.training.progress.epoch}")
            if means := self._losses.means:
                self.folder.log([{"epoch": self.training.progress.epoch - 1, "held_out": True, **means}])
            self._show(self._row)
            # The model, then the state: a kill between the two repeats steps, with the same result.
            self.folder.save_model(self.training.net.state_dict(), describe_model(self.training))
        # After the measurement, which draws random numbers.
        self.save_state()

    def finish(self) -> None:
        """Measure the student against the start, and draw the page."""
        if not self.leads:
            return
        losses = self._losses if self._losses.means else self._validation.losses("the student")
        content = self._validation.measure_student(losses)
        self._show_figures(content, STUDENT, self._row.get("step", 0))
        if self._tensorboard:
            self._tensorboard.close()
        folder, title = self.folder.path, f"{self.training.row.recipe.name} on {self.training.config.tracker}"
        with part(self.training.row, self.training.group, "drawing the page"):
            write_bytes(folder / CURVES, png(curves(folder / METRICS, title), 110))
            write_text(folder / REPORT, draw_run(folder, self._validation.section(content)))

    def _show(self, row: dict[str, float]) -> None:
        """Tell the epoch's last training losses and its validation losses."""
        told = {f"train/{name}": value for name, value in row.items()}
        self._tell(told | {f"held_out/{name}": value for name, value in self._losses.means.items()}, row["step"])

    def _tell(self, values: dict[str, float], step: float) -> None:
        """Hand values by name to TensorBoard, and to whom the caller named."""
        if self._tensorboard is not None:
            for name, value in values.items():
                self._tensorboard.add_scalar(name, value, step)
        if self._log is not None:
            self._log(values, int(step))

    def _show_figures(self, content: dict[str, Any], answer: str, step: float) -> None:
        """Tell the figures of one answer, and of those that need no network beside them."""
        scores, figures = content.get("scores", {}), {}
        for told in (answer, *(name for name in scores if name not in (START, STUDENT))):
            for way, named in scores.get(told, {}).items():
                for name, values in named.items():
                    curve = f"{TEST}/{way}/{name}" + (f"/{told}" if told != answer else "")
                    figures[curve] = float(np.mean(values))
        self._tell(figures, step)


def describe_run(training: Training) -> dict[str, Any]:
    """Content of ``run.json``: what a run is, resolved."""
    config, row, data = training.config, training.row, training.data
    return (
        {
            "settings": config.record(),
            IDENTITY: training.prepared.identity,
            "recipe": row.recipe.record(),
            "shards": data.source.fingerprint,
            "methods": [kind_of(index.settings) for index in data.source.indexes],
            "batch_size": row.batch_size,
            "processes": training.group.world_size,
            "losses": {"tcl": row.tcl_loss.name, "bbe": row.bbe_loss.name},
            "rates": training.optimizer.rates,
            "trained": {name: list(p.shape) for name, p in training.optimizer.live.items()},
            "pairs": {"training": len(data.training_pairs), "held_out": len(data.validation_pairs)},
            "images": data.images,
            "instants": {"a_draw": data.instants} | (data.tracks.told() if data.tracks else {}),
            "device": str(training.device),
            MADE_BY: made_by({"shards": data.source.fingerprint, "init": hashes_of(config.init)}, torch, np),
        }
        | row.sources()
        | recorded({"other_windows": other_windows(config)}, BEFORE)
    )


def _giveaways(training: Training) -> dict[str, Any]:
    """What of ``run.json`` is measured: how well targets are known without a look at the windows, by branch."""
    told = {"giveaways": {name: asdict(found) for name, found in giveaways.check(training.data).items()}}
    unusual = training.data.training_windows().told(giveaways.DRAWS)
    for name, share in unusual.items():
        log.info("of the first %d draws %.1f %% %s", giveaways.DRAWS, 100 * share, UNUSUAL[name])
    return told | recorded({"unusual": unusual}, {"unusual": {}})


def describe_model(training: Training) -> dict[str, Any]:
    """Content of ``model.json``: what the weights beside it are."""
    return {
        "tracker": training.config.tracker,
        "recipe": training.row.recipe.name,
        "epoch": training.progress.epoch,
        "shards": training.data.source.fingerprint,
        LEARNT: training.data.learnt,
    } | recorded({WINDOW: training.config.other_window}, BEFORE)


def _tensorboard_writer(folder: RunFolder) -> Any:
    """A TensorBoard writer where TensorBoard is installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder.path / TENSORBOARD))
