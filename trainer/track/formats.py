"""The files of a sequence's results, as the toolkits read them that boxes may be handed to."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trainer.sequences.rows import Boxes

FormatName = Literal["plain", "vot", "got10k"]
STARTED = "1"
"""What VOT's results have in place of a box where the tracker was started."""


@dataclass(frozen=True)
class ResultFormat:
    """Where the two files of a sequence are, below the folder of results, and what is in them.

    Attributes:
        boxes: path of the boxes, x,y,w,h a line; ``{}`` is the sequence.
        times: path of the seconds, one a line.
        marked: whether the first line is :data:`STARTED`.
    """

    boxes: str
    times: str
    marked: bool = False

    def lines(self, boxes: Iterable[Boxes]) -> list[str]:
        """A line a frame of boxes (4,)."""
        rows = [",".join(f"{value:.10g}" for value in box) for box in boxes]
        return [STARTED, *rows[1:]] if self.marked else rows


FORMATS: dict[FormatName, ResultFormat] = {
    "plain": ResultFormat("{0}.txt", "{0}_time.txt"),
    "vot": ResultFormat("{0}/{0}_001.txt", "{0}/{0}_001_time.value", marked=True),
    "got10k": ResultFormat("{0}/{0}_001.txt", "{0}/{0}_time.txt"),
}
"""pytracking's; the VOT toolkit's trajectories of one run; those of the GOT-10k toolkit."""


def results_of(names: Iterable[str]) -> list[str]:
    """Glob patterns of the result files of sequences, in every format."""
    paths = {path for each in FORMATS.values() for path in (each.boxes, each.times)}
    return [path.format(glob.escape(name)) for name in sorted(set(names)) for path in sorted(paths)]


def sequences_in(out: Path) -> set[str]:
    """The sequences of which an earlier run left times in a folder: those tell its files from any other text."""
    found = set[str]()
    for times in {each.times for each in FORMATS.values()}:
        end = times.rpartition("{0}")[2]
        for path in out.glob(times.format("*")):
            name = path.name.removesuffix(end)
            found |= {name} if path == out / times.format(name) else set()
    return found
