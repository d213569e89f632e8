"""Strips of frames with the boxes of several trackers and the truth, as papers show them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline import images
from pipeline.images import Rgb, Tir
from pipeline.pages.html import INK, figure
from trainer.evaluate.moments import Moment
from trainer.evaluate.ope import cut
from trainer.evaluate.report.plots import Style, label
from trainer.evaluate.score_trackers import Evaluation
from trainer.evaluate.scores import ScoredTracker
from trainer.sequences.rows import Boxes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 5
TRUTH_STYLE = Style("#f0e442", "-", 3.2)
FRAME = "#6741d9"
"""Around a moment's picture: no box has this colour."""


def draw_strip(
    evaluation: Evaluation,
    trackers: Sequence[ScoredTracker],
    style: Mapping[str, Style],
    moments: Sequence[Moment],
    compared: Sequence[str],
    pictures: Sequence[Path],
) -> Figure:
    """Frames spread over a sequence, those of the moments among them and framed, with every tracker's box.

    Args:
        evaluation: holds the ground truth.
        trackers: whose boxes to draw.
        style: how to draw each of them.
        moments: one or two of one sequence, whose frames to show.
        compared: names of the trackers whose overlaps they tell.
        pictures: at least one for each row of the ground truth.

    Raises:
        DataError: a picture cannot be read.
    """
    from matplotlib.lines import Line2D

    sequence = moments[0].sequence
    truth = cut(evaluation.benchmark.truth[sequence])
    start = len(evaluation.benchmark.truth[sequence]) - len(truth)
    chosen = {moment.frame - 1 - start for moment in moments}
    frames = _spread(len(truth), chosen)
    shown = [_read(pictures[start + frame]) for frame in frames]
    height, width = shown[0].shape[:2]
    drawn = figure(12.2, 12.2 / PANELS * height / width + 0.6)
    drawn.set_dpi(200)
    drawn.suptitle(_title(moments, compared), x=0.006, ha="left", fontsize=9, color=INK)
    for place, (frame, picture) in enumerate(zip(frames, shown), 1):
        axes = drawn.add_subplot(1, PANELS, place)
        _show(axes, picture, f"#{start + frame + 1}", framed=frame in chosen)
        # The truth lies beneath and is wider, so that a box that agrees with it hides neither.
        _outline(axes, truth[frame], TRUTH_STYLE)
        for tracker in trackers:
            look = style[tracker.name]
            _outline(axes, tracker.boxes[sequence][frame], replace(look, width=1.4))
    handles = [Line2D([], [], color=TRUTH_STYLE.colour, label="truth", linewidth=2)]
    handles += [
        Line2D([], [], color=style[t.name].colour, linestyle=style[t.name].dashes, label=label(t.name), linewidth=2)
        for t in trackers
    ]
    drawn.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=8)
    return drawn


def strip_name(sequence: str) -> str:
    """The name of a sequence's strip, without its suffix."""
    return "frames_" + re.sub(r"[^\w.-]", "_", sequence)


def _title(moments: Sequence[Moment], compared: Sequence[str]) -> str:
    """The sequence, and how the compared overlap with the truth in the framed pictures."""
    told = [
        f"#{m.frame} " + ", ".join(f"{label(name)} {value:.2f}" for name, value in zip(compared, (m.first, m.second)))
        for m in sorted(moments, key=lambda m: m.frame)
    ]
    return f"{label(moments[0].sequence, 60)}, overlaps: {'; '.join(told)}"


def _spread(count: int, chosen: Collection[int]) -> list[int]:
    """Up to PANELS frames spread evenly over ``count``, for each chosen one the nearest of the others left out."""
    frames = {round(x) for x in np.linspace(0, count - 1, PANELS)} - set(chosen)
    for frame in chosen:
        if frames and len(frames) + len(chosen) > PANELS:
            frames.remove(min(frames, key=lambda other: (abs(other - frame), other)))
    return sorted({*frames, *chosen})


def _read(path: Path) -> Tir | Rgb:
    """A thermal picture, raw values stretched for the eye; or a visible one, of a teacher on RGB."""
    picture = images.decode(images.read_bytes(path), str(path))
    if picture.dtype == np.uint8:
        return images.to_rgb(picture, str(path)) if images.in_colour(picture) else images.to_tir(picture, str(path))
    low, high = np.percentile(picture, (0.5, 99.5))
    return images.to_tir(picture, str(path), (float(low), float(max(high, low + 1))))


def _show(axes: Axes, picture: Tir | Rgb, title: str, *, framed: bool) -> None:
    height, width = picture.shape[:2]
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0))
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(color=FRAME, linewidth=3, visible=framed)
    axes.text(
        0.03, 0.96, title, transform=axes.transAxes, color=TRUTH_STYLE.colour, fontsize=9, weight="bold", va="top"
    )


def _outline(axes: Axes, box: Boxes, look: Style) -> None:
    from matplotlib.patches import Rectangle

    if np.isfinite(box).all():
        x, y, w, h = map(float, box)
        axes.add_patch(
            Rectangle((x, y), w, h, fill=False, edgecolor=look.colour, linestyle=look.dashes, linewidth=look.width)
        )
