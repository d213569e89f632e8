"""The training loop: one recipe, from shards to a student."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pipeline.errors import CmdTirError, DataError, UsageError
from pipeline.files.json_text import read_json
from pipeline.runtime.asked import anew, keep_settings
from pipeline.runtime.progress import ProgressBar
from trainer.checkpoints.run_folder import MODEL, REPORT, VALIDATION, RunFolder
from trainer.data.feeds import Feed
from trainer.data.loading import EpochSampler
from trainer.distillation.branches import set_modes
from trainer.recipes.settings import TrainConfig
from trainer.train.dry_run import plan_of, steps_done
from trainer.train.initial_weights import refuse_other_start
from trainer.train.progress import Pauses
from trainer.train.record import Log, Record
from trainer.train.session import Prepared, State, Training, part, prepare
from trainer.train.stepping import loader_of, rehearse, step
from trainer.train.waiting import Waiting

log = logging.getLogger(__name__)

WORTH_REHEARSING = 400
"""Steps from which on a few more, which tell how long they take, cost a hundredth of them at most."""


@dataclass(frozen=True)
class TrainedRow:
    """What training a row left.

    Attributes:
        recipe: the row.
        tracker: the base tracker.
        epochs: that are done.
        training_pairs: how many trained.
        validation_pairs: how many only measured.
        samples_per_second: of this call; 0 where the run was finished already.
        waited: share of the time of this call's steps in which they waited for data.
        seconds: that this call took.
        model: the student's weights.
        report: the run's page.
        files: all that lies there of what the command makes: files, and folders of what lies deeper.
        held_out_loss: of windows that were never trained on, before and after; None where none were held out.
    """

    recipe: str
    tracker: str
    epochs: int
    training_pairs: int
    validation_pairs: int
    samples_per_second: float
    waited: float
    seconds: float
    model: Path
    report: Path
    files: tuple[Path, ...]
    held_out_loss: tuple[float, float] | None = None

    def rows(self) -> list[tuple[object, ...]]:
        """What the command prints."""
        speed: list[tuple[object, ...]] = []
        if self.samples_per_second:
            speed = [("samples/s", self.samples_per_second), ("waiting for data", f"{self.waited:.0%}")]
            speed += [("seconds", self.seconds)]
        held_out = [("held-out loss", "{:.4g} -> {:.4g}".format(*self.held_out_loss))] if self.held_out_loss else []
        return [
            ("recipe", self.recipe),
            ("tracker", self.tracker),
            ("epochs", self.epochs),
            ("training pairs", self.training_pairs),
            ("held-out pairs", self.validation_pairs),
            *held_out,
            *speed,
            ("model", self.model),
            ("report", self.report),
        ]


def train_row(config: TrainConfig, log: Log | None = None) -> TrainedRow:
    """Train one recipe; ``log`` is told losses and figures as they come.

    Raises:
        UsageError: settings that do not fit one another, or a run folder that is taken.
        DataError: shards or weights that cannot be used, or a loss that is not finite.
    """
    prepared, folder = prepare(config), RunFolder(config.out)
    try:
        with _claimed(folder, prepared) as state:
            if state and _finished(folder, state, config):
                return _trained(folder, prepared, config.epochs)
            with part(prepared.row, prepared.group, "loading weights"):
                training = Training(prepared, state)
            return _train(training, folder, log)
    finally:
        prepared.group.leave()


@contextlib.contextmanager
def _claimed(folder: RunFolder, prepared: Prepared) -> Iterator[State | None]:
    """Hold the folder for the length of a run; the state in it to go on from.

    The process that leads locks the folder before anything in it is read; the others read when it has.
    """
    group, fault = prepared.group, None
    with contextlib.ExitStack() as held:
        state: State | None = None
        try:
            if group.leads:
                held.enter_context(folder.held())
                folder.claim(prepared.config.on_existing)
                state = folder.resume(prepared.identity)
                if state:
                    refuse_other_start(prepared.config, prepared.row.recipe, state)
                keep_settings(folder.path)
        except CmdTirError as error:
            fault = error
        if not group.all_fine(fault is None, prepared.device):
            raise fault or CmdTirError(f"{folder.path}: the first process refused it, and says why")
        yield state if group.leads else folder.load_state()


def _finished(folder: RunFolder, state: State, config: TrainConfig) -> bool:
    """Whether nothing is left to do for a run.

    Raises:
        UsageError: it has gone on for longer than it is to.
    """
    if state["epoch"] > config.epochs:
        raise UsageError(
            f"{folder.path} has gone on for {state['epoch']} epochs, not {config.epochs}: raise --epochs, or {anew()}"
        )
    return bool(state["epoch"] == config.epochs) and (folder.path / REPORT).is_file()


def _train(training: Training, folder: RunFolder, log: Log | None) -> TrainedRow:
    config, group = training.config, training.group
    progress = training.progress
    sampler = EpochSampler(config.samples_per_epoch, group.rank, group.world_size)
    _tell_plan(training)
    record = Record(training, folder, log)
    record.begin()
    begun, drawn, waiting = time.monotonic(), 0, Waiting()
    pauses = Pauses(group, training.device, config.save_minutes)
    with loader_of(training, sampler) as loader, pauses, _bar(training, record) as bar:
        while progress.epoch < config.epochs:
            sampler.epoch, sampler.first = progress.epoch, progress.step * training.row.batch_size
            training.optimizer.set_scale(config.decay(progress.epoch))
            _epoch(training, waiting.timed(training.batches(loader)), record, pauses, bar)
            drawn += (training.prepared.samples - sampler.first) * group.world_size
            progress.end_epoch()
            record.after_epoch()
            bar.advance(0, f"epoch {progress.epoch}/{config.epochs}, {record.told}")
            bar.line()
            if pauses.due() == "stop":
                _stop(training)
    record.finish()
    waiting.tell(config.loader_workers)
    return _trained(folder, training.prepared, progress.epoch, drawn, time.monotonic() - begun, waiting.share)


def _tell_plan(training: Training) -> None:
    """Say what the run will do; one that is long enough to be worth it is rehearsed first."""
    left = (training.config.epochs - training.progress.epoch) * training.prepared.steps - training.progress.step
    seen = None
    if left >= WORTH_REHEARSING:
        with part(training.row, training.group, "rehearsing a few steps"):
            seen = rehearse(training)
    if training.group.leads:
        log.info("%s", plan_of(training, seen))


def _stop(training: Training) -> NoReturn:
    """End the run after what was saved last.

    Raises:
        KeyboardInterrupt: always, as if the signal had just come.
    """
    training.group.wait()
    log.info("stopped after %s, all saved", steps_done(training))
    raise KeyboardInterrupt


def _trained(
    folder: RunFolder, prepared: Prepared, epochs: int, drawn: int = 0, seconds: float = 0.0, waited: float = 0.0
) -> TrainedRow:
    if not drawn:
        log.info("%s is finished and kept", folder.path)
    return TrainedRow(
        recipe=prepared.row.recipe.name,
        tracker=prepared.config.tracker,
        epochs=epochs,
        training_pairs=len(prepared.data.training_pairs),
        validation_pairs=len(prepared.data.validation_pairs),
        samples_per_second=drawn / max(seconds, 1e-9),
        waited=waited,
        seconds=seconds,
        model=folder.path / MODEL,
        report=folder.path / REPORT,
        files=folder.files(),
        held_out_loss=_held_out_loss(folder) if prepared.group.leads else None,
    )


def _held_out_loss(folder: RunFolder) -> tuple[float, float] | None:
    """The losses that a finished run noted of its held-out windows, before and after."""
    measured: dict[str, Any] = read_json(folder.path / VALIDATION)
    before, after = (measured.get(when, {}).get("losses") for when in ("before", "after"))
    return (before["loss"], after["loss"]) if before and after else None


def _bar(training: Training, record: Record) -> ProgressBar:
    """One for the whole run, which counts the samples of all processes, and knows that the student will be measured."""
    progress, prepared = training.progress, training.prepared
    done = progress.epoch * prepared.samples + progress.step * training.row.batch_size
    every, world = training.config.epochs * prepared.samples, training.group.world_size
    name, leads, rest_s = training.row.recipe.name, training.group.leads, record.measuring_s
    return ProgressBar(name, every * world, "samples", done=done * world, shown=leads, rest_s=rest_s)


def _epoch(
    training: Training, batches: Iterable[tuple[Feed, Any]], record: Record, pauses: Pauses, bar: ProgressBar
) -> None:
    """The steps of an epoch that are left; between two of them, save and stop when that is due."""
    progress, prepared = training.progress, training.prepared
    epoch = f"epoch {progress.epoch + 1}/{training.config.epochs}"
    set_modes(training.net, training.row)
    for feed, pairs in batches:
        parts = step(training, feed)
        if not math.isfinite(parts["loss"]):
            names = ", ".join(training.data.source.names[int(pair)][1] for pair in pairs)
            where = f"epoch {progress.epoch}, step {progress.step}, pairs {names}"
            raise DataError(f"loss is {parts['loss']} at {where}: look at them")
        bar.advance(len(pairs) * training.group.world_size, f"{epoch}, loss {parts['loss']:.4g}")
        last = progress.step + 1 == prepared.steps
        if means := progress.add(parts, last=last):
            record.log(means)
        if not last and (pause := pauses.due()):
            record.save_state()
            if pause == "stop":
                _stop(training)
    training.net.eval()
