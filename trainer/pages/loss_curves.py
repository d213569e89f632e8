"""A picture of a run's losses."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.files.json_text import parse_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOSSES = {"loss": "L", "tcl": "L_TCL", "bbe": "L_BBE"}
TRAINING, VALIDATION = "#8d99ae", "#d9480f"
WIDTH, HEIGHT = 4.6, 3.2
"""Inches of one loss."""
LEFT, RIGHT, BELOW, ABOVE, TITLE = 0.7, 0.15, 0.5, 0.3, 0.3
"""Inches around its axes. Set here, since matplotlib draws a figure twice more to find them."""


def losses_of(row: Collection[str]) -> list[str]:
    """The losses of a row of metrics, the sum first; without it where it would be the only part once more."""
    parts = [name for name in ("tcl", "bbe") if name in row]
    return parts if len(parts) == 1 else ["loss", *parts]


def curves(metrics: Path, title: str) -> Figure:
    """Every loss of ``metrics.jsonl`` over steps, training and validation, as a figure."""
    from matplotlib.figure import Figure

    rows: list[dict[str, Any]] = [
        parse_json(line, metrics) for line in metrics.read_text(encoding="utf-8").splitlines()
    ]
    train = [row for row in rows if not row.get("held_out")]
    last_step = {row["epoch"]: row["step"] for row in train} | {-1: 0}
    names = losses_of(train[0]) if train else []
    width, gap = WIDTH * max(1, len(names)), LEFT + RIGHT
    figure = Figure(figsize=(width, HEIGHT))
    figure.subplots_adjust(
        left=LEFT / width, right=1 - RIGHT / width, bottom=BELOW / HEIGHT,
        top=1 - (ABOVE + (TITLE if title else 0)) / HEIGHT, wspace=gap / (WIDTH - gap),
    )  # fmt: skip
    for place, name in enumerate(names, 1):
        axes = figure.add_subplot(1, len(names), place)
        axes.plot([r["step"] for r in train], [r[name] for r in train], color=TRAINING, linewidth=0.9, label="training")
        validation = [(last_step[r["epoch"]], r[name]) for r in rows if r.get("held_out") and r["epoch"] in last_step]
        if validation:
            axes.plot(*zip(*validation), color=VALIDATION, marker="o", markersize=3.5, label="held-out sequences")
        axes.set(xlabel="step", title=f"{LOSSES[name]} ↓")
        axes.locator_params(axis="x", integer=True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    if title:
        figure.suptitle(title)
    return figure
