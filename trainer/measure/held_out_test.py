"""The held-out test of a run: the same windows for every network, fed in several ways, beside answers without one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, replace
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from pipeline.runtime.progress import ProgressBar
from trainer import DISTRIBUTION
from trainer.data.feeds import Feeding
from trainer.data.loading import Sample, read_batches
from trainer.data.training_data import VALIDATION_SEED, TrainingData
from trainer.features import Backbone
from trainer.measure.answers import Answers, Figures, trivial_figures
from trainer.measure.held_out_windows import HeldOutWindows
from trainer.measure.instants import instants_of
from trainer.measure.shown import ShownWindow, shown_windows
from trainer.measure.summary import STUDENT, Scores, by_sequence
from trainer.net import BranchedNet
from trainer.recipes.settings import TrainSettings

TRAINED, TIR, RGB, BOTH = "as trained", "TIR alone", "RGB alone", "RGB and TIR"
BATCH = 8
"""Windows that are measured at once, whatever a run trains with."""
SHARE = 5
"""Measuring takes at most one in so many of the draws that train, ..."""
FEWEST_WINDOWS = 10
"""... but as many windows as this at least, or ``held_out_samples`` where that is less."""
STREAMS = 2
"""Raised by a change of what is drawn for the test from equal seeds."""
PASSES = 8
"""Of the network over the windows in a run of one epoch: two for the losses, before and after, and two for the test in
each of three ways of feeding. Each further epoch adds one pass, and more draws than that costs. Means, intervals and
the windows that are shown come of these passes."""


def windows_of(settings: TrainSettings) -> int:
    """How many windows measure a run: a function of its settings, and not of how many epochs it has come to."""
    bound = settings.samples_per_epoch // (SHARE * PASSES)
    return min(settings.held_out_samples, max(FEWEST_WINDOWS, bound))


def passes_of(epochs: int) -> int:
    """How many times a run passes over the windows, at most."""
    return PASSES + epochs - 1


def ways_of(feeding: Feeding) -> dict[str, Feeding]:
    """The ways of feeding that are measured, by name.

    TIR alone is how a student is used, RGB alone how its teacher is; as the row is trained where that is neither. From
    RGB and TIR together come cosines between the modulation vectors of the two. Pairs are true ones, whatever control a
    row is trained under: its student is asked what the row's is.
    """
    ways = {TIR: Feeding.alone("tir"), RGB: Feeding.alone("rgb")}
    trained = replace(feeding, once=False, control=None, twin=None)
    return (
        ({} if feeding.gray or trained in ways.values() else {TRAINED: trained})
        | ways
        | {BOTH: Feeding(("rgb", "tir"), ())}
    )


class HeldOutTest:
    """Windows of the held-out pairs, and what is measured on them.

    Attributes:
        windows: how many.
        kind: ``two frames`` or ``same frame``, see :mod:`trainer.measure.instants`.
        sequences: those that the windows are of.
        ways: of feeding.
        key: a hash of all that figures of the same weights depend on.

    Args:
        data: what the run sees.
        windows: how many to draw.
        device: where networks are.
    """

    def __init__(self, data: TrainingData, windows: int, device: torch.device) -> None:
        self._data, self._device = data, device
        self._kind: Answers = data.spec.family.part("answers")(data.settings, data.spec)
        self._instants = instants_of(data.source, data.validation_pairs)
        self.kind, self.ways = self._instants.kind, ways_of(data.feeding)
        self.windows = windows if self._instants.sequences else 0
        self._seed = data.settings.split_seed + VALIDATION_SEED
        draws = [self._instants.draw(number, self._seed) for number in range(self.windows)]
        self._sequence = np.array([sequence for sequence, *_ in draws], np.int64)
        self.sequences = [self._instants.sequences[place] for place in np.unique(self._sequence)]
        told = [version(DISTRIBUTION), STREAMS, data.source.fingerprint, draws, self._seed, data.settings.jitter]
        # What a run draws beside this test is no part of it: templates of other scenes.
        geometry = asdict(replace(data.spec, foreign=0.0)) | {"pretrain_rates": dict(data.spec.pretrain_rates)}
        told += [data.settings.tracker, geometry]
        told += self._kind.key
        if data.settings.feature_type != "float32":
            told.append(data.settings.feature_type)
        if data.settings.precision != "float32":
            told.append(data.settings.precision)
        self.key = hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def measure(
        self, net: BranchedNet, backbone: Backbone, ways: Collection[str], title: str
    ) -> tuple[dict[str, Scores], list[ShownWindow]]:
        """Measure a network.

        Args:
            net: the network.
            backbone: its backbone.
            ways: which ways of feeding.
            title: of the progress bar.

        Returns:
            Scores by answer: the network's, under the student's name, and of those that need none. Then a few windows
            to look at, and what the network finds in them; none where it is not measured on TIR alone.
        """
        found: dict[str, dict[str, dict[str, list[np.ndarray[Any, Any]]]]] = {}
        shown: list[ShownWindow] = []
        with ProgressBar(title, self.windows * len(ways), "windows", keep=False) as bar, torch.no_grad():
            for joined in (False, True):
                group = {name: way for name, way in self.ways.items() if name in ways and way.joined == joined}
                for batch in self._batches(list(group.values())) if group else ():
                    for answer, way, figures in self._answers(net, backbone, batch, group, shown):
                        kept = found.setdefault(answer, {}).setdefault(way, {})
                        for name, values in figures.items():
                            kept.setdefault(name, []).append(values)
                    bar.advance(len(batch["sequence"]) * len(group))
        scores = {
            answer: {
                way: {name: by_sequence(np.concatenate(values), self._sequence) for name, values in figures.items()}
                for way, figures in scored.items()
            }
            for answer, scored in found.items()
        }
        return scores, shown

    def _batches(self, ways: list[Feeding]) -> Iterator[Sample]:
        """The windows, with the pictures that some ways of feeding need, and their boxes on the network's device."""
        reference = dict.fromkeys(name for way in ways for name in way.reference)
        test = dict.fromkeys(name for way in ways for name in way.test)
        every = Feeding(tuple(reference), tuple(test))
        windows = HeldOutWindows(
            self._data,
            self._instants,
            every,
            samples=self.windows,
            seed=self._seed,
            noise=self._kind.starts,
        )
        # A generator of its own: measuring must not change the random numbers of the steps.
        loader: DataLoader[Sample] = DataLoader(windows, BATCH, generator=torch.Generator())
        for batch in read_batches(loader):
            seen = torch.uint8
            yield {name: value if value.dtype == seen else value.to(self._device) for name, value in batch.items()}

    def _answers(
        self, net: BranchedNet, backbone: Backbone, batch: Sample, ways: dict[str, Feeding], shown: list[ShownWindow]
    ) -> Iterator[tuple[str, str, Figures]]:
        """Answer, way of feeding and figures of a batch; the first on TIR alone gives what is shown."""
        kind = self._kind
        # Each picture goes through the network once, however many ways of feeding show it.
        asked = cache(lambda name: kind.asked(net, backbone(batch[f"reference_{name}"], again=True), batch))
        seen = cache(lambda name: kind.seen(net, backbone(batch[f"test_{name}"], again=True)))
        trivial = trivial_figures(batch, self._data.spec.size)
        for way, fed in ways.items():
            if way == BOTH:
                vectors = [kind.vectors(net, asked(name)) for name in fed.reference]
                yield STUDENT, way, {"modulation_cosine": _cosine(*vectors)}
                continue
            rounds = [
                kind.answer(net, asked(reference), seen(test), batch)
                for reference, test in zip(fed.reference, fed.test)
            ]
            if way == TIR and not shown:
                sequences = [self._instants.sequences[place] for place in batch["sequence"].tolist()]
                shown += shown_windows(batch, rounds[0], kind.decides, sequences, "tir")
            own = {name: np.mean([each.figures[name] for each in rounds], axis=0) for name in rounds[0].figures}
            yield STUDENT, way, own
            for answer, figures in trivial.items():
                yield answer, way, {name: values for name, values in figures.items() if name in own}


def _cosine(first: list[Tensor], second: list[Tensor]) -> np.ndarray[Any, Any]:
    """Cosine between what the reference branch says of each window in the two modalities, mean of all levels, (N,)."""
    angles = [torch.cosine_similarity(a.flatten(1), b.flatten(1)) for a, b in zip(first, second)]
    return torch.stack(angles).mean(dim=0).double().cpu().numpy()
