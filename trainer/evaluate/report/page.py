"""``report.html``: the evaluation as one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from pipeline.pages.html import Section, render
from trainer.evaluate.bootstrap import MIN_SEQUENCES, Difference
from trainer.evaluate.moments import Moment
from trainer.evaluate.report.tables import (
    LETTERS,
    alone_best,
    chosen_pairs,
    counted,
    interval,
    letters,
    percent,
    ranks,
    triple,
    verdict,
)
from trainer.evaluate.score_trackers import Evaluation
from trainer.evaluate.scores import ScoredTracker
from trainer.resampling import FEWEST

_FEW = 20
"""Sequences below which percentile intervals are known to come out too narrow."""
_CAUSE = "Whether it is the pairs that a student owes it to, only controls can say: cmd-train study trains them."


def build_page(
    evaluation: Evaluation,
    shown: Sequence[ScoredTracker],
    plots: Mapping[str, Markup],
    moments: Sequence[Moment],
    compared: Sequence[str],
) -> str:
    """The page as text.

    Args:
        evaluation: what was measured.
        shown: trackers that are drawn in colour, best first.
        plots: drawn plots by name: one for each metric, ``attributes``, and strips of frames.
        moments: where the ``compared`` differ most.
        compared: names of those two, or of the only one, which is held against the truth; empty without result files.
    """
    benchmark = evaluation.benchmark
    frames = sum(map(len, benchmark.truth.values())) or sum(
        benchmark.manifest.sequences.get(name, 0) for name in benchmark.sequences
    )
    facts = [
        ("sequences", counted(benchmark)),
        ("frames", f"{frames:,}"),
        ("trackers", len(evaluation.trackers)),
        ("protocol", benchmark.manifest.protocol),
    ]
    sections = [_overall(evaluation, plots), *_differences(evaluation), *_attributes(evaluation, shown, plots)]
    sections += [_sequences(evaluation, shown), *_moments(moments, compared, plots)]
    if evaluation.warnings:
        sections.insert(
            0, Section("Warnings", table=[("mind when you quote these scores",), *((w,) for w in evaluation.warnings)])
        )
    return render("One-pass evaluation", benchmark.manifest.title, facts, sections)


def _overall(evaluation: Evaluation, plots: Mapping[str, Markup]) -> Section:
    metrics, ranked = evaluation.benchmark.metrics, evaluation.ranked()
    columns = [_cells([tracker.score(m) for tracker in ranked]) for m in metrics]
    rows: list[Sequence[object]] = [("rank", "tracker", "source", *(f"{LETTERS[m]} (%)" for m in metrics))]
    for rank, tracker, *cells in zip(ranks(ranked), ranked, *columns):
        source = "yardstick" if tracker.yardstick else "results" if tracker.own else "published curves"
        rows.append((rank, tracker.name, source, *cells))
    note = (
        "S: mean of the success curve; P: precision at 20 pixels; NP: mean of the normalized precision curve. "
        "Every sequence weighs the same. Click a column's head to sort by it."
    )
    return Section("Overall", note, [plots[m] for m in metrics], rows, sortable=True)


def _cells(scores: Sequence[float | None]) -> list[object]:
    """Scores as printed, the best in bold where it is alone."""
    return [
        Markup("<b>{}</b>").format(percent(score)) if best else percent(score)
        for score, best in zip(scores, alone_best(scores))
    ]


def _differences(evaluation: Evaluation) -> list[Section]:
    pairs = chosen_pairs(evaluation)
    if not pairs:
        return []
    count = min(pair.sequences for row in pairs for pair in row)
    metrics = evaluation.benchmark.metrics
    rows: list[Sequence[object]] = [("trackers", *(LETTERS[m] for m in metrics), "success")]
    rows += [(f"{row[0].first} − {row[0].second}", *map(interval, row), verdict(row[0])) for row in pairs]
    return [Section("Is the difference real?", f"{_doubt(pairs, count)} {_CAUSE}", table=rows)]


def _doubt(pairs: Sequence[tuple[Difference, ...]], count: int) -> str:
    """What the intervals of these pairs say, in words."""
    if count < MIN_SEQUENCES:
        return "First minus second in points. One sequence says nothing of others: measure more before you conclude."
    note = "First minus second in points, with the 95 % interval of a paired bootstrap over sequences. "
    if count < FEWEST:
        return note + f"With {count} sequences it comes out too narrow, and decides nothing: measure {FEWEST} or more."
    tied = sum(not row[0].decided for row in pairs)
    note += (
        f"Where it holds 0, these {count} sequences do not tell the two apart: in success so for {tied} of the "
        f"{len(pairs)} pairs here. Each interval stands for itself; of 20 true ties, one is expected to look decided."
    )
    few = f" With only {count} sequences the intervals come out too narrow: the true doubt is larger."
    return note + (few if count < _FEW else "")


def _attributes(evaluation: Evaluation, shown: Sequence[ScoredTracker], plots: Mapping[str, Markup]) -> list[Section]:
    benchmark = evaluation.benchmark
    if not benchmark.attributes:
        return []
    rows: list[Sequence[object]] = [("attribute", "sequences", *(tracker.name for tracker in shown))]
    for name, where in benchmark.attributes.items():
        rows.append((name, int(where.sum()), *(triple(t, benchmark.metrics, where) for t in shown)))
    rows.append(("all", len(benchmark.sequences), *(triple(t, benchmark.metrics) for t in shown)))
    note = f"{letters(benchmark.metrics)} in %; an attribute of one sequence has no score. tables.md has every tracker."
    drawn = [plots["attributes"]] if "attributes" in plots else []
    return [Section("Attributes", note, drawn, rows, sortable=True)]


def _sequences(evaluation: Evaluation, shown: Sequence[ScoredTracker]) -> Section:
    scores = np.stack([tracker.scores("success") for tracker in shown], axis=1)
    rows: list[Sequence[object]] = [("sequence", *(tracker.name for tracker in shown))]
    for name, values in zip(evaluation.benchmark.sequences, scores):
        rows.append((name, *_cells(values.tolist())))
    return Section("Sequences", "Success in %. Click a column's head to sort by it.", table=rows, sortable=True)


def _moments(moments: Sequence[Moment], compared: Sequence[str], plots: Mapping[str, Markup]) -> list[Section]:
    if not moments:
        return []
    if len(compared) > 1:
        title, how = f"Where {' and '.join(compared)} differ most", "their overlaps with the truth differ most"
    else:
        title, how = f"Where {compared[0]} errs most", "its overlap with the truth is least"
    note = f"In each of these sequences the frame at which {how}, averaged over about a second."
    if len({moment.first > moment.second for moment in moments}) > 1:
        note += f" Those in which {compared[0]} is ahead and those in which {compared[1]} is come in turn."
    strips = [plot for name, plot in plots.items() if name.startswith("frames_")]
    note += " In the pictures it is framed." if strips else ""
    rows: list[Sequence[object]] = [("sequence", "frame", *(f"overlap of {name}" for name in compared))]
    for moment in moments:
        overlaps = [f"{value:.2f}" for _, value in zip(compared, (moment.first, moment.second))]
        rows.append((moment.sequence, moment.frame, *overlaps))
    return [Section(title, note, strips, rows)]
