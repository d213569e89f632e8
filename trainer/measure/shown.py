"""Some windows of the held-out test to look at, and what a network finds in them."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from trainer.measure.answers import Answer, Batch

SHOWN = 4
"""Windows, which are of as many sequences where there are enough: those take turns."""
DIGITS = 3


class ShownWindow(NamedTuple):
    """One window of the test.

    Attributes:
        sequence: it is of.
        reference: (3, S, S) uint8, what the reference branch sees.
        test: (3, S, S) uint8, what the test branch sees.
        reference_box: (4,) the target in the first.
        test_box: (4,) the target in the second.
        found: a network's answer as ``held_out.json`` has it: ``box`` (4,), and ``response`` (h, w) where it has one.
    """

    sequence: str
    reference: Tensor
    test: Tensor
    reference_box: Tensor
    test_box: Tensor
    found: dict[str, Any]


def shown_windows(batch: Batch, answer: Answer, decides: str, sequences: list[str], modality: str) -> list[ShownWindow]:
    """The first windows of a batch.

    Args:
        batch: of the test.
        answer: a network's.
        decides: the figure whose box is shown.
        sequences: the sequence of each window.
        modality: that both branches are fed.
    """
    return [
        ShownWindow(
            sequence,
            batch[f"reference_{modality}"][place].cpu(),
            batch[f"test_{modality}"][place].cpu(),
            batch["reference_box"][place].cpu(),
            batch["test_box"][place].cpu(),
            _found(answer, decides, place),
        )
        for place, sequence in enumerate(sequences[:SHOWN])
    ]


def _found(answer: Answer, decides: str, place: int) -> dict[str, Any]:
    found: dict[str, Any] = {"box": _plain(answer.boxes[decides][place])}
    return found if answer.response is None else found | {"response": _plain(answer.response[place])}


def _plain(values: Tensor) -> Any:
    """Numbers as JSON has them, as exact as a picture shows."""
    return torch.round(values.double().cpu(), decimals=DIGITS).tolist()
