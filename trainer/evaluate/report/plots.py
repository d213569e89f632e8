"""The plots of the field: success, precision and normalized precision with a ranked legend, and attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pipeline.pages.html import GRID, INK, figure
from trainer.evaluate.ope import THRESHOLDS
from trainer.evaluate.score_trackers import Evaluation
from trainer.evaluate.scores import ScoredTracker

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Dashes = Literal["-", "--", "-.", ":"]
_COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's palette, which colour-blind readers can tell apart; its yellow is kept for the ground truth."""
_DASHES: tuple[Dashes, ...] = ("-", "--", "-.", ":")
_OTHERS = "#c3cad4"
IN_BARS = 6
"""Trackers that the bars have room for."""

_AXES = {
    "success": ("Success plot", "overlap threshold", "success rate"),
    "precision": ("Precision plot", "centre error threshold (pixels)", "precision"),
    "normalized_precision": ("Normalized precision plot", "normalized error threshold", "precision"),
}


@dataclass(frozen=True)
class Style:
    """How one tracker is drawn, in every plot and picture."""

    colour: str
    dashes: Dashes
    width: float


def styles(shown: Sequence[ScoredTracker]) -> dict[str, Style]:
    """A colour and a dash pattern for each tracker; no two share both."""
    return {
        tracker.name: Style(_COLOURS[i % len(_COLOURS)], _DASHES[i % len(_DASHES)], 2.2 if tracker.own else 1.3)
        for i, tracker in enumerate(shown)
    }


def label(name: str, most: int = 26) -> str:
    """A name as matplotlib should draw it: no formulas, not longer than the legend bears."""
    short = name if len(name) <= most else name[: most - 1] + "…"
    return short.replace("$", r"\$")


def draw_curves(evaluation: Evaluation, metric: str, style: Mapping[str, Style]) -> Figure:
    """One plot of mean curves; the legend ranks by score, trackers without a style are grey."""
    title, across, up = _AXES[metric]
    drawn = figure(3.7, 3.8)
    axes = drawn.add_subplot()
    thresholds = THRESHOLDS[metric]
    ranked = evaluation.ranked(metric)
    others = [tracker for tracker in ranked if tracker.name not in style]
    for i, tracker in enumerate(others):
        text = f"{len(others)} more" if i == 0 else "_"
        axes.plot(thresholds, tracker.mean_curve(metric), color=_OTHERS, linewidth=0.5, zorder=1, label=text)
    for tracker in reversed([tracker for tracker in ranked if tracker.name in style]):
        look = style[tracker.name]
        text = f"[{tracker.score(metric) or 0:.3f}] {label(tracker.name)}"
        axes.plot(
            thresholds, tracker.mean_curve(metric), look.dashes, color=look.colour, linewidth=look.width, label=text
        )
    benchmark = evaluation.benchmark
    axes.set_title(f"{title} of OPE ({len(benchmark.sequences)} sequences)", fontsize=9)
    axes.set(
        xlabel=across, ylabel=up, xlim=(thresholds[0], thresholds[-1]), ylim=(0, 1), yticks=np.arange(0, 1.01, 0.1)
    )
    _clean(axes)
    corner: Literal["lower left", "lower right"] = "lower left" if metric == "success" else "lower right"
    axes.legend(
        loc=corner, reverse=True, fontsize=6.5, framealpha=0.85, handlelength=3.2, borderpad=0.5, labelspacing=0.35
    )
    return drawn


def draw_attributes(evaluation: Evaluation, shown: Sequence[ScoredTracker], style: Mapping[str, Style]) -> Figure:
    """Success of the first few trackers for each attribute that has a score, as grouped bars."""
    wheres = evaluation.benchmark.attributes
    names = [name for name in wheres if any(t.score("success", wheres[name]) is not None for t in shown)]
    drawn = figure(12.2, 3.9)
    axes = drawn.add_subplot()
    width = 0.84 / max(1, len(shown))
    for i, tracker in enumerate(shown):
        heights = [tracker.score("success", wheres[name]) or 0 for name in names]
        places = np.arange(len(names)) + (i - (len(shown) - 1) / 2) * width
        axes.bar(places, heights, width * 0.92, color=style[tracker.name].colour, label=label(tracker.name))
    ticks = [f"{re.sub('[ -]', _break, name, count=1)}\n({wheres[name].sum()})" for name in names]
    axes.set_xticks(range(len(names)), ticks, fontsize=7.5)
    axes.set(ylabel="success", ylim=(0, 1), xlim=(-0.6, len(names) - 0.4))
    _clean(axes, "y")
    axes.legend(ncols=len(shown), loc="upper center", fontsize=8, frameon=False)
    return drawn


def _break(gap: re.Match[str]) -> str:
    """A line break in the place of a space or behind a hyphen."""
    return gap.group().strip() + "\n"


def _clean(axes: Axes, grid: Literal["both", "y"] = "both") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.tick_params(labelsize=7.5)
    axes.grid(axis=grid, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
