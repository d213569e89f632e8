"""The held-out test as plots: start and student with their intervals, and as lines what needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pipeline.pages import html
from trainer.measure.answers import BORDERS, CENTRE_IOU, DISPLACED_IOU, HIT, KEPT, MIDDLE, PEAK_ERROR, PEAK_IOU
from trainer.measure.held_out_test import TIR
from trainer.measure.summary import START, STUDENT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLES = {
    PEAK_IOU: "IoU from the peak ↑",
    HIT: "hits of the peak ↑",
    PEAK_ERROR: "error of the peak, px ↓",
    DISPLACED_IOU: "IoU from a moved box ↑",
    CENTRE_IOU: "IoU at the centre ↑",
}
LINES = {MIDDLE: ("#5b6577", "--"), KEPT: ("#1971c2", "-."), BORDERS: ("#7b2d8e", ":")}
"""Answers without a network, which a line each stands for."""


def figure_plots(measured: dict[str, Any]) -> list[Markup]:
    """Each figure on TIR alone, which is how a student is used, side by side as inline SVG; none where nothing is."""
    figures = measured["figures"].get(TIR, {})
    shown = [name for name in TITLES if name in figures]
    if not shown:
        return []
    lines = trivial(measured["test"])
    drawn = html.figure(2.9 * len(shown), 3.1)
    panels = [drawn.add_subplot(1, len(shown), place) for place, _ in enumerate(shown, 1)]
    for axes, name in zip(panels, shown):
        _draw(axes, TITLES[name], figures[name], lines)
    drawn.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return [html.svg(drawn)]


def trivial(test: dict[str, Any]) -> list[str]:
    """The answers without a network that say something: in the same frame the reference's box is the truth itself."""
    return [answer for answer in LINES if test["kind"] != "same frame" or answer != KEPT]


def _draw(axes: Axes, title: str, answers: dict[str, Any], lines: Sequence[str]) -> None:
    for answer in lines:
        if answer in answers:
            colour, dashes = LINES[answer]
            axes.axhline(answers[answer]["value"], color=colour, linestyle=dashes, linewidth=1.4, label=answer)
    for place, answer in enumerate((START, STUDENT)):
        if answer in answers:
            _point(axes, place, answers[answer], html.HEAT if answer == STUDENT else html.INK)
    axes.set(xticks=[0, 1], xticklabels=[START, STUDENT], xlim=(-0.5, 1.6), title=title)
    axes.margins(y=0.15)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=html.GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def _point(axes: Axes, place: int, figure: dict[str, float | None], colour: str) -> None:
    """A figure with its interval, where it has one."""
    value, low, high = float(figure["value"] or 0), figure["low"], figure["high"]
    axes.plot([place], [value], "o", color=colour, markersize=7)
    axes.annotate(f"{value:.3g}", (place, value), (8, 0), textcoords="offset points", va="center", fontsize=8)
    if low is not None and high is not None:
        axes.plot([place, place], [low, high], color=colour, linewidth=1.6)
