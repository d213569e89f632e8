"""Some windows of a test as pictures: the reference, and beside it the test window with the true box and the found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline import images
from pipeline.boxes import corners
from pipeline.errors import UsageError
from pipeline.files.writing import write_bytes
from pipeline.images import Rgb
from pipeline.pages.drawing import GREEN, ORANGE, outline
from trainer.measure.answers import Answers
from trainer.measure.instants import stream
from trainer.two_frame.footage import read_shots
from trainer.two_frame.measure import answers, batch_of
from trainer.two_frame.models import Entrant
from trainer.two_frame.windows import TwoFrames

_GAP = 4
"""Pixels between the two windows."""


@torch.no_grad()
def draw(
    folder: Path,
    show: int,
    windows: Sequence[TwoFrames],
    entrants: Sequence[Entrant],
    kind: Answers,
    device: torch.device,
) -> None:
    """Write ``<name>/<k>.png`` of each entrant, of the same windows for all.

    Args:
        folder: where to.
        show: how many windows.
        windows: of every sequence.
        entrants: the networks.
        kind: what is asked of them.
        device: where they are.
    """
    for k, (each, number) in enumerate(chosen(windows, show)):
        shots = read_shots(each.footage, set(each.draws[number]))
        sample = each.cut(number, shots)
        for entrant, answer in zip(entrants, answers(batch_of([sample], device), entrants, kind)):
            found = answer.boxes[kind.decides][0].cpu().numpy()
            path = folder / (entrant.name or "") / f"{k}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, images.encode(beside(sample, found), ".png"))


def spare_frames(folder: Path, names: Sequence[str | None], windows: Sequence[TwoFrames]) -> None:
    """Refuse a folder for pictures in which they would take the place of frames.

    Raises:
        UsageError: it is one.
    """
    drawn = {(folder / (name or "")).resolve() for name in names}
    for each in windows:
        if each.footage.clip.pictures[0].parent.resolve() in drawn:
            raise UsageError(f"--pictures {folder} holds the frames of {each.name}: choose another folder")


def chosen(windows: Sequence[TwoFrames], show: int) -> list[tuple[TwoFrames, int]]:
    """Windows to be shown, by seed: of as many sequences as there are."""
    order = stream(windows[0].seed, "pictures").permutation(len(windows))
    picked = [(windows[order[k % len(order)]], k // len(order)) for k in range(show)]
    return [(each, number) for each, number in picked if number < each.count]


def beside(sample: dict[str, NDArray[np.generic]], found: NDArray[np.float32]) -> Rgb:
    """Both windows of a sample: true boxes green, the found one orange."""
    reference, test = (np.ascontiguousarray(np.moveaxis(sample[name], 0, 2)) for name in ("reference", "test"))
    left = outline(reference.astype(np.uint8), corners(sample["reference_box"]), GREEN)
    right = outline(outline(test.astype(np.uint8), corners(sample["test_box"]), GREEN), corners(found), ORANGE)
    canvas = np.zeros((len(right), left.shape[1] + _GAP + right.shape[1], 3), np.uint8)
    canvas[: len(left), : left.shape[1]] = left
    canvas[:, -right.shape[1] :] = right
    return canvas
