"""What a run's figures say, in words, and what to do next: the commands to type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipeline.next_command import to_type
from pipeline.pages import html
from trainer.measure.answers import DISPLACED_IOU, PEAK_IOU
from trainer.measure.held_out_test import TIR
from trainer.measure.summary import START, STUDENT
from trainer.pages.figure_plots import trivial

NOTHING = (
    "No figure was measured on held-out sequences, so nothing is known of what it learnt: train with held_out and "
    "held_out_samples above 0."
)
UNMEASURED = (
    "The start was not measured in this test, as the run began in an earlier version: what it learnt is not known."
)
LEARNT = {PEAK_IOU: "IoU from the peak", DISPLACED_IOU: "IoU from a moved box"}
"""The figure that decides, of the trackers that have it: the first that was measured."""


def next_steps(run: Path, settings: dict[str, Any], measured: dict[str, Any]) -> html.Section:
    """The section.

    Args:
        run: its folder, as the run was told.
        settings: of the run.
        measured: the content of ``held_out.json``.
    """
    shards = [word for folder in settings["shards"] for word in ("--shards", Path(folder))]
    patches = ("--patches", settings["patches"]) if settings.get("patches") else ()
    own = *shards, *patches, "--recipe", settings["recipe"], "--tracker", settings["tracker"]
    init = Path(*settings["init"]) if len(settings["init"]) == 1 else "WEIGHTS"
    study = "--tracker", settings["tracker"], "--init", init, "--out", "STUDY"
    track = "cmd-track", "--dataset", "tir_sequences", "--root", "SEQUENCES"
    truth = "--dataset", "tir_sequences", "--annotations", "SEQUENCES", "--frames", "SEQUENCES"
    scored = "--results", "student=results/student", "--results", "template=results/template", "--out", "report"
    commands = [
        ("see it track", to_type(*track, "--weights", run, "--out", "results/student", "--save-video")),
        ("have something beside it", to_type(*track, "--yardstick", "template", "--out", "results/template")),
        ("score both", to_type("cmd-eval", *truth, *scored)),
        ("see what it was fed", to_type("cmd-train", "feeds", *own, "--out", "feeds.html")),
        ("ask whether it is the pairs", to_type("cmd-train", "study", *study)),
    ]
    rows = [("to", "type"), *((what, Markup("<code>{}</code>").format(command)) for what, command in commands)]
    return html.Section("What to do next", " ".join(verdict(measured)), table=rows)


def verdict(measured: dict[str, Any]) -> list[str]:
    """Sentences on what the held-out test says of the student, and what would say more."""
    figures = measured.get("figures", {}).get(TIR, {})
    name = next((name for name in LEARNT if name in figures), None)
    if name is None:
        return [NOTHING]
    answers, test = figures[name], measured["test"]
    gain = answers.get(f"{STUDENT} - {START}")
    told = [_gain(gain, LEARNT[name], len(test["sequences"]), test["fewest"]) if gain else UNMEASURED]
    beside = {each: answers[each]["value"] for each in trivial(test) if each in answers}
    told += [
        f"It finds no more than {each} does, which needs no network: do not track with it."
        for each, value in beside.items()
        if value == max(beside.values()) >= answers[STUDENT]["value"]
    ][:1]
    return told


def _gain(gain: dict[str, float | None], what: str, sequences: int, fewest: int) -> str:
    """One sentence on the student less its start."""
    value, low, high = gain["value"], gain["low"], gain["high"]
    if low is None or high is None:
        return (
            f"Student less start, {what}: {value:+.3g}, of {sequences} held-out sequences, which are too few to tell "
            f"luck from gain: mine more sequences, or hold out more of them, so that {fewest} or more measure."
        )
    told = f"{what} {value:+.3g} [{low:+.3g}, {high:+.3g}]"
    if low > 0:
        return f"On sequences that it has not seen the student is better than its start: {told}."
    if high < 0:
        return f"On sequences that it has not seen the student is worse than its start, {told}: lower rate_scale."
    return f"Student and start are not told apart, {told}: train for longer, at a higher rate_scale, or on more pairs."
