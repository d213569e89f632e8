"""What a run did, told on sequences it never saw: losses every epoch, and a report before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch.utils.data import DataLoader

from pipeline.files.json_text import read_json
from trainer.checkpoints.run_folder import VALIDATION, RunFolder
from trainer.data.dataset import Sample, read_batches
from trainer.data.feeds import Feeding, assemble
from trainer.train.box_quality import measure_feed, modulation_cosine
from trainer.train.session import Training

BOTH = Feeding(("rgb", "tir"), ("rgb", "tir"))
"""Both modalities of both windows."""


def losses(training: Training) -> dict[str, float]:
    """Mean losses on the validation sequences: the same windows every time, so that epochs can be compared.

    Empty where there are none.
    """
    if not len(training.data.validation_pairs) or not training.config.held_out_samples:
        return {}
    with torch.no_grad():
        windows = _windows(training, training.data.feeding)
        feeds = ((assemble(batch, training.data.feeding, training.device), len(batch["pair"])) for batch in windows)
        return _means((training.objective(feed)[1], count) for feed, count in feeds)


def measure_start(training: Training, folder: RunFolder) -> None:
    """Measure the start: the row of epoch -1 in the metrics, and ``before`` in ``held_out.json``."""
    before = losses(training)
    if before:
        folder.log([{"epoch": -1, "held_out": True, **before}])
    folder.write_json(VALIDATION, {"before": {"losses": before} | examine(training)})


def measure_student(training: Training, folder: RunFolder, after: dict[str, float]) -> None:
    """Measure the student: ``after``, and how far every trained tensor has moved, relative to its norm at the start.

    Args:
        training: the run, finished.
        folder: its files.
        after: :func:`losses` after the last epoch.
    """
    content = read_json(folder.path / VALIDATION)
    live = {name: value.detach().cpu() for name, value in training.optimizer.live.items()}
    moved = {
        name: float((value.double() - training.start[name].double()).norm() / training.start[name].double().norm())
        if training.start[name].any()
        else None
        for name, value in live.items()
    }
    content |= {"after": {"losses": after} | examine(training), "relative_change": moved}
    folder.write_json(VALIDATION, content)


def ways(training: Training) -> dict[str, Feeding]:
    """The ways of feeding that are reported: as the row is trained, and as the student is used, on TIR alone."""
    return {
        "as trained": replace(training.data.feeding, once=False),
        "TIR alone": Feeding(("tir",), ("tir",)),
    }


def examine(training: Training) -> dict[str, Any]:
    """Quality on the validation windows, by way of feeding (:func:`trainer.train.box_quality.measure_feed`), means.

    ``modulation_cosine`` compares the modulation vectors of the two modalities of one reference window.
    """
    if not len(training.data.validation_pairs) or not training.config.held_out_samples:
        return {}
    with torch.no_grad():
        quality = {name: _quality(training, feeding) for name, feeding in ways(training).items()}
        return {"quality": quality, "modulation_cosine": _cosine(training)}


def _quality(training: Training, feeding: Feeding) -> dict[str, float]:
    return _means(
        (measure_feed(training.net, assemble(batch, feeding, training.device), training.row.spec), len(batch["pair"]))
        for batch in _windows(training, feeding)
    )


def _cosine(training: Training) -> float:
    values = []
    for batch in _windows(training, BOTH):
        feeds = [assemble(batch, Feeding((m,), (m,)), training.device) for m in ("rgb", "tir")]
        cosine = modulation_cosine(training.net, *((feed.reference, feed.reference_box) for feed in feeds))
        values.append(({"cosine": cosine}, len(batch["pair"])))
    return _means(values)["cosine"]


def _windows(training: Training, feeding: Feeding) -> Iterator[Sample]:
    """Batches of validation windows, the same ones whatever is fed."""
    loader: DataLoader[Sample] = DataLoader(training.data.validation_windows(feeding), training.row.batch_size)
    return read_batches(loader)


def _means(measured: Iterable[tuple[dict[str, float], int]]) -> dict[str, float]:
    """Means of numbers, each weighted by how many samples it is of."""
    totals: dict[str, float] = {}
    samples = 0
    for values, count in measured:
        samples += count
        for name, value in values.items():
            totals[name] = totals.get(name, 0.0) + value * count
    return {name: total / samples for name, total in totals.items()}
