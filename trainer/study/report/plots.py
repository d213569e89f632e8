"""The plots of a study: differences with their intervals, and gains against what was varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pipeline.pages.html import COLD, GRID, HEAT, INK, figure, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Found = Mapping[str, Any]
"""A difference as ``verdict.json`` has it: ``value``, ``low``, ``high``."""
_COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's palette, which colour-blind readers can tell apart."""


@dataclass(frozen=True)
class Mark:
    """One line of a forest plot.

    Attributes:
        name: at its left.
        found: the difference; None where it could not be measured.
        paper: the paper's difference, drawn beside it.
        control: drawn in the controls' colour.
    """

    name: str
    found: Found | None
    paper: float | None = None
    control: bool = False


def forest(marks: Sequence[Mark], label: str, bounds: Sequence[float] = ()) -> Markup:
    """Differences with their intervals, one line each from the top, as inline SVG.

    Args:
        marks: of the lines.
        label: of the axis.
        bounds: limits of rules, drawn as dotted lines beside that of 0.
    """
    drawn = figure(8.2, 1.0 + 0.27 * len(marks))
    axes = drawn.add_subplot()
    axes.axvline(0, color=INK, linewidth=1)
    for bound in bounds:
        axes.axvline(bound, color=INK, linewidth=0.8, linestyle=":")
    for line, mark in enumerate(marks):
        if mark.found is not None:
            _point(axes, mark.found, line, COLD if mark.control else HEAT)
        else:
            axes.text(0, line, "  not measured", va="center", fontsize=7, color=INK)
    papers = [(mark.paper, line) for line, mark in enumerate(marks) if mark.paper is not None]
    if papers:
        axes.plot(*zip(*papers), "D", color=INK, markerfacecolor="white", markersize=5, label="the paper's")
        axes.legend(loc="lower right", fontsize=7.5, frameon=False)
    axes.set_yticks(range(len(marks)), [mark.name.replace("$", r"\$") for mark in marks], fontsize=8)
    axes.set_ylim(len(marks) - 0.5, -0.5)
    _clean(axes, label)
    return svg(drawn)


def gains(lines: Mapping[str, Sequence[tuple[float, Found]]], across: str, up: str, *, log: bool = False) -> Markup:
    """Figures with their intervals against what was varied, a line for each name, as inline SVG.

    Args:
        lines: name -> places and what was found there.
        across: label of the places' axis.
        up: label of the figures' axis.
        log: whether places are spaced by their logarithms.
    """
    drawn = figure(4.9, 3.2)
    axes = drawn.add_subplot()
    if log:
        axes.set_xscale("log")
    for number, (name, points) in enumerate(lines.items()):
        # A little apart, so that intervals at one place do not lie on one another.
        shift = 1 + 0.035 * (number - (len(lines) - 1) / 2) if log else 1.0
        colour = _COLOURS[number % len(_COLOURS)]
        places = [place * shift for place, _ in points]
        axes.plot(places, [found["value"] for _, found in points], "o-", color=colour, markersize=4, label=name)
        for place, (_, found) in zip(places, points):
            if found["low"] is not None:
                axes.plot([place, place], [found["low"], found["high"]], color=colour, linewidth=1.2)
    axes.axhline(0, color=INK, linewidth=0.8)
    if len(lines) > 1:
        axes.legend(fontsize=7, frameon=False)
    _clean(axes, across)
    axes.set_ylabel(up, fontsize=8)
    return svg(drawn)


def _point(axes: Axes, found: Found, line: int, colour: str) -> None:
    if found["low"] is not None:
        axes.plot([found["low"], found["high"]], [line, line], color=colour, linewidth=1.8, solid_capstyle="butt")
    axes.plot(found["value"], line, "o", color=colour, markersize=5)


def _clean(axes: Axes, across: str) -> None:
    axes.set_xlabel(across, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7.5)
    axes.grid(axis="both", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
