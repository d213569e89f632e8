"""What networks find in the windows of a sequence, and what needs no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.measure.answers import Answer, Answers, Figures, trivial_figures
from trainer.measure.held_out_test import BATCH
from trainer.measure.summary import STUDENT
from trainer.two_frame.models import Entrant

Means = dict[str, dict[str, float]]
"""Answer -> figure -> mean over a sequence's windows."""
Sample = Mapping[str, NDArray[Any]]
"""A window as :meth:`trainer.two_frame.windows.TwoFrames.cut` gives it."""


@torch.no_grad()
def measure(
    samples: Sequence[Sample], entrants: Sequence[Entrant], kind: Answers, device: torch.device
) -> list[dict[str, Figures]]:
    """Figures of some windows by answer, by entrant.

    Args:
        samples: the windows.
        entrants: the networks.
        kind: what is asked of them.
        device: where they are.
    """
    batch = batch_of(samples, device)
    trivial = trivial_figures(batch, kind.spec.size)
    return [
        {STUDENT: answer.figures}
        | {
            name: {figure: values for figure, values in told.items() if figure in answer.figures}
            for name, told in trivial.items()
        }
        for answer in answers(batch, entrants, kind)
    ]


def answers(batch: dict[str, Any], entrants: Sequence[Entrant], kind: Answers) -> Iterator[Answer]:
    """What each of some networks finds in a batch; a backbone that several have runs once."""
    features: dict[int, tuple[Any, Any]] = {}
    for entrant in entrants:
        backbone = entrant.backbone
        if id(backbone) not in features:
            features[id(backbone)] = backbone(batch["reference"], again=True), backbone(batch["test"], again=True)
        net, (reference, test) = entrant.net, features[id(backbone)]
        yield kind.answer(net, kind.asked(net, reference, batch), kind.seen(net, test), batch)


def batch_of(samples: Sequence[Sample], device: torch.device) -> dict[str, Tensor]:
    """Windows as networks take them: their pixels as backbones want them, on the CPU."""
    stacked = {name: torch.from_numpy(np.stack([sample[name] for sample in samples])) for name in samples[0]}
    return {name: value if value.dtype == torch.uint8 else value.to(device) for name, value in stacked.items()}


def batches(count: int) -> Iterator[range]:
    """Numbers of windows that are measured at once: of one sequence, whose figures so depend on no other."""
    for first in range(0, count, BATCH):
        yield range(first, min(first + BATCH, count))


def means_of(parts: Sequence[Mapping[str, Figures]]) -> Means:
    """Means over all windows of a sequence, of the figures of its batches."""
    return {
        answer: {name: float(np.concatenate([part[answer][name] for part in parts]).mean()) for name in figures}
        for answer, figures in parts[0].items()
    }
