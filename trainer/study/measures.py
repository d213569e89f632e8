"""Measurements as commands: models on the windows of the two-frame test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from trainer.sequences.layout import ANY
from trainer.study.costs import FRAME_S, NANO_FRAME_S, SCORED_S, START_S, windows_s
from trainer.study.plan import Model, Run
from trainer.study.plan.order import TRACKED
from trainer.study.plan.run import PICTURES, TRUE
from trainer.study.rows import Made

FOUND = "found"
SHOWN = 4
"""Windows that are drawn of the teacher, and of students of true pairs and the first seed."""


@dataclass(frozen=True)
class Tests:
    """Sequences with truth on which nothing trains.

    Attributes:
        test: thermal sequences of the test.
        twins: the same in RGB, box by box; None where there are none.
        select: thermal sequences on which rates are chosen; None where no rate is.
        windows: on ``test``.
        trials: windows on ``select``.
        listed: file of the names of those in ``test`` that count, in the study's folder; empty: all.
        selected: the same of ``select``.
        names: of the sequences in ``listed``, as they are tracked; none: all.
        frames: of ``test``, where models are tracked through it; 0: none is.
    """

    test: Made
    twins: Made | None
    select: Made | None
    windows: int
    trials: int
    listed: str = ""
    selected: str = ""
    names: tuple[str, ...] = ()
    frames: int = 0


def two_frame(
    models: Mapping[Model, Made],
    sequences: Made,
    windows: int,
    *,
    tracker: str,
    window: int | None,
    of: Literal["select", "test"],
    first: Model,
    modality: Literal["tir", "rgb"] = "tir",
    patches: str = "",
    listed: str = "",
    part: str = "",
) -> Run:
    """One call of ``cmd-train two-frame`` on several models, which cuts their windows once.

    Args:
        models: what is measured, under names that the results bear.
        sequences: folder of them.
        windows: how many.
        tracker: base tracker.
        window: side of the search window in pixels; None is the tracker's own.
        of: which set the sequences are.
        first: the model that the measurement is called after, and is as urgent as.
        modality: of the sequences.
        patches: what the models were trained on where that is told and not judged.
        listed: file of the names of the sequences that count; empty: all.
        part: name of these sequences, where models of one name are measured on others in another call.
    """
    words = [FOUND, of, modality, patches, first.row, first.control or TRUE]
    words += ["" if first.seed is None else str(first.seed), part]
    path = "/".join(filter(None, words))
    command = ["trainer", "two-frame", *(f"{model.name}={made.path}" for model, made in models.items())]
    command += ["--sequences", sequences.path, *(["--list", listed] if listed else []), "--out", path]
    command += ["--windows", str(windows), "--seed", "0"]
    command += ["--tracker", tracker, *(["--window", str(window)] if window else [])]
    command += ["--feature-cache", f"features/{of}", *(["--rgb"] if modality == "rgb" else [])]
    if of == "test" and modality == "tir" and not (patches or part or first.control or first.seed):
        command += ["--pictures", PICTURES, "--show", str(SHOWN)]
    needs = dict.fromkeys(need for made in (sequences, *models.values()) for need in made.needs)
    cost = START_S + windows_s(tracker, window, windows, len(models))
    return Run(path, tuple(command), tuple(needs), cost, path, first.row, first.control, first.seed, of, patches)


def tracking(
    name: str, model: Made, sequences: Made, tests: Tests, tracker: str, modality: Literal["tir", "rgb"]
) -> Run:
    """One call of ``cmd-track``: a model through all sequences, from the first true box of each.

    Args:
        name: of the model.
        model: its run.
        sequences: folder of them.
        tests: which of them, and how many frames.
        tracker: base tracker.
        modality: of the sequences.
    """
    path = f"{TRACKED}/{modality}/{name}"
    command = ["cmd_tir", "cmd-track", "--weights", model.path, "--tracker", tracker, "--dataset", ANY]
    command += ["--root", sequences.path, "--out", path, "--modality", modality, "--workers", "1"]
    command += _only(tests)
    cost = START_S + tests.frames * (NANO_FRAME_S if tracker == "nanotrack_v2" else FRAME_S)
    return Run(path, tuple(command), (*model.needs, *sequences.needs), cost, path)


def one_pass(tracked: Mapping[str, Made], sequences: Made, tests: Tests, modality: Literal["tir", "rgb"]) -> Run:
    """One call of ``cmd-eval`` on all that was tracked: one-pass evaluation, which is told and decides nothing.

    Args:
        tracked: name of a model -> its results.
        sequences: folder of the sequences.
        tests: which of them.
        modality: of them.
    """
    path = f"{FOUND}/{TRACKED}/{modality}"
    command = ["cmd_tir", "cmd-eval", "--dataset", ANY, "--annotations", sequences.path, "--out", path]
    command += _only(tests)
    command += [word for name, made in tracked.items() for word in ("--results", f"{name}={made.path}")]
    needs = dict.fromkeys(need for made in (sequences, *tracked.values()) for need in made.needs)
    cost = START_S + len(tracked) * SCORED_S
    return Run(path, tuple(command), tuple(needs), cost, f"{path}/metrics.json", TRACKED, set="test", modality=modality)


def _only(tests: Tests) -> list[str]:
    return ["--sequences", ",".join(tests.names)] if tests.names else []
