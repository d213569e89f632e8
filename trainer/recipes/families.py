"""What base trackers of one kind share in training: where its parts are, and the losses that they can be given.

Two kinds: DiMP and ATOM score proposals around a target, NanoTrack tells class and box at every point of a grid.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from typing import Any

from trainer.recipes.losses import BBE, POINT_BBE, POINT_TCL, TCL, LossKind


@dataclass(frozen=True)
class Family:
    """Parts of one kind of base tracker, ``module:name`` within this package, imported when they are asked for.

    Attributes:
        windowing: its :class:`~trainer.data.windowing.Windowing`, how windows are cut and what is learnt of them.
        ownership: its :class:`~trainer.distillation.ownership.Ownership`, which parameters each branch owns.
        responses: its :class:`~trainer.distillation.responses.Responses`, what the losses are given of a network.
        answers: its :class:`~trainer.measure.answers.Answers`, what a network finds in a held-out window.
        tcl: its classification losses.
        bbe: its box losses.
    """

    windowing: str
    ownership: str
    responses: str
    answers: str
    tcl: LossKind
    bbe: LossKind

    def part(self, name: str) -> Any:
        """Import one of the parts, by the name of its field."""
        return pkgutil.resolve_name(f"trainer.{getattr(self, name)}")


PROPOSALS = Family(
    windowing="data.windowing:SearchWindowing",
    ownership="distillation.ownership:MODULATED",
    responses="distillation.proposal_responses:ProposalResponses",
    answers="measure.proposal_answers:ProposalAnswers",
    tcl=TCL,
    bbe=BBE,
)
POINTS = Family(
    windowing="data.point_windowing:PointWindowing",
    ownership="distillation.ownership:CORRELATED",
    responses="distillation.point_responses:PointResponses",
    answers="measure.point_answers:PointAnswers",
    tcl=POINT_TCL,
    bbe=POINT_BBE,
)
