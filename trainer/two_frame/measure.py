"""What networks find in the windows of a sequence, and what needs no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainer.measure.answers import Answer, Answers, trivial_figures
from trainer.measure.held_out_test import BATCH
from trainer.measure.summary import STUDENT
from trainer.two_frame.footage import Shots
from trainer.two_frame.models import Entrant
from trainer.two_frame.windows import Sample, TwoFrames

Means = dict[str, dict[str, float]]
"""Answer -> figure -> mean over a sequence's windows."""


@torch.no_grad()
def measure(
    windows: TwoFrames, shots: Shots, entrants: Sequence[Entrant], kind: Answers, device: torch.device
) -> list[Means]:
    """Means of figures over the windows of one sequence, by entrant.

    A batch is of windows of one sequence, so that no figure depends on what else is measured.

    Args:
        windows: of the sequence.
        shots: its frames.
        entrants: the networks.
        kind: what is asked of them.
        device: where they are.
    """
    found: list[dict[str, dict[str, list[Any]]]] = [{} for _ in entrants]
    for batch in _batches(windows, shots, device):
        trivial = trivial_figures(batch, windows.spec.size)
        for place, answer in enumerate(answers(batch, entrants, kind)):
            named = {STUDENT: answer.figures} | {
                name: {figure: values for figure, values in figures.items() if figure in answer.figures}
                for name, figures in trivial.items()
            }
            for name, figures in named.items():
                for figure, values in figures.items():
                    found[place].setdefault(name, {}).setdefault(figure, []).append(values)
    return [
        {
            name: {figure: float(np.concatenate(values).mean()) for figure, values in figures.items()}
            for name, figures in each.items()
        }
        for each in found
    ]


def answers(batch: dict[str, Any], entrants: Sequence[Entrant], kind: Answers) -> Iterator[Answer]:
    """What each of some networks finds in a batch; each backbone runs once."""
    features: dict[int, tuple[Any, Any]] = {}
    for entrant in entrants:
        backbone = entrant.backbone
        if id(backbone) not in features:
            features[id(backbone)] = backbone(batch["reference"], again=True), backbone(batch["test"], again=True)
        yield kind.answer(entrant.net, *features[id(backbone)], batch)


def batch_of(samples: Sequence[Sample], device: torch.device) -> dict[str, Tensor]:
    """Samples as networks take them; windows stay where they are, features are computed one by one."""
    stacked = {name: torch.from_numpy(np.stack([sample[name] for sample in samples])) for name in samples[0]}
    return {name: value if value.dtype == torch.uint8 else value.to(device) for name, value in stacked.items()}


def _batches(windows: TwoFrames, shots: Shots, device: torch.device) -> Iterator[dict[str, Tensor]]:
    for first in range(0, windows.count, BATCH):
        numbers = range(first, min(first + BATCH, windows.count))
        yield batch_of([windows.cut(number, shots) for number in numbers], device)
