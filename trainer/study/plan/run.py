"""One piece of a study: a command, what it needs, what it makes, what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CHOOSE = "choose"
"""First word of a command that is no command: the choice of a rate, made by the study itself."""


@dataclass(frozen=True)
class Run:
    """One piece of a study. All paths are relative to the study's folder, in which it runs.

    Attributes:
        id: its name and its place in the study, as ``runs/d3/shuffled/0``; the file of its output is called after it.
        command: ``pipeline`` or ``trainer`` and the words after ``python -m`` of them, or ``choose`` and a control. In
            a word ``{rate:CONTROL}`` stands for the rate that was chosen for a control; the true pairs' is ``true``.
        needs: ids of the runs that must have ended before.
        cost_s: CPU-seconds that it is expected to take.
        makes: file or folder whose presence says that the run is done. A command that takes ``--on-existing`` is asked
            whether it is: what it makes may be there and unfinished.
        row: of the model that it makes or measures.
        control: what its pairs were replaced by; empty for true pairs.
        seed: of the model; None where it is of all.
        set: ``select`` or ``test``, of a measurement.
    """

    id: str
    command: tuple[str, ...]
    needs: tuple[str, ...]
    cost_s: float
    makes: str
    row: str = ""
    control: str = ""
    seed: int | None = None
    set: Literal["", "select", "test"] = ""
