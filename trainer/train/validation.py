"""What a run did, told on sequences it never saw: losses every epoch, and the held-out test before and after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader

from pipeline.errors import DataError
from pipeline.files.json_text import read_json
from pipeline.pages.html import Section
from pipeline.runtime.progress import ProgressBar, followed
from trainer.checkpoints.run_folder import VALIDATION, RunFolder
from trainer.checkpoints.weights import digest
from trainer.data.controls.shuffled import sequence_of
from trainer.data.feeds import assemble
from trainer.data.loading import Sample, read_batches
from trainer.measure import HeldOutTest, Scores, figures
from trainer.measure.held_out_test import TRAINED
from trainer.measure.shown import ShownWindow
from trainer.measure.summary import START, STUDENT, by_sequence
from trainer.pages import windows_section
from trainer.resampling import FEWEST
from trainer.train.session import Training

BY_SEQUENCE, LOSS_FIGURES = "losses_by_sequence", "loss_figures"
"""Keys in ``held_out.json``: of ``before`` and ``after``, and what of ``after`` stands beside the start's."""
SHOWN = "shown"
"""Key of ``before`` and ``after`` in ``held_out.json``: the box and the response in a few windows of the test."""


class HeldOutLosses(NamedTuple):
    """Losses of the held-out windows, by name.

    Attributes:
        means: over the windows; none where there are none.
        by_sequence: means over each sequence's windows, in the order of their names; none of fewer sequences than
            intervals need.
    """

    means: dict[str, float]
    by_sequence: dict[str, list[float]]

    def record(self) -> dict[str, Any]:
        """As ``held_out.json`` has them."""
        return {"losses": self.means} | ({BY_SEQUENCE: self.by_sequence} if self.by_sequence else {})


class Validation:
    """What of a run is measured on its held-out pairs.

    Args:
        training: the run.
        folder: its files.
        windows: to measure on; 0 measures nothing.
    """

    def __init__(self, training: Training, folder: RunFolder, windows: int) -> None:
        self.training, self.folder = training, folder
        self.windows = windows if len(training.data.validation_pairs) else 0
        self.test = HeldOutTest(training.data, self.windows, training.device) if self.windows else None
        self._shown: list[ShownWindow] = []

    def losses(self, what: str) -> HeldOutLosses:
        """Losses of each window by itself, of a mixed row both ways round; the same windows every time.

        Args:
            what: is measured, in words for the screen.
        """
        if not self.windows:
            return HeldOutLosses({}, {})
        training, data = self.training, self.training.data
        feeding = replace(data.feeding, once=False)
        windows = data.validation_windows(feeding, self.windows)
        # A generator of its own: measuring must not change the random numbers of the steps.
        loader: DataLoader[Sample] = DataLoader(windows, 1, generator=torch.Generator())
        bar = ProgressBar(self._title(what, "losses"), self.windows, "windows", keep=False)
        with torch.no_grad():
            measured = [
                training.objective(assemble(window, feeding, training.device, again=True))[1]
                for window in followed(read_batches(loader), bar)
            ]
        values = {name: np.array([parts[name] for parts in measured]) for name in measured[0]}
        sequences = [sequence_of(data.source, windows.pair(index)) for index in range(self.windows)]
        names, place = np.unique(sequences, return_inverse=True)
        enough = values if len(names) >= FEWEST else {}
        return HeldOutLosses(
            {name: float(each.mean()) for name, each in values.items()},
            {name: by_sequence(each, place) for name, each in enough.items()},
        )

    def measure_start(self) -> dict[str, Any]:
        """Measure the start: the row of epoch -1 in the metrics, and the start's part of ``held_out.json``."""
        losses = self.losses("the start")
        if losses.means:
            self.folder.log([{"epoch": -1, "held_out": True, **losses.means}])
        content: dict[str, Any] = {"before": losses.record()}
        if self.test:
            known, shown = self._parents()
            scores, windows = self._tested(self.test, START, known)
            found = [window.found for window in windows] or shown
            content["before"] |= {"weights": digest(self.training.net.state_dict()), SHOWN: found}
            content |= _described(self.test) | {"scores": scores}
        self.folder.write_json(VALIDATION, content)
        return content

    def measure_student(self, losses: HeldOutLosses) -> dict[str, Any]:
        """Measure the student, and how far every trained tensor has moved, relative to its norm at the start.

        Args:
            losses: after the last epoch.
        """
        training = self.training
        content: dict[str, Any] = read_json(self.folder.path / VALIDATION)
        after = losses.record() | self._against(content["before"], losses)
        content |= {"after": after, "relative_change": _moved(training)}
        if self.test:
            measured, self._shown = self._tested(self.test, STUDENT, {})
            found = [window.found for window in self._shown]
            after |= {"weights": digest(training.net.state_dict()), SHOWN: found}
            same = content.get("test", {}).get("key") == self.test.key
            if not same:
                content["before"].pop(SHOWN, None)
            scores = (content["scores"] if same else {}) | measured
            content |= _described(self.test) | {
                "scores": scores,
                "figures": figures(scores, training.config.split_seed),
            }
        self.folder.write_json(VALIDATION, content)
        return content

    def _against(self, before: dict[str, Any], losses: HeldOutLosses) -> dict[str, Any]:
        """The student's losses with intervals beside the start's, where that has any."""
        if BY_SEQUENCE not in before:
            return {}
        scores = {START: {TRAINED: before[BY_SEQUENCE]}, STUDENT: {TRAINED: losses.by_sequence}}
        return {LOSS_FIGURES: figures(scores, self.training.config.split_seed)[TRAINED]}

    def section(self, content: dict[str, Any]) -> list[Section]:
        """A few windows of the test, before and after, for the page; none where nothing is tested.

        Args:
            content: of ``held_out.json``.
        """
        before, spec = content["before"].get(SHOWN, []), self.training.row.spec
        return [windows_section(self._shown, before, spec)] if self._shown else []

    def _tested(self, test: HeldOutTest, answer: str, known: Scores) -> tuple[dict[str, Scores], list[ShownWindow]]:
        """Scores of the network as it is, and of what needs none, and the windows that are shown.

        Args:
            test: the test.
            answer: the name of the network's scores.
            known: scores of the very same weights in the very same test, by way of feeding.
        """
        title = self._title({START: "the start", STUDENT: "the student"}[answer], "test")
        ways = [way for way in test.ways if way not in known]
        found, shown = test.measure(self.training.net, self.training.features, ways, title)
        network = known | found.pop(STUDENT, {})
        return found | {answer: network}, shown

    def _title(self, what: str, how: str) -> str:
        return f"{self.training.row.recipe.name}: measuring {what}, {how}"

    def _parents(self) -> tuple[Scores, list[dict[str, Any]]]:
        """Scores and shown answers of the one run that this one starts from, if of these weights in this very test."""
        init = self.training.config.init
        file = init[0] / VALIDATION if len(init) == 1 else Path()
        if not self.test or not file.is_file():
            return {}, []
        try:
            told: dict[str, Any] = read_json(file)
            same = told["test"]["key"] == self.test.key
            same &= told["after"]["weights"] == digest(self.training.net.state_dict())
            fed, shown = told["test"]["fed"], told["after"][SHOWN]
            alike = [way for way, own in _described(self.test)["test"]["fed"].items() if fed.get(way) == own]
            return ({way: told["scores"][STUDENT][way] for way in alike}, shown) if same else ({}, [])
        except (DataError, KeyError, TypeError, AttributeError):
            # Of an earlier version, or no run's at all: then it is measured.
            return {}, []


def _described(test: HeldOutTest) -> dict[str, Any]:
    """What the test of ``held_out.json`` is."""
    fed = {name: {"reference": list(way.reference), "test": list(way.test)} for name, way in test.ways.items()}
    told = {"kind": test.kind, "windows": test.windows, "sequences": test.sequences, "fewest": FEWEST}
    return {"test": told | {"fed": fed, "key": test.key}}


def _moved(training: Training) -> dict[str, float | None]:
    """How far every trained tensor has moved; None for one that started at zero."""
    live = {name: value.detach().cpu() for name, value in training.optimizer.live.items()}
    return {
        name: float((value.double() - training.start[name].double()).norm() / training.start[name].double().norm())
        if training.start[name].any()
        else None
        for name, value in live.items()
    }
