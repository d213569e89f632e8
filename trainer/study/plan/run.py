"""One piece of a study: a command, what it needs, what it makes, what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

CHOOSE = "choose"
"""First word of a command that is no command: the choice of a rate, made by the study itself."""
TRUE = "true"
"""What the true pairs are called in the name of a file, where a control's name would be empty."""
INIT = "init.pth"
"""What the teacher starts from, in the study's folder."""
PICTURES = "pictures"
"""Folder of drawn test windows, by the model that answers them."""


@dataclass(frozen=True)
class Run:
    """One piece of a study. All paths are relative to the study's folder, in which it runs on one thread.

    It may be killed at any moment and is then started again by the same words: they go on, or begin anew.

    Attributes:
        id: its name and its place in the study, as ``runs/d3/shuffled/0``; its output goes to ``logs/<id>.log``.
        command: ``pipeline``, ``trainer`` or ``cmd_tir`` and the words after ``python -m`` of them, or ``choose`` and a
            control. In a word, ``{rate:CONTROL}`` stands for the rate that was chosen for a control; the true pairs' is
            called ``true``.
        needs: ids of the runs that must have ended before.
        cost_s: CPU-seconds that it is expected to take.
        makes: file or folder that is there when it is done.
        row: of the model that it makes or measures; empty for what is of no one model.
        control: what the model's pairs were replaced by; empty for true pairs.
        seed: of the model; None where it is of all.
        set: ``select`` or ``test``, of a measurement, whose ``makes`` is read for rows of ``results.jsonl``: a FOUND
            file of ``cmd-train two-frame``, a folder of those, or the ``metrics.json`` of ``cmd-eval``, each model
            under its :class:`Model`'s name.
        patches: of a measurement, what its models were trained on; empty for what the verdict is about.
        modality: of a measurement by ``cmd-eval``, which does not say it.
        spared_s: CPU-seconds that it would take more if it shared no features of the frozen backbone with other runs.
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
    patches: str = ""
    modality: Literal["tir", "rgb"] = "tir"
    spared_s: float = 0.0


class Model(NamedTuple):
    """What a measurement is of, and its name in files and in calls of commands.

    Attributes:
        row: of the model.
        control: empty for true pairs.
        seed: None for a model without one.
        rate: the ``rate_scale`` that it was tried with; None where that is the chosen one.
    """

    row: str
    control: str = ""
    seed: int | None = None
    rate: float | None = None

    @property
    def name(self) -> str:
        """``row~control~seed``, or ``row~control~seed~rate``; what is not there is empty."""
        words = [self.row, self.control, "" if self.seed is None else str(self.seed)]
        return "~".join(words if self.rate is None else [*words, f"{self.rate:g}"])


def model_of(name: str) -> Model:
    """The model of a name.

    Raises:
        ValueError: it is none.
    """
    row, control, seed, *rate = name.split("~")
    return Model(row, control, int(seed) if seed else None, float(*rate) if rate else None)
