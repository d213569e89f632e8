"""The held-out test of a run as a table: start and student, and beside them what needs no network."""

from __future__ import annotations

from typing import Any

from pipeline.pages import html
from trainer.pages.figure_plots import figure_plots

NAMES = {
    "iou_from_peak": "IoU of the box refined from the response's peak ↑",
    "hit": "hits of the peak (within a quarter of the target, or a cell) ↑",
    "peak_error": "error of the peak, window px ↓",
    "iou_from_displaced": "IoU of the box refined from the true one, moved by a quarter of its sides ↑",
    "iou_at_centre": "IoU of the box that the point nearest to the true centre tells ↑",
    "iou_error": "error of the predicted IoU ↓",
    "modulation_cosine": "cosine of what the reference branch makes of RGB and of TIR ↑",
}
KINDS = {
    "two frames": "Two frames: the reference window shows a target at one instant, the test window 1 to 30 later.",
    "same frame": "Same frame: the shards do not show two held-out instants of one target, 1 to 30 frames apart (that "
    "takes boxes with ids, and pairs enough), so both windows are of one picture and the reference's box kept is the "
    "truth itself. This tells how two windows of one picture are matched, not how a target is found again.",
}
WAYS = ("TIR alone", "RGB alone", "as trained", "RGB and TIR")
CHANGE = "student - start"
ANSWERS = ("start", "student", CHANGE, "the middle", "the reference's box kept", "the borders' box")


def held_out_section(measured: dict[str, Any]) -> html.Section:
    """The table of ``held_out.json``."""
    figures = measured["figures"]
    head = ("change" if answer == CHANGE else answer for answer in ANSWERS)
    rows: list[tuple[object, ...]] = [("on held-out sequences", "fed", *head)]
    for way, name in ((way, name) for way in WAYS for name in NAMES if name in figures.get(way, {})):
        each = figures[way][name]
        rows.append((NAMES[name], way, *(told(each.get(answer), signed=answer == CHANGE) for answer in ANSWERS)))
    return html.Section("Held-out test", _note(measured["test"]), figure_plots(measured), rows, sortable=True)


def _note(test: dict[str, Any]) -> str:
    intervals = "each with its 95 % interval (bootstrap over sequences, paired in differences)"
    if len(test["sequences"]) < test["fewest"]:
        intervals = f"without intervals: those need {test['fewest']} sequences at least"
    return (
        f"{KINDS[test['kind']]} {test['windows']:,} windows of {len(test['sequences']):,} sequences; means over a "
        f"sequence's windows, then over sequences, {intervals}. A student is used on TIR alone. It has learnt what it "
        "does better than the start, and than what needs no network: to answer with the middle of the window, to leave "
        "the reference's box where it was in the picture, or to tell the box from the picture's borders; these are the "
        "lines. ↑ more is better, ↓ less is."
    )


def told(figure: dict[str, float | None] | None, *, signed: bool) -> str:
    """A figure with its interval, as in ``0.52 [0.48, 0.56]``."""
    if figure is None:
        return "–"
    form = "+.3g" if signed else ".3g"
    value, low, high = (figure[key] for key in ("value", "low", "high"))
    text = format(value, form)
    return text if low is None or high is None else f"{text} [{low:{form}}, {high:{form}}]"
