"""Whether the numbers in the names of a sequence's pictures leave a doubt that picture n is row n of its truth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

_NUMBER = re.compile(r"\d+")
_JUMP = 2
"""Usual steps from one number to the next from which on a picture seems to be missing between the two."""


def odd_numbers(pictures: Sequence[Path]) -> str | None:
    """What is doubtful about the names of pictures in natural order, of which there are as many as rows.

    One that is missing and a stranger that is no frame, or a row too few, come out even, and all between is shifted.

    Returns:
        None where nothing is, and where names hold no numbers that rise.
    """
    numbered = [(path.name, int(found[-1])) for path in pictures if (found := _NUMBER.findall(path.stem))]
    steps = [after[1] - before[1] for before, after in pairwise(numbered)]
    if len(numbered) < len(pictures) / 2 or not steps or min(steps) <= 0:
        return None
    doubts = []
    if nameless := [path.name for path in pictures if not _NUMBER.search(path.stem)]:
        doubts.append(f"{nameless[0]} has no number and is taken for a frame")
    usual = median(steps)
    jumps = [pair for pair, step in zip(pairwise(numbered), steps) if step >= _JUMP * usual]
    if jumps:
        (before, _), (after, _) = jumps[0]
        doubts.append(f"numbers jump {len(jumps)} times, first from {before} to {after}")
    return "; ".join(doubts) or None
