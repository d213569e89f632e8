"""The losses that a run can choose, each one line: a name, and the function that it stands for.

A loss is a function that returns a scalar. Its parameters are named after what it wants to be given, out of
:data:`TCL_GIVEN` or :data:`BBE_GIVEN`, of NanoTrack out of :data:`POINT_TCL_GIVEN` or :data:`POINT_BBE_GIVEN`; only
that is computed. One's own is named by its import path.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import UsageError
from pipeline.plugins import Registry

TCL_LOSSES = Registry(
    "classification loss",
    {
        "lbhinge": "trainer.distillation.choices:lbhinge",
        "l2": "trainer.distillation.choices:l2",
        "features": "trainer.distillation.choices:features",
        "answer": "trainer.distillation.choices:answered_scores",
    },
)
BBE_LOSSES = Registry(
    "box loss",
    {
        "iou": "trainer.distillation.choices:iou",
        "kl": "trainer.distillation.choices:kl",
        "state": "trainer.distillation.choices:state_error",
        "state+iou": "trainer.distillation.choices:state_error_and_iou",
        "features": "trainer.distillation.choices:features",
        "answer": "trainer.distillation.choices:answered_proposals",
    },
)
COMPARED: Mapping[str, str] = {
    "of_tir": "(R, N) what the trained branch makes of its TIR window, in rows that train one branch",
    "of_rgb": "(R, N) what the teacher makes of the same window in RGB",
}
TAUGHT = "taught_"
"""Before the name of what the frozen teacher answers on RGB in the same windows of both branches, in k3."""
TCL_GIVEN: Mapping[str, str] = {
    "scores": "(K, n, R, h, w) response to each of K filter iterates",
    "filters": "(K, R, C, f, f) the iterates",
    "end_scores": "(2, n, R, h, w) response to the first and to the last iterate",
    "end_filters": "(2, R, C, f, f) the two",
    "label": "(n, R, h, w) the Gaussian g; n test images of each of R targets, 1 but in pretrain",
    "mu": "the setting",
    f"{TAUGHT}scores": "scores of the frozen teacher that sees RGB in the same windows, in k3",
    **COMPARED,
}
BBE_GIVEN: Mapping[str, str] = {
    "predicted": "(n*R, P) scores of the proposals",
    "overlap": "(n*R, P) their IoU with the box",
    "sample_density": "(n*R, P) density that they were drawn from; proposals then come from SuperDiMP's mixture",
    "truth_density": "(n*R, P) density of the true box, likewise",
    "predicted_state": "(n*R, 4) what psi reads from the modulated map; psi is then fitted first",
    "state": "(n*R, 4) the box state s, standardised as psi's",
    "weights": "trained weights of the box module, without biases and batch-norms",
    "nu": "the setting",
    f"{TAUGHT}predicted": "predicted of the frozen teacher that sees RGB in the same windows, in k3",
    **COMPARED,
}
POINT_TCL_LOSSES = Registry(
    "classification loss of NanoTrack",
    {
        "cross_entropy": "trainer.distillation.point_losses:cross_entropy",
        "l2": "trainer.distillation.choices:l2",
        "features": "trainer.distillation.choices:features",
        "answer": "trainer.distillation.point_losses:answered_classes",
    },
)
POINT_BBE_LOSSES = Registry(
    "box loss of NanoTrack",
    {
        "iou": "trainer.distillation.point_losses:iou",
        "state": "trainer.distillation.choices:state_error",
        "state+iou": "trainer.distillation.point_losses:state_error_and_iou",
        "features": "trainer.distillation.choices:features",
        "answer": "trainer.distillation.point_losses:answered_boxes",
    },
)
CELLS = {"cells": "(R, h, w) 1 where the target is to be found, 0 where not, -1 where nothing is asked"}
POINT_TCL_GIVEN: Mapping[str, str] = {
    "logits": "(R, 2, h, w) scores of background and target at every point",
    **CELLS,
    "scores": "(1, 1, R, h, w) probability of the target at every point",
    "filters": "(1, R, C, f, f) the map of the template that the search window is compared with",
    "end_scores": "the same as scores: there is one iterate",
    "end_filters": "the same as filters",
    "label": "(1, R, h, w) the Gaussian g; 0 everywhere where the template is of another scene",
    "mu": "the setting",
    f"{TAUGHT}logits": "logits of the frozen teacher that sees RGB in the same windows, in k3",
    **COMPARED,
}
POINT_BBE_GIVEN: Mapping[str, str] = {
    "distances": "(R, 4, h, w) from every point to the left, top, right and bottom of its box, pixels",
    "wanted": "(R, 4, h, w) the same to the true box; below 0 where a point is beyond that side",
    **CELLS,
    "predicted_state": "(R, 4) what psi reads from the correlation maps; psi is then fitted first",
    "state": "(R, 4) the box state s, standardised as psi's",
    "weights": "trained weights of the box module, without biases and batch-norms",
    "nu": "the setting",
    f"{TAUGHT}distances": "distances of the frozen teacher that sees RGB in the same windows, in k3",
    f"{TAUGHT}sure": "(R, h, w) its probability of the target at every point, in k3",
    **COMPARED,
}


@dataclass(frozen=True)
class LossKind:
    """The losses of one module of one kind of base tracker.

    Attributes:
        registry: those that are listed.
        given: what they, and one's own, can be given: name -> what it is.
    """

    registry: Registry
    given: Mapping[str, str]


TCL, BBE = LossKind(TCL_LOSSES, TCL_GIVEN), LossKind(BBE_LOSSES, BBE_GIVEN)
POINT_TCL, POINT_BBE = LossKind(POINT_TCL_LOSSES, POINT_TCL_GIVEN), LossKind(POINT_BBE_LOSSES, POINT_BBE_GIVEN)
EVERY_TCL = Registry(TCL_LOSSES.kind, TCL_LOSSES.paths | POINT_TCL_LOSSES.paths)
EVERY_BBE = Registry(BBE_LOSSES.kind, BBE_LOSSES.paths | POINT_BBE_LOSSES.paths)
"""Names that some base tracker knows: which one a run has, its other settings say."""


@dataclass(frozen=True)
class Loss:
    """A loss that was chosen.

    Attributes:
        name: in the registry, or ``package.module:function``.
        function: returns a scalar.
        takes: names of its parameters.
        sha256: of the file that it comes from; None for a listed one, whose version is ours.
    """

    name: str
    function: Callable[..., Any]
    takes: tuple[str, ...]
    sha256: str | None

    @property
    def compares(self) -> bool:
        """Whether it wants what only rows that train one branch can give."""
        return not COMPARED.keys().isdisjoint(self.takes)

    @property
    def imitates(self) -> bool:
        """Whether it wants the teacher's own answers, which only rows that are fed TIR on both branches can give."""
        return any(name.startswith(TAUGHT) for name in self.takes)

    def __call__(self, given: Mapping[str, Callable[[], Any]]) -> Any:
        """The loss, a scalar tensor, of the values that are offered by name; what it does not take is not computed.

        Raises:
            UsageError: it is no scalar.
        """
        loss = self.function(**{name: given[name]() for name in self.takes})
        if tuple(getattr(loss, "shape", (0,))):
            raise UsageError(f"loss {self.name}: returned {loss!r:.60}: return a scalar tensor")
        return loss


def load_loss(registry: Registry, given: Mapping[str, str], name: str) -> Loss:
    """The loss of a name.

    Args:
        registry: the losses of its kind.
        given: what those can be given.
        name: in the registry, or an import path.

    Raises:
        UsageError: there is none of that name, it cannot be imported, or wants what there is not.
    """
    try:
        registry.check(name)
    except ValueError as error:
        raise UsageError(str(error)) from error
    function = registry.load(name)
    wanted = [p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    if strange := [parameter for parameter in wanted if parameter not in given]:
        raise UsageError(f"{registry.kind} {name}: takes {strange[0]!r}: name parameters out of {', '.join(given)}")
    return Loss(name, function, tuple(wanted), registry.source_sha256(name))
