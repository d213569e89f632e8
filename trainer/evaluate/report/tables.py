"""``tables.md``: scores as papers print them, in per cent with one decimal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.pages.markdown import plain, table
from trainer.evaluate.bootstrap import Difference
from trainer.evaluate.score_trackers import Evaluation
from trainer.evaluate.scores import ScoredTracker
from trainer.resampling import FEWEST
from trainer.sequences.benchmark import Benchmark

LETTERS = {"success": "S", "precision": "P", "normalized_precision": "NP"}


def counted(benchmark: Benchmark) -> str:
    """How many sequences were evaluated, as in ``5 of 120``, or ``120`` where it is all that the benchmark has."""
    measured, whole = len(benchmark.sequences), len(benchmark.manifest.evaluated())
    return f"{measured} of {whole}" if whole > measured else str(measured)


def percent(score: float | None) -> str:
    """A score of 0 to 1 in per cent with one decimal, or a dash."""
    return "–" if score is None or np.isnan(score) else f"{100 * score:.1f}"


def alone_best(scores: Sequence[float | None]) -> list[bool]:
    """For each score whether it is printed higher than all others; of equal ones, or of one alone, none is."""
    printed = [-1.0 if score is None or np.isnan(score) else float(percent(score)) for score in scores]
    best = max(printed, default=-1.0)
    lone = best >= 0 and len(printed) > 1 and printed.count(best) == 1
    return [lone and value == best for value in printed]


def ranks(trackers: Sequence[ScoredTracker]) -> list[int]:
    """The rank of each tracker in success, best first as they are; those whose score is printed alike share one."""
    printed = [percent(tracker.score("success")) for tracker in trackers]
    return [printed.index(value) + 1 for value in printed]


def titled(tracker: ScoredTracker) -> str:
    """A tracker's name as the first column of a table has it, which says where it is a yardstick."""
    return f"{tracker.name} (yardstick)" if tracker.yardstick else tracker.name


def interval(pair: Difference) -> str:
    """A difference with its interval in points, as in ``+1.8 S [0.4, 3.1]``."""
    bounds = (
        "no interval" if pair.low is None or pair.high is None else f"[{100 * pair.low:.1f}, {100 * pair.high:.1f}]"
    )
    return f"{100 * pair.value:+.1f} {LETTERS[pair.metric]} {bounds}"


def verdict(pair: Difference) -> str:
    """What the interval says, in words."""
    if pair.low is None:
        return "one sequence: nothing can be said"
    if pair.sequences < FEWEST:
        return f"undecided: {pair.sequences} sequences are too few"
    if not pair.decided:
        return "undecided: the interval holds 0"
    return f"{pair.first if pair.value > 0 else pair.second} is better"


def chosen_pairs(evaluation: Evaluation) -> list[tuple[Difference, ...]]:
    """Pairs of shown trackers, each with its difference in every metric; ``metrics.json`` has all pairs.

    Pairs of one's own trackers come first, then one's own against published ones by their rank; without own ones, the
    best published tracker against the others.
    """
    rank = {tracker.name: place for place, tracker in enumerate(evaluation.shown())}
    own = {tracker.name for tracker in evaluation.trackers if tracker.own} or set(list(rank)[:1])
    pairs: dict[tuple[str, str], list[Difference]] = {}
    for measured in evaluation.differences:
        pair = measured if measured.first in own else measured.flipped()
        names = (pair.first, pair.second)
        if own & set(names) and set(names) <= set(rank):
            pairs.setdefault(names, []).append(pair)
    order = sorted(pairs, key=lambda names: (not own >= set(names), rank[names[0]], rank[names[1]]))
    return [tuple(pairs[names]) for names in order]


def triple(tracker: ScoredTracker, metrics: Sequence[str], where: NDArray[np.bool_] | None = None) -> str:
    """``S/P/NP``, as :func:`letters` says; ``S/P`` where the protocol has no normalized precision."""
    return "/".join(percent(tracker.score(metric, where)) for metric in metrics)


def letters(metrics: Sequence[str]) -> str:
    """What stands in a :func:`triple`, in its order."""
    return "/".join(LETTERS[metric] for metric in metrics)


def write_tables(evaluation: Evaluation) -> str:
    """The page as Markdown."""
    benchmark, metrics = evaluation.benchmark, evaluation.benchmark.metrics
    ranked = evaluation.ranked()
    head = ["rank", "tracker", *(LETTERS[metric] for metric in metrics)]
    rows = [[i, titled(t), *(percent(t.score(m)) for m in metrics)] for i, t in zip(ranks(ranked), ranked)]
    text = [
        f"# {plain(benchmark.manifest.title)}: one-pass evaluation",
        f"{counted(benchmark)} sequences, protocol `{benchmark.manifest.protocol}`, per cent.",
        "## Overall",
        table(head, rows),
    ]
    if pairs := chosen_pairs(evaluation):
        note = "First minus second in points, with the 95 % interval of a paired bootstrap over sequences."
        rows = [[f"{p[0].first} − {p[0].second}", *map(interval, p), verdict(p[0])] for p in pairs]
        text += ["## Differences", note, table(["trackers", *(LETTERS[m] for m in metrics), "success"], rows)]
    if benchmark.attributes:
        lines = [
            [f"{name} ({where.sum()})", *(triple(t, metrics, where) for t in ranked)]
            for name, where in benchmark.attributes.items()
        ]
        lines.append([f"All ({len(benchmark.sequences)})", *(triple(t, metrics) for t in ranked)])
        text += [
            "## Attributes",
            f"{letters(metrics)}; sequences in brackets.",
            table(["attribute", *(t.name for t in ranked)], lines),
        ]
    if evaluation.warnings:
        text += ["## Warnings", "\n".join(f"- {plain(line)}" for line in evaluation.warnings)]
    return "\n\n".join(text) + "\n"
