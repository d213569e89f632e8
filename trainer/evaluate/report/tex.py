"""``tables.tex``: the tables as a paper has them, in per cent with one decimal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.pages import latex
from trainer.evaluate.bootstrap import Difference
from trainer.evaluate.report.plots import IN_BARS
from trainer.evaluate.report.tables import LETTERS, alone_best, chosen_pairs, counted, letters, percent
from trainer.evaluate.score_trackers import Evaluation
from trainer.evaluate.scores import ScoredTracker
from trainer.resampling import FEWEST, RESAMPLES


def write_tex(evaluation: Evaluation) -> str:
    """All tables, each a float of its own; what a reader of the scores must know stands above them as comments."""
    warnings = [f"% mind: {' '.join(line.split())}" for line in evaluation.warnings]
    floats = [_overall(evaluation), *_differences(evaluation), *_attributes(evaluation)]
    return "\n".join([latex.PACKAGES, *warnings, *floats])


def _overall(evaluation: Evaluation) -> str:
    benchmark, ranked = evaluation.benchmark, evaluation.ranked()
    columns = [_marked([tracker.score(metric) for tracker in ranked]) for metric in benchmark.metrics]
    rows = list(zip((latex.plain(tracker.name) for tracker in ranked), *columns))
    groups = [[row for row, t in zip(rows, ranked) if t.yardstick == yardstick] for yardstick in (False, True)]
    caption = (
        f"{benchmark.manifest.title}: one-pass evaluation on {counted(benchmark)} sequences, per cent; "
        f"{_spelled(benchmark.metrics)}."
    )
    if all(groups):
        caption += " Below the line: yardsticks, which learn nothing."
    head = ["tracker", *(LETTERS[metric] for metric in benchmark.metrics)]
    return latex.table(latex.plain(caption), "l" + "r" * len(columns), head, groups, label="tab:overall")


def _differences(evaluation: Evaluation) -> list[str]:
    pairs, metrics = chosen_pairs(evaluation), evaluation.benchmark.metrics
    if not pairs:
        return []
    count = min(pair.sequences for row in pairs for pair in row)
    caption = (
        f"Differences in points, first minus second, with the 95 % interval of a paired bootstrap over {count} "
        f"sequences ({RESAMPLES:,} resamples)"
    )
    caption += "; bold where it leaves out 0." if count >= FEWEST else ": too few sequences to decide anything."
    rows = [[latex.plain(f"{row[0].first} − {row[0].second}"), *map(_difference, row)] for row in pairs]
    head = ["trackers", *(LETTERS[metric] for metric in metrics)]
    return [latex.table(latex.plain(caption), "l" + "r" * len(metrics), head, [rows], label="tab:differences")]


def _difference(pair: Difference) -> str:
    value = f"{100 * pair.value:+.1f}"
    if pair.low is None or pair.high is None:
        return f"${value}$"
    told = rf"{value}\;[{100 * pair.low:.1f},\,{100 * pair.high:.1f}]"
    return rf"$\mathbf{{{told}}}$" if pair.decided else f"${told}$"


def _attributes(evaluation: Evaluation) -> list[str]:
    benchmark, shown = evaluation.benchmark, evaluation.shown(IN_BARS)
    if not benchmark.attributes:
        return []
    rows = [
        [latex.plain(f"{name} ({where.sum()})"), *_triples(shown, benchmark.metrics, where)]
        for name, where in benchmark.attributes.items()
    ]
    every = [[f"all ({len(benchmark.sequences)})", *_triples(shown, benchmark.metrics)]]
    caption = f"{letters(benchmark.metrics)} by attribute, per cent; sequences in brackets."
    if len(shown) < len(evaluation.trackers):
        caption += f" The {len(shown)} best of {len(evaluation.trackers)} trackers."
    head = ["attribute", *(latex.plain(tracker.name) for tracker in shown)]
    columns = "l" + "r" * len(shown)
    return [latex.table(latex.plain(caption), columns, head, [rows, every], label="tab:attributes", wide=True)]


def _triples(
    trackers: Sequence[ScoredTracker], metrics: Sequence[str], where: NDArray[np.bool_] | None = None
) -> list[str]:
    """``S/P/NP`` of each tracker, the best of each in bold."""
    return list(map("/".join, zip(*(_marked([t.score(metric, where) for t in trackers]) for metric in metrics))))


def _marked(scores: Sequence[float | None]) -> list[str]:
    """Scores as printed, the best in bold where it is alone."""
    return [latex.bold(percent(s)) if best else latex.plain(percent(s)) for s, best in zip(scores, alone_best(scores))]


def _spelled(metrics: Sequence[str]) -> str:
    """What the letters mean."""
    meaning = {
        "success": "mean of the success curve",
        "precision": "precision at 20 pixels",
        "normalized_precision": "mean of the normalized precision curve",
    }
    return ", ".join(f"{LETTERS[metric]}: {meaning[metric]}" for metric in metrics)
