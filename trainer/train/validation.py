"""What a run did, told on sequences it never saw: losses every epoch, and the held-out test before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from pipeline.errors import DataError
from pipeline.files.json_text import read_json
from pipeline.pages.html import Section
from pipeline.runtime.progress import ProgressBar
from trainer.checkpoints.run_folder import VALIDATION, RunFolder
from trainer.checkpoints.weights import digest
from trainer.data.controls.shuffled import sequence_of
from trainer.data.feeds import Feeding, assemble
from trainer.data.loading import Sample, read_batches
from trainer.measure import HeldOutTest, Scores, figures
from trainer.measure.held_out_test import BATCH, TRAINED
from trainer.measure.shown import ShownWindow
from trainer.measure.summary import START, STUDENT, by_sequence
from trainer.pages import windows_section
from trainer.resampling import FEWEST
from trainer.train.session import Training

BY_SEQUENCE, LOSS_FIGURES = "losses_by_sequence", "loss_figures"
"""Keys in ``held_out.json``: of ``before`` and ``after``, and what of ``after`` stands beside the start's."""
SHOWN = "shown"
"""Key of ``before`` and ``after`` in ``held_out.json``: the box and the response in a few windows of the test."""


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

    def losses(self, what: str) -> dict[str, float]:
        """Mean losses: on the same windows every time, so that epochs can be compared. Empty where there are none.

        Args:
            what: is measured, in words for the screen.
        """
        return _means(self._each(self.training.data.feeding, BATCH, self._title(what, "losses")))

    def _by_sequence(self, what: str) -> dict[str, list[float]]:
        """Mean losses of each sequence, window by window; none of fewer sequences than intervals need.

        Args:
            what: is measured, in words for the screen.
        """
        # Of a mixed row both ways round, of every window.
        data, feeding = self.training.data, replace(self.training.data.feeding, once=False)
        windows = data.validation_windows(feeding, self.windows)
        names = [sequence_of(data.source, windows.pair(index)) for index in range(self.windows)]
        if len(set(names)) < FEWEST:
            return {}
        measured = [parts for parts, _ in self._each(feeding, 1, self._title(what, "losses by sequence"))]
        _, place = np.unique(names, return_inverse=True)
        return {name: by_sequence(np.array([parts[name] for parts in measured]), place) for name in measured[0]}

    def _each(self, feeding: Feeding, size: int, title: str) -> Iterator[tuple[dict[str, float], int]]:
        """Losses of so many windows at a time, and how many."""
        if not self.windows:
            return
        training, data = self.training, self.training.data
        # A generator of its own: measuring must not change the random numbers of the steps.
        loader: DataLoader[Sample] = DataLoader(
            data.validation_windows(feeding, self.windows), size, generator=torch.Generator()
        )
        with torch.no_grad(), ProgressBar(title, self.windows, "windows", keep=False) as bar:
            for batch in read_batches(loader):
                feed, count = assemble(batch, feeding, training.device, again=True), len(batch["pair"])
                yield training.objective(feed)[1], count
                bar.advance(count)

    def measure_start(self) -> dict[str, Any]:
        """Measure the start: the row of epoch -1 in the metrics, and the start's part of ``held_out.json``."""
        losses = self.losses("the start")
        if losses:
            self.folder.log([{"epoch": -1, "held_out": True, **losses}])
        by = self._by_sequence("the start")
        content: dict[str, Any] = {"before": {"losses": losses} | ({BY_SEQUENCE: by} if by else {})}
        if self.test:
            content["before"] |= {"weights": digest(self.training.net.state_dict()), SHOWN: self._found(self.test)}
            content |= _described(self.test) | self._measured(self.test, START, self._parents())
        self.folder.write_json(VALIDATION, content)
        return content

    def measure_student(self, losses: dict[str, float]) -> dict[str, Any]:
        """Measure the student, and how far every trained tensor has moved, relative to its norm at the start.

        Args:
            losses: after the last epoch.
        """
        training = self.training
        content: dict[str, Any] = read_json(self.folder.path / VALIDATION)
        content |= {"after": {"losses": losses} | self._against(content["before"]), "relative_change": _moved(training)}
        if self.test:
            content["after"] |= {"weights": digest(training.net.state_dict()), SHOWN: self._found(self.test)}
            same = content.get("test", {}).get("key") == self.test.key
            before = content["scores"] if same else {}
            if not same:
                content["before"].pop(SHOWN, None)
            scores = before | self._measured(self.test, STUDENT, {})["scores"]
            content |= _described(self.test) | {
                "scores": scores,
                "figures": figures(scores, training.config.split_seed),
            }
        self.folder.write_json(VALIDATION, content)
        return content

    def _against(self, before: dict[str, Any]) -> dict[str, Any]:
        """The student's losses by sequence, and with intervals beside the start's, where that has any."""
        if BY_SEQUENCE not in before:
            return {}
        after = self._by_sequence("the student")
        scores = {START: {TRAINED: before[BY_SEQUENCE]}, STUDENT: {TRAINED: after}}
        return {BY_SEQUENCE: after, LOSS_FIGURES: figures(scores, self.training.config.split_seed)[TRAINED]}

    def section(self, content: dict[str, Any]) -> list[Section]:
        """A few windows of the test, before and after, for the page; none where nothing is tested.

        Args:
            content: of ``held_out.json``.
        """
        before, spec = content["before"].get(SHOWN, []), self.training.row.spec
        return [windows_section(self._shown, before, spec)] if self._shown else []

    def _found(self, test: HeldOutTest) -> list[dict[str, Any]]:
        """What the network finds in a few windows, which are kept to be shown."""
        self._shown = test.show(self.training.net, self.training.features)
        return [window.found for window in self._shown]

    def _measured(self, test: HeldOutTest, answer: str, known: Scores) -> dict[str, Any]:
        """Scores of the network as it is, and of what needs none, as ``held_out.json`` has them.

        Args:
            test: the test.
            answer: the name of the network's scores.
            known: scores of the very same weights in the very same test, by way of feeding.
        """
        title = self._title({START: "the start", STUDENT: "the student"}[answer], "test")
        ways = [way for way in test.ways if way not in known]
        found = test.measure(self.training.net, self.training.features, ways, title)
        network = known | found.pop(STUDENT, {})
        return {"scores": found | {answer: network}}

    def _title(self, what: str, how: str) -> str:
        return f"{self.training.row.recipe.name}: measuring {what}, {how}"

    def _parents(self) -> Scores:
        """Scores of the one run that this one starts from, where it measured these weights in this very test."""
        init = self.training.config.init
        file = init[0] / VALIDATION if len(init) == 1 else Path()
        if not self.test or not file.is_file():
            return {}
        try:
            told: dict[str, Any] = read_json(file)
            same = told["test"]["key"] == self.test.key
            same &= told["after"]["weights"] == digest(self.training.net.state_dict())
            fed = told["test"]["fed"]
            alike = [way for way, own in _described(self.test)["test"]["fed"].items() if fed.get(way) == own]
            return {way: told["scores"][STUDENT][way] for way in alike} if same else {}
        except (DataError, KeyError, TypeError, AttributeError):
            # Of an earlier version, or no run's at all: then it is measured.
            return {}


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


def _means(measured: Iterable[tuple[dict[str, float], int]]) -> dict[str, float]:
    """Means of numbers, each weighted by how many samples it is of."""
    totals: dict[str, float] = {}
    samples = 0
    for values, count in measured:
        samples += count
        for name, value in values.items():
            totals[name] = totals.get(name, 0.0) + value * count
    return {name: total / samples for name, total in totals.items()}
