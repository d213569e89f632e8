"""``report.html``: the evaluation as one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from pipeline.pages.html import Section, render
from trainer.evaluate.bootstrap import MIN_SEQUENCES, Difference
from trainer.evaluate.moments import Moment
from trainer.evaluate.report.tables import LETTERS, chosen_pairs, interval, percent, triple, verdict
from trainer.evaluate.score_trackers import Evaluation
from trainer.evaluate.scores import ScoredTracker

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
        moments: where the two ``compared`` differ most.
        compared: names of those two, the second may be the ground truth; empty without result files.
    """
    benchmark = evaluation.benchmark
    frames = sum(map(len, benchmark.truth.values())) or sum(
        benchmark.manifest.sequences.get(name, 0) for name in benchmark.sequences
    )
    whole = len(benchmark.manifest.evaluated()) or len(benchmark.sequences)
    facts = [
        ("sequences", f"{len(benchmark.sequences)} of {whole}" if whole > len(benchmark.sequences) else whole),
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
    metrics = evaluation.benchmark.metrics
    best = {m: max((t.score(m) or 0 for t in evaluation.trackers), default=0) for m in metrics}
    rows: list[Sequence[object]] = [("rank", "tracker", "source", *(f"{LETTERS[m]} (%)" for m in metrics))]
    for rank, tracker in enumerate(evaluation.ranked(), 1):
        source = "yardstick" if tracker.yardstick else "results" if tracker.own else "published curves"
        rows.append((rank, tracker.name, source, *(_cell(tracker.score(m), best[m]) for m in metrics)))
    note = (
        "S: mean of the success curve; P: precision at 20 pixels; NP: mean of the normalized precision curve. "
        "Every sequence weighs the same. Click a column's head to sort by it."
    )
    return Section("Overall", note, [plots[m] for m in metrics], rows, sortable=True)


def _cell(score: float | None, best: float) -> object:
    text = percent(score)
    return Markup("<b>{}</b>").format(text) if score is not None and score == best else text


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
    tied = sum(not row[0].decided for row in pairs)
    note = (
        "First minus second in points, with the 95 % interval of a paired bootstrap over sequences. Where it holds 0, "
        f"these {count} sequences do not tell the two apart: in success so for {tied} of the {len(pairs)} pairs "
        "here. Each interval stands for itself; of 20 true ties, one is expected to look decided."
    )
    few = f" With only {count} sequences the intervals come out too narrow: the true doubt is larger."
    return note + (few if count < _FEW else "")


def _attributes(evaluation: Evaluation, shown: Sequence[ScoredTracker], plots: Mapping[str, Markup]) -> list[Section]:
    benchmark = evaluation.benchmark
    if not benchmark.attributes:
        return []
    order = "/".join(LETTERS[m] for m in ("precision", "normalized_precision", "success") if m in benchmark.metrics)
    rows: list[Sequence[object]] = [("attribute", "sequences", *(tracker.name for tracker in shown))]
    for name, where in benchmark.attributes.items():
        rows.append((name, int(where.sum()), *(triple(t, benchmark.metrics, where) for t in shown)))
    rows.append(("all", len(benchmark.sequences), *(triple(t, benchmark.metrics) for t in shown)))
    note = f"{order} in %; an attribute of one sequence has no score. tables.md has every tracker."
    drawn = [plots["attributes"]] if "attributes" in plots else []
    return [Section("Attributes", note, drawn, rows, sortable=True)]


def _sequences(evaluation: Evaluation, shown: Sequence[ScoredTracker]) -> Section:
    scores = np.stack([tracker.scores("success") for tracker in shown], axis=1)
    rows: list[Sequence[object]] = [("sequence", *(tracker.name for tracker in shown))]
    for name, values in zip(evaluation.benchmark.sequences, scores):
        best = float(np.nanmax(values, initial=-np.inf))
        rows.append((name, *(_cell(float(value), best) for value in values)))
    return Section("Sequences", "Success in %. Click a column's head to sort by it.", table=rows, sortable=True)


def _moments(moments: Sequence[Moment], compared: Sequence[str], plots: Mapping[str, Markup]) -> list[Section]:
    if not moments:
        return []
    first, second = compared
    rows: list[Sequence[object]] = [("sequence", "frame", f"overlap of {first}", f"overlap of {second}")]
    rows += [(m.sequence, m.frame, f"{m.first:.2f}", f"{m.second:.2f}") for m in moments]
    note = f"Moments of the greatest difference between {first} and {second}, averaged over about a second."
    strips = [plot for name, plot in plots.items() if name.startswith("frames_")]
    return [Section("Where they differ most", note, strips, rows)]
