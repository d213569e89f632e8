"""What a study trains and measures once there are pairs, a teacher and tests: in every world the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trainer.study.measures import Tests, one_pass, tracking, two_frame
from trainer.study.plan import CHOOSE, Model, Run
from trainer.study.plan.order import CANDIDATE, START
from trainer.study.plan.run import TRUE
from trainer.study.rows import ENDS, OWN_RATE, Made, Rows
from trainer.study.settings import Scope

CHAIN = ("b1", "b2", "b3", "c1", "bc", CANDIDATE)
"""Rows of the chain of what is judged, which are measured at once."""
FOLLOWED = (
    *(Model(START), Model(CANDIDATE, "", 0), Model(CANDIDATE, "oracle", 0), Model(CANDIDATE, "shuffled", 0)),
    *(Model(CANDIDATE, "rgb-rgb", 0), Model(CANDIDATE, "gray", 0), Model(CANDIDATE, "tir-tir", 0)),
    *(Model("t3", "", 0), Model("k3", "", 0)),
)
"""Models that are tracked through whole sequences, of the first seed."""
APART = ("t3", "k3")
"""Rows that have a verdict of their own."""


@dataclass(frozen=True)
class Half:
    """One of two oracles that share a name: what learned from the truth of some tests, measured on the others.

    Attributes:
        name: of it.
        rows: makes its models.
        tests: what they are measured on.
    """

    name: str
    rows: Rows
    tests: Tests


def students(rows: Rows, scope: Scope, tests: Tests, halves: Sequence[Half] = ()) -> list[Run]:
    """All runs of the students: tries and choices of rates, models, measurements; each after what it needs.

    Args:
        rows: makes models.
        scope: which.
        tests: what they are measured on.
        halves: of the oracle, where there is truth of no other scenes than those of the tests. Its rate is chosen by
            those of ``rows``.
    """
    _choices(rows, scope, tests)
    _measure(rows, tests, [Model(START)])
    if tests.twins:
        _find(rows, [Model(START)], tests.twins, tests.windows, of="test", modality="rgb")
    for seed in range(scope.seeds):
        for models in _groups(scope, seed):
            if halves and models[0].control == "oracle":
                for half in halves:
                    _measure(half.rows, half.tests, models, part=half.name)
            else:
                _measure(rows, tests, models)
    if tests.frames:
        # Halves of an oracle are two trackers, of which neither may be tracked through all of the test.
        _track(rows, scope.without("oracle") if halves else scope, tests)
    return list(rows.runs.values())


def secondary(rows: Rows, tests: Tests) -> list[Run]:
    """The true pairs' chain on other patches, of one seed: told, not judged. It takes the rate of the judged ones."""
    _measure(rows, tests, [Model(CANDIDATE, "", 0)], rows.patches)
    return list(rows.runs.values())


def _choices(rows: Rows, scope: Scope, tests: Tests) -> None:
    """Every rate that a control has for itself, tried on scenes apart, and the choice."""
    if len(rows.preset.rates) == 1 or tests.select is None:
        return
    for control in OWN_RATE:
        if control and control not in scope.controls:
            continue
        tried = [Model(CANDIDATE, control, 0, rate) for rate in rows.preset.rates]
        first = Model(CANDIDATE, control, 0)
        found = _find(rows, tried, tests.select, tests.trials, of="select", first=first, listed=tests.selected)
        path = f"rates/{control or TRUE}"
        _add(rows, Run(path, (CHOOSE, control), (found.path,), 0.0, f"{path}.json", CANDIDATE, control, 0))


def _groups(scope: Scope, seed: int) -> Iterator[list[Model]]:
    """The models of a seed, in groups that are measured at once; the last of each is what the group is called after."""
    asked = [row for row in scope.rows if row != START]
    if set(scope.controls) & {control for control, end in ENDS.items() if end == "bc"}:
        asked.append("bc")
    others = [row for row in asked if row not in (*CHAIN, *APART)]
    for group in ([row for row in CHAIN if row in asked], others, *([row] for row in APART if row in asked)):
        if group:
            yield [Model(row, "", seed) for row in group]
    for control in scope.controls:
        yield [Model(ENDS.get(control, CANDIDATE), control, seed)]


def _measure(rows: Rows, tests: Tests, models: Sequence[Model], patches: str = "", part: str = "") -> None:
    _find(rows, models, tests.test, tests.windows, of="test", patches=patches, listed=tests.listed, part=part)


def _find(rows: Rows, models: Sequence[Model], sequences: Made, windows: int, **told: Any) -> Made:
    """One two-frame test of models, called after the last of them where nothing else is ``told``."""
    trained = {model: rows.model(model) for model in models}
    about = {"tracker": rows.tracker, "window": rows.preset.window, "first": models[-1]}
    return _add(rows, two_frame(trained, sequences, windows, **about | told))


def _track(rows: Rows, scope: Scope, tests: Tests) -> None:
    """One-pass evaluation on the test's sequences, and of the teacher on their twins in RGB."""
    asked = [model for model in FOLLOWED if model.row in scope.rows and model.control in ("", *scope.controls)]
    sides: list[tuple[Literal["tir", "rgb"], Made, list[Model]]] = [("tir", tests.test, asked)]
    if tests.twins:
        sides.append(("rgb", tests.twins, asked[:1]))
    for modality, sequences, models in sides:
        tracked = {
            model.name: _add(
                rows,
                tracking(model.name, rows.model(model), sequences, tests, rows.tracker, modality),
            )
            for model in models
        }
        _add(rows, one_pass(tracked, sequences, tests, modality))


def _add(rows: Rows, run: Run) -> Made:
    rows.runs[run.id] = run
    return Made(run.makes, run.id)
