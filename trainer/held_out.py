"""What a run did, told on sequences it never saw: losses every epoch, and a report before and after."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch.utils.data import DataLoader

from trainer.data import Sample, read_batches
from trainer.feeding import Feed, Feeding, assemble, pictures
from trainer.measures import measure_feed, modulation_cosine
from trainer.run_folder import HELD_OUT, RunFolder
from trainer.training import Training

EVERYTHING = Feeding(("rgb", "tir"), ("rgb", "tir"))
"""Both modalities of both windows, from which any way of feeding can be put together."""


def losses(training: Training) -> dict[str, float]:
    """Mean losses on held-out sequences: the same windows every time, so that epochs can be compared.

    Empty where nothing is held out.
    """
    wanted = training.config.held_out_samples if len(training.held_pairs) else 0
    if not wanted:
        return {}
    dataset = training.dataset(training.held_pairs, wanted, held_out=True)
    loader: DataLoader[Sample] = DataLoader(dataset, training.batch_size)
    totals: dict[str, float] = {}
    with torch.no_grad():
        for feed, pairs in training.batches(loader):
            for name, value in training.objective(feed)[1].items():
                totals[name] = totals.get(name, 0.0) + value * len(pairs)
    return {name: value / wanted for name, value in totals.items()}


def begin(training: Training, folder: RunFolder) -> None:
    """Measure the start: the row of epoch -1 in the metrics, and ``before`` in ``held_out.json``."""
    held = losses(training)
    if held:
        folder.log([{"epoch": -1, "held_out": True, **held}])
    folder.write_json(HELD_OUT, {"before": {"losses": held} | examine(training)})


def finish(training: Training, folder: RunFolder, held: dict[str, float]) -> None:
    """Measure the student: ``after``, and how far every trained tensor has moved, relative to its norm at the start.

    Args:
        training: the run, finished.
        folder: its files.
        held: :func:`losses` after the last epoch.
    """
    content = json.loads((folder.path / HELD_OUT).read_text(encoding="utf-8"))
    live = {name: value.detach().cpu() for name, value in training.optimizer.live.items()}
    moved = {
        name: float((value.double() - training.start[name].double()).norm() / training.start[name].double().norm())
        if training.start[name].any()
        else None
        for name, value in live.items()
    }
    content |= {"after": {"losses": held} | examine(training), "relative_change": moved}
    folder.write_json(HELD_OUT, content)


def ways(training: Training) -> dict[str, Feeding]:
    """The ways of feeding that are reported: as the row is trained, and as the student is used, on TIR alone."""
    recipe = training.recipe
    return {
        "as trained": Feeding(pictures(recipe.reference), pictures(recipe.test)),
        "TIR alone": Feeding(("tir",), ("tir",)),
    }


def examine(training: Training) -> dict[str, Any]:
    """Quality on the held-out windows, by way of feeding (:func:`trainer.measures.measure_feed`), means.

    ``modulation_cosine`` compares the modulation vectors of the two modalities of one reference window.
    """
    wanted = training.config.held_out_samples if len(training.held_pairs) else 0
    if not wanted:
        return {}
    dataset = training.dataset(training.held_pairs, wanted, held_out=True, feeding=EVERYTHING)
    loader: DataLoader[Sample] = DataLoader(dataset, training.batch_size)
    sums: dict[str, dict[str, float]] = {name: {} for name in ways(training)}
    cosine = 0.0
    with torch.no_grad():
        for batch in read_batches(loader):
            count = len(batch["pair"])
            for name, feeding in ways(training).items():
                feed = assemble(batch, feeding, training.device)
                _add(sums[name], measure_feed(training.net, feed, training.spec), count)
            pair = [assemble(batch, Feeding((m,), (m,)), training.device) for m in ("rgb", "tir")]
            cosine += modulation_cosine(training.net, *(_reference(feed) for feed in pair)) * count
    means = {name: {key: value / wanted for key, value in group.items()} for name, group in sums.items()}
    return {"quality": means, "modulation_cosine": cosine / wanted}


def _reference(feed: Feed) -> tuple[torch.Tensor, torch.Tensor]:
    return feed.reference, feed.reference_box


def _add(sums: dict[str, float], values: dict[str, float], count: int) -> None:
    for name, value in values.items():
        sums[name] = sums.get(name, 0.0) + value * count
